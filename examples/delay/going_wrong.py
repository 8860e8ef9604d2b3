"""The same road, with tests that go wrong on purpose. The classes have the names of classes of ``test_delay.py``.

Discovery does not find this module. ``reports`` has unittest's report of each test, under the test's name.

The test of ``LoopByHandTest`` in a plain TestCase is in ``hanging.py``, because it would never end.
"""

import time
import unittest

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, VirtualClock
from examples.delay.delay import delay, delay_async
from examples.delay.test_delay import DELAY, PlainLoopTestCase


class BlockingTest(unittest.TestCase):
    """Step 1. The assertion is in the test itself, and fails as assertions do."""

    def test_too_short(self):
        """A delay that is too short makes a plain test fail."""
        start = time.monotonic()
        delay(DELAY / 1000)
        self.assertGreaterEqual(time.monotonic() - start, DELAY)


class LoopNeverRunsTest(AsyncTestCase):
    """Step 2. The test that goes wrong by passing.

    An AsyncTestCase makes the loop, and fails if anything that ran on it failed. It does not run the loop if a test
    does not wait, and a callback that never ran cannot have failed. But it warns of the timer that is left behind, and
    says where that was set. With the class attribute ``leaks = "fail"``, the test fails.
    """

    def test_delay_async(self):
        """A callback that was never called does not make the test fail, but is reported."""

        def done():
            self.fail("This is never raised.")

        delay_async(DELAY, done)


class LoopByHandTest(AsyncTestCase):
    """Step 3. The base class is an AsyncTestCase now, and nothing else has changed: the test ends.

    The error handler around the test sees the failed assertion, and stops the loop that the callback left running;
    ``start`` raises it, and the traceback ends in the callback, at the assertion. But ``start`` has no time limit:
    if nothing fails or calls ``stop``, and something could still happen, it runs for ever here as well. ``wait``
    does not.
    """

    def test_too_short(self):
        """A callback that fails before it stops the loop makes the test fail at once."""
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.io_loop.stop()

        delay_async(DELAY / 1000, done)
        self.io_loop.start()


class ErrorHandlerTest(PlainLoopTestCase):
    """Step 4. In a plain TestCase again: the handler records the error and stops the loop, and the test raises it.

    The report has one traceback, from the line that raises the exception again through Tornado to the callback.
    """

    def test_too_short(self):
        """A callback that fails under an error handler makes the test fail."""
        start = time.monotonic()
        errors = []

        def done():
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.io_loop.stop()

        def handler(typ, value, tb):
            errors.append(value)
            self.io_loop.stop()
            return True

        with ExceptionStackContext(handler):
            delay_async(DELAY / 1000, done)
        self.io_loop.start()
        if errors:
            raise errors[0]


class WaitAndStopTest(AsyncTestCase):
    """Step 5. The three ways in which a test that waits can fail."""

    def test_too_short(self):
        """After wait(), an assertion is one like any other."""
        start = time.monotonic()
        delay_async(DELAY / 1000, callback=self.stop)
        self.wait()
        self.assertGreaterEqual(time.monotonic() - start, DELAY)

    def test_callback_with_assertion(self):
        """A callback that fails during wait() ends it, with the traceback of the callback."""
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.stop()

        delay_async(DELAY / 1000, done)
        self.wait()

    def test_stop_is_not_called(self):
        """Without a call of stop(), wait() fails: at once if nothing can call it any more, else at its timeout."""
        delay_async(DELAY, callback=lambda: None)
        self.wait(timeout=60)


class VirtualTimeTest(AsyncTestCase):
    """Step 7. In virtual time, the report has no fractions: it was an hour too late, exactly."""

    clock_factory = VirtualClock

    def test_twice_as_long(self):
        """There is nothing to tolerate, and nothing to wait for."""
        delay_async(2 * 3600, callback=self.stop)
        self.wait()
        self.assertEqual(self.clock.time(), 3600)

    def test_stop_is_not_called(self):
        """The report of a deadlock shows how much virtual time has passed."""
        delay_async(3600, callback=lambda: None)
        self.wait()
