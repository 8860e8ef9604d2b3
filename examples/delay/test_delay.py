"""The road from a plain test to an asynchronous one, in seven steps. All tests pass; one should not be trusted."""

import asyncio
import time
import types
import unittest

from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, VirtualClock, gen_test
from examples.delay.delay import delay, delay_async

#: Seconds. A delay may take longer, since a busy machine is late; what ends sooner is wrong.
DELAY = 0.5


class BlockingTest(unittest.TestCase):
    """Step 1. Code that is done when it returns: do something, then look at what it did."""

    def test_delay(self) -> None:
        """The delay takes at least as long as it was asked to."""
        start = time.monotonic()
        delay(DELAY)
        self.assertGreaterEqual(time.monotonic() - start, DELAY)


class PlainLoopTestCase(unittest.TestCase):
    """What a plain TestCase has to do by hand to give each test an event loop of its own."""

    def setUp(self) -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        self.io_loop = IOLoop.current()

    def tearDown(self) -> None:
        asyncio.set_event_loop(None)
        self.io_loop.close(all_fds=True)


class LoopNeverRunsTest(PlainLoopTestCase):
    """Step 2. The same for code that calls back: the assertion moves into the callback, and is lost there.

    ``delay_async`` only leaves a note for the event loop. The test returns a moment later, and a test that returns
    has passed. Since nobody ever ran the loop, nobody read the note: ``done`` was not called, and it could have
    asserted anything.
    """

    def test_delay_async(self) -> None:
        """This passes in a millisecond, and tests nothing."""

        def done() -> None:
            self.fail("Nobody will ever see this.")

        delay_async(DELAY, done)


class LoopByHandTest(PlainLoopTestCase):
    """Step 3. The test runs the loop itself, and the callback stops it when it has seen enough.

    ``start`` returns when somebody calls ``stop``. This is a true test as long as the code is right. When it is
    wrong, the assertion raises, the line below it is not reached, and the loop is not stopped. Nor does anybody
    else stop it: the callback was called by the loop, and all that Tornado 6 does about the exception is to log it.
    The log has the right traceback then, and the test hangs for ever.
    """

    def test_delay_async(self) -> None:
        """The callback is called when the time has come."""
        start = time.monotonic()

        def done() -> None:
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.io_loop.stop()

        delay_async(DELAY, done)
        self.io_loop.start()


class ErrorHandlerTest(PlainLoopTestCase):
    """Step 4. The cure in longhand: somebody must catch for the callback what has no caller to catch it.

    An ``ExceptionStackContext`` is a ``try`` statement whose block does not end with its last line: it covers all
    that was scheduled inside, whenever that runs. Here its handler keeps the exception, and stops the loop in place
    of the callback that could not. The test raises it again, for unittest to see.
    """

    def test_delay_async(self) -> None:
        """The callback is called when the time has come; if it fails, the test fails, and ends."""
        start = time.monotonic()
        errors: list[BaseException] = []

        def done() -> None:
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.io_loop.stop()

        def handler(typ: type[BaseException], value: BaseException, tb: types.TracebackType | None) -> bool:
            errors.append(value)
            self.io_loop.stop()
            return True  # It is dealt with: no other handler gets it, and Tornado does not log it.

        with ExceptionStackContext(handler):
            delay_async(DELAY, done)
        self.io_loop.start()
        if errors:
            raise errors[0]


class WaitAndStopTest(AsyncTestCase):
    """Step 5. AsyncTestCase has all of that built in, for each of its tests.

    Each test has a loop of its own, and an error handler around it. ``wait`` runs the loop until the code under
    test calls ``stop``, which is a callback like any other; it raises what any callback raised meanwhile; and it
    gives up after some seconds. The test reads like the one of step 1 again: do something, wait for it, look.
    """

    def test_delay_async(self) -> None:
        """The callback is called when the time has come."""
        start = time.monotonic()
        delay_async(DELAY, callback=self.stop)
        self.wait()
        self.assertGreaterEqual(time.monotonic() - start, DELAY)

    def test_callback_with_assertion(self) -> None:
        """A callback may assert for itself: if it fails, so does wait()."""
        start = time.monotonic()

        def done() -> None:
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.stop()

        delay_async(DELAY, done)
        self.wait()


class CoroutineTest(AsyncTestCase):
    """Step 6. A test that is a coroutine awaits, and needs neither ``wait`` nor ``stop``.

    ``delay_async`` takes a callback, so an ``Event`` is what the test can await here.
    """

    async def test_delay_async(self) -> None:
        """An ``async def`` needs no decorator; the test ends when the coroutine does."""
        start = time.monotonic()
        passed = asyncio.Event()
        delay_async(DELAY, passed.set)
        await passed.wait()
        self.assertGreaterEqual(time.monotonic() - start, DELAY)

    @gen_test(timeout=10)
    async def test_delay_async_with_timeout(self) -> None:
        """With gen_test, a test can have a time limit that is not that of its class."""
        start = time.monotonic()
        passed = asyncio.Event()
        delay_async(DELAY, passed.set)
        await passed.wait()
        self.assertGreaterEqual(time.monotonic() - start, DELAY)


class VirtualTimeTest(AsyncTestCase):
    """Step 7. Time need not pass at all: with a clock of its own, a test is told the very moment, at once.

    The clock jumps to the next deadline when the loop has nothing else to do. What takes an hour takes no time, and
    as nothing is ever late, there is nothing to tolerate either.
    """

    clock_factory = VirtualClock

    def test_delay_async(self) -> None:
        """The callback is called after an hour, to the second and beyond."""
        delay_async(3600, callback=self.stop)
        self.wait()
        self.assertEqual(self.clock.time(), 3600)

    def test_order(self) -> None:
        """What is due first comes first, each at its own time."""
        called: list[tuple[str, float]] = []

        def done(what: str) -> None:
            called.append((what, self.clock.time()))

        delay_async(7200, lambda: done("two hours"))
        delay_async(3600, lambda: done("an hour"))
        delay_async(60, lambda: done("a minute"))
        self.clock.advance(3600)
        self.assertEqual(called, [("a minute", 60), ("an hour", 3600)])
        self.clock.advance(3600)
        self.assertEqual(called[2:], [("two hours", 7200)])
