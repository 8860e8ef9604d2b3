"""The road from a plain test to an asynchronous one, in seven steps. All tests pass; one should not be trusted."""

import asyncio
import time
import unittest

from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, VirtualClock, gen_test
from examples.delay.delay import delay, delay_async

#: Seconds. A delay may take longer, because a busy machine is late; a shorter one is wrong.
DELAY = 0.5


class BlockingTest(unittest.TestCase):
    """Step 1. Code that is done when it returns: do something, then look at the result."""

    def test_delay(self):
        """The delay takes at least as long as it was asked to."""
        start = time.monotonic()
        delay(DELAY)
        self.assertGreaterEqual(time.monotonic() - start, DELAY)


class PlainLoopTestCase(unittest.TestCase):
    """A plain TestCase that gives each test an event loop of its own, by hand."""

    def setUp(self):
        asyncio.set_event_loop(asyncio.new_event_loop())
        self.io_loop = IOLoop.current()

    def tearDown(self):
        asyncio.set_event_loop(None)
        self.io_loop.close(all_fds=True)


class LoopNeverRunsTest(PlainLoopTestCase):
    """Step 2. The same for code that calls back: the assertion moves into the callback, and is lost there.

    ``delay_async`` only leaves a note for the event loop. The test returns a moment later, and a test that returns
    has passed. The loop never ran, so it did not read the note: ``done`` was not called, and could have asserted
    anything.
    """

    def test_delay_async(self):
        """This passes in a millisecond, and tests nothing."""

        def done():
            self.fail("This is never raised.")

        delay_async(DELAY, done)


class LoopByHandTest(PlainLoopTestCase):
    """Step 3. The test runs the loop itself, and the callback stops it when it has seen enough.

    ``start`` returns when ``stop`` is called. This is a true test as long as the code is right. If the code is wrong,
    the assertion raises, and the line below it, which would stop the loop, is not reached. The loop has called the
    callback, and Tornado 6 only logs the exception. The log has the right traceback then, and the test hangs for
    ever.
    """

    def test_delay_async(self):
        """The callback is called when the time has come."""
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.io_loop.stop()

        delay_async(DELAY, done)
        self.io_loop.start()


class ErrorHandlerTest(PlainLoopTestCase):
    """Step 4. The cure in longhand: a handler catches the errors of the callback, which has no caller to do so.

    An ``ExceptionStackContext`` is a ``try`` statement whose block does not end with its last line: it covers all
    that was scheduled inside, whenever that runs. Here its handler records the exception, and stops the loop in
    place of the callback that could not. The test raises it again, for unittest to see.
    """

    def test_delay_async(self):
        """The callback is called when the time has come; if it fails, the test fails, and ends."""
        start = time.monotonic()
        errors = []

        def done():
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.io_loop.stop()

        def handler(typ, value, tb):
            errors.append(value)
            self.io_loop.stop()
            return True  # It is handled: no other handler gets it, and Tornado does not log it.

        with ExceptionStackContext(handler):
            delay_async(DELAY, done)
        self.io_loop.start()
        if errors:
            raise errors[0]


class WaitAndStopTest(AsyncTestCase):
    """Step 5. AsyncTestCase has all of that built in, for each of its tests.

    Each test has a loop of its own, and an error handler around it. ``wait`` runs the loop until the code under test
    calls ``stop``, which is a callback like any other. It raises the error of any callback that fails meanwhile, and
    gives up after some seconds. The test reads like the test of step 1 again: do something, wait for it, look.
    """

    def test_delay_async(self):
        """The callback is called when the time has come."""
        start = time.monotonic()
        delay_async(DELAY, callback=self.stop)
        self.wait()
        self.assertGreaterEqual(time.monotonic() - start, DELAY)

    def test_callback_with_assertion(self):
        """A callback may assert for itself: if it fails, so does wait()."""
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.stop()

        delay_async(DELAY, done)
        self.wait()


class CoroutineTest(AsyncTestCase):
    """Step 6. A test that is a coroutine awaits, and needs neither ``wait`` nor ``stop``.

    ``delay_async`` takes a callback, so here the test awaits an ``Event``.
    """

    async def test_delay_async(self):
        """An ``async def`` needs no decorator; the test ends when the coroutine does."""
        start = time.monotonic()
        passed = asyncio.Event()
        delay_async(DELAY, passed.set)
        await passed.wait()
        self.assertGreaterEqual(time.monotonic() - start, DELAY)

    @gen_test(timeout=10)
    async def test_delay_async_with_timeout(self):
        """With gen_test, a test can have a time limit of its own."""
        start = time.monotonic()
        passed = asyncio.Event()
        delay_async(DELAY, passed.set)
        await passed.wait()
        self.assertGreaterEqual(time.monotonic() - start, DELAY)


class VirtualTimeTest(AsyncTestCase):
    """Step 7. Time need not pass at all: with a virtual clock, a test knows the exact time, and ends at once.

    The clock jumps to the next deadline when the loop has nothing else to do. A delay of an hour takes no time, and
    because nothing is ever late, the test needs no tolerance.
    """

    clock_factory = VirtualClock

    def test_delay_async(self):
        """The callback is called after an hour, to the second and beyond."""
        delay_async(3600, callback=self.stop)
        self.wait()
        self.assertEqual(self.clock.time(), 3600)

    def test_order(self):
        """The callback that is due first is called first, and each at its own time."""
        called = []

        def done(name):
            called.append((name, self.clock.time()))

        delay_async(7200, lambda: done("two hours"))
        delay_async(3600, lambda: done("an hour"))
        delay_async(60, lambda: done("a minute"))
        self.clock.advance(3600)
        self.assertEqual(called, [("a minute", 60), ("an hour", 3600)])
        self.clock.advance(3600)
        self.assertEqual(called[2:], [("two hours", 7200)])
