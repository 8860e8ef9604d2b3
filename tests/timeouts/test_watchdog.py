import os
import signal
import subprocess
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._timeouts import blocked_code, watchdog
from asynctest_tornado._util.stacks import outwards
from tests.limits import limit_clock
from tests.support import run_body, run_code


class ForkTest(unittest.TestCase):
    """A fork sees no thread of this library: from Python 3.12 on, it warns of threads."""

    def check(self, body: str, *expected: str) -> None:
        done = run_code(FORKS.replace("BODY", body))
        for text in expected or (r"Ran 2 tests in .*\n\nOK\n",):
            self.assertRegex(done.stderr, text)
        self.assertNotIn("multi-threaded", done.stderr)
        counts = set(done.stdout.split())
        self.assertEqual(counts, {"1"}, done.stderr)

    def test_between_waits(self) -> None:
        self.check("def test_2(self):\n        fork()")

    def test_in_a_wait(self) -> None:
        self.check("async def test_2(self):\n        fork()\n        await asyncio.sleep(0)\n        fork()")

    def test_of_multiprocessing(self) -> None:
        code = "process = multiprocessing.get_context('fork').Process(target=int)"
        self.check(f"async def test_2(self):\n        {code}\n        process.start()\n        process.join()")

    def test_the_loop_is_watched_again_afterwards(self) -> None:
        body = "async def test_2(self):\n        fork()\n        limit_clock.start()\n        time.sleep(30)"
        self.check(body, r", in test_2\n( .*\n)*TimeoutError: .*this line blocked the event loop")

    def test_in_the_next_callback_too(self) -> None:
        body = "async def test_2(self):\n        await asyncio.sleep(0)\n        fork()\n        fork()\n"
        body += "        limit_clock.start()\n        time.sleep(30)"
        self.check(body, "this line blocked the event loop")


FORKS = """
import asyncio, multiprocessing, os, time, unittest, warnings
from asynctest_tornado import AsyncTestCase
from tests.limits import limit_clock

warnings.simplefilter("error")

def count():
    print(len(os.listdir("/proc/self/task")), flush=True)

# Called by a fork at its very end, where it counts the threads itself.
os.register_at_fork(after_in_parent=count)

def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

class Sample(AsyncTestCase):
    async_test_timeout = 0.2

    async def test_1(self):
        await asyncio.sleep(0)

    BODY

with limit_clock.stopped():
    unittest.main()
"""


class LateInterruptionTest(unittest.TestCase):
    """An interruption that arrives after the end of the callback changes nothing."""

    def test_as_the_library_stops(self) -> None:
        ends, stops = threading.Event(), threading.Event()
        interrupt, stop = blocked_code.interrupt, watchdog.stop

        def interrupt_late(*args: Any) -> Any:
            ends.set()
            stops.wait()
            return interrupt(*args)

        def stop_and_say(watch: Any) -> None:
            stops.set()
            stop(watch)

        async def block() -> str:
            limit_clock.start()
            ends.wait()
            return "ended"

        def body(case: AsyncTestCase) -> None:
            case.run_sync(block, timeout=0.1)

        with (
            limit_clock.stopped(),
            mock.patch.object(blocked_code, "interrupt", interrupt_late),
            mock.patch.object(watchdog, "stop", stop_and_say),
        ):
            result = run_body(AsyncTestCase, body)
        self.assertNotIn("KeyboardInterrupt", result.report)
        self.assertEqual(watchdog._watches, [])
        self.assertTrue(stops.is_set())
        self.assertEqual(run_body(AsyncTestCase, lambda case: case.run_sync(sleep)).verdicts, ["addSuccess"])

    def test_in_another_callback(self) -> None:
        blocked_code.prepare()
        thread = threading.get_ident()
        frame = sys._getframe()

        def of_another() -> None:
            interruption = blocked_code.interrupt(thread, another)
            self.assertIsNotNone(interruption)
            self.assertIs(interruption.has_raised, False)  # type: ignore[union-attr]

        def other() -> Any:
            return sys._getframe()

        another = other()
        of_another()
        callback = blocked_code.callback_frame(outwards(frame))
        assert callback is not None
        # Sent while the callback calls this library, it is for none of its functions; then it is.
        self.assertIs(blocked_code.interrupt(thread, callback).has_raised, False)  # type: ignore[union-attr]
        blocked_code._sent.append(blocked_code.Interruption(callback))
        assert blocked_code.stand_in is not None
        with self.assertRaises(KeyboardInterrupt):
            signal.raise_signal(blocked_code.stand_in)

    def test_ctrl_c_stays_with_the_user(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        blocked_code.prepare()
        self.assertIs(signal.getsignal(signal.SIGINT), before)
        self.assertNotEqual(blocked_code.stand_in, signal.SIGINT)


async def sleep() -> None:
    pass


class StressTest(unittest.TestCase):
    def test_many_starts_and_stops(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.watchdog", "300"],
            capture_output=True,
            text=True,
            env=os.environ,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
