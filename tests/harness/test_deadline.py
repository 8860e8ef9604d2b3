import _thread
import asyncio
import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from typing import Any
from unittest import mock

from tornado import locks

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._util import debuggers, names
from tests.limits import limit_clock, run_past_limit
from tests.samples import cases, stuck
from tests.support import run_body, run_case, run_code, run_python


class DeadlockTest(unittest.TestCase):
    def check_deadlock(self, body: Any) -> None:
        # Without a limit: only the deadlock can end it.
        result = run_case(type("Sample", (AsyncTestCase,), {"test": body, "async_test_timeout": 0}))
        self.assertIn("this is a deadlock", result.report)

    def test_what_nothing_can_end_is_ended(self) -> None:
        for cls in stuck.EventIsNeverSet, stuck.StopIsNotCalled, stuck.TwoWaitForEachOther, stuck.QueueStaysEmpty:
            with self.subTest(cls.__name__):
                result = run_case(type("Sample", (cls,), {"async_test_timeout": 0}))
                self.assertIn("this is a deadlock", result.report)

    def test_a_loop_that_the_user_runs_is_ended(self) -> None:
        def run_sync(case: AsyncTestCase) -> None:
            case.io_loop.run_sync(asyncio.Event().wait)

        def start(case: AsyncTestCase) -> None:
            case.io_loop.start()

        for body in start, run_sync:
            self.check_deadlock(body)

    def test_a_function_that_the_loop_runs_for_the_user_keeps_its_name(self) -> None:
        result = run_body(AsyncTestCase, lambda case: case.io_loop.run_sync(asyncio.Event().wait))
        self.assertRegex(result.report, r"\n  Event.wait <Task-\d+> \(the test\)")

    def test_the_helpers_of_multiprocessing_wake_nobody(self) -> None:
        done = run_code(POOL)
        self.assertIn("this is a deadlock", done.stderr)
        self.assertIn("Ran 2 tests", done.stderr)

    def test_a_test_that_refuses_to_end_is_abandoned(self) -> None:
        with mock.patch("asynctest_tornado._harness.deadline.CANCEL_RETRY_SECONDS", 0.01):
            report = run_case(cases.RefusesToEndInDeadlock).report
        self.assertRegex(report, "this is a deadlock.*is abandoned")

    def test_a_test_that_is_abandoned_keeps_its_name(self) -> None:
        async def body(case: Any) -> None:
            tasks.append(asyncio.current_task())
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        tasks: list[Any] = []
        with mock.patch("asynctest_tornado._harness.deadline.CANCEL_RETRY_SECONDS", 0.01):
            run_body(AsyncTestCase, body)
        self.assertRegex(names.name_of_task(tasks[0]), r"\.body$")

    def test_the_exception_is_that_of_a_timeout(self) -> None:
        async def forever() -> None:
            await locks.Event().wait()

        def body(case: AsyncTestCase) -> None:
            with case.assertRaisesRegex(AssertionError, "timed out after 60 seconds"):
                case.wait(timeout=60)
            with case.assertRaisesRegex(TimeoutError, "timed out after 60 seconds"):
                case.run_sync(forever, timeout=60)

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])


POOL = """
import concurrent.futures, multiprocessing, os, unittest
from asynctest_tornado import AsyncTestCase

class Sample(AsyncTestCase):
    async_test_timeout = 0

    def test_1(self):
        context = multiprocessing.get_context("forkserver")  # the default, from Python 3.14 on
        with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
            pool.submit(os.getpid).result()

    def test_2(self):
        self.wait()

unittest.main()
"""


class MockTest(unittest.TestCase):
    def test_the_end_of_a_wait_needs_nothing_that_a_test_may_replace(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with case.assertRaisesRegex(AssertionError, "timed out after 0.01 seconds|this is a deadlock"):
                case.wait(timeout=0.01)

        for name in "asyncio.all_tasks", "os.waitid", "signal.getitimer", "signal.valid_signals":
            with self.subTest(name), mock.patch(name, side_effect=RuntimeError("mocked")) as replaced:
                result = run_body(AsyncTestCase, body)
                self.assertEqual(result.verdicts, ["addSuccess"], result.report)
                replaced.assert_not_called()


class NoDeadlockTest(AsyncTestCase):
    """Something outside of the loop can still wake it: it waits."""

    def setUp(self) -> None:
        super().setUp()
        self.go = threading.Event()

    def work(self) -> None:
        self.go.wait()
        self.io_loop.add_callback(self.stop, "of a thread")

    def test_a_thread(self) -> None:
        threading.Thread(target=self.work).start()
        self.io_loop.add_callback(self.go.set)
        self.assertEqual(self.wait(), "of a thread")

    def test_a_thread_that_threading_does_not_know(self) -> None:
        _thread.start_new_thread(self.work, ())
        self.io_loop.add_callback(self.go.set)
        self.assertEqual(self.wait(), "of a thread")

    def test_an_executor(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            self.io_loop.add_future(self.io_loop.run_in_executor(executor, self.go.wait), self.stop)
            self.io_loop.add_callback(self.go.set)
            self.wait()

    def test_a_file_descriptor(self) -> None:
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        with subprocess.Popen([sys.executable, "-c", "print('x')"], stdout=theirs.fileno()):
            theirs.close()
            self.io_loop.add_handler(ours.fileno(), lambda fd, events: self.stop(), self.io_loop.READ)
            self.wait()
            self.io_loop.remove_handler(ours.fileno())

    def test_a_signal_handler_of_the_loop(self) -> None:
        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        loop.add_signal_handler(signal.SIGUSR1, self.stop)
        self.addCleanup(loop.remove_signal_handler, signal.SIGUSR1)
        with subprocess.Popen([sys.executable, "-c", f"import os; os.kill({os.getpid()}, {int(signal.SIGUSR1)})"]):
            self.wait()

    def test_an_alarm(self) -> None:
        before = signal.signal(signal.SIGALRM, lambda *args: self.io_loop.add_callback(self.stop))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        self.wait()

    def test_a_child_process(self) -> None:
        before = signal.signal(signal.SIGCHLD, lambda *args: self.io_loop.add_callback(self.stop))
        self.addCleanup(signal.signal, signal.SIGCHLD, before)
        with subprocess.Popen([sys.executable, "-c", ""]):
            self.wait()

    def test_a_process_that_a_helper_of_multiprocessing_has_begun(self) -> None:
        context = multiprocessing.get_context("forkserver")
        ours, theirs = context.Pipe()
        process = context.Process(target=theirs.recv)
        process.start()
        self.assertTrue(has_children())
        ours.send(None)
        process.join()
        self.assertFalse(has_children())


class UnshowableTest(unittest.TestCase):
    """Code of the user does not get in the way of the report."""

    def test_a_callback_that_is_not_complete_yet(self) -> None:
        async def wait() -> None:
            future = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda future: results.append(future))
            await future
            results: list[Any] = []

        report = run_body(AsyncTestCase, lambda case: case.run_sync(wait, timeout=0)).report
        self.assertIn("this is a deadlock", report)
        self.assertNotIn("cannot be shown", report)

    def test_an_object_that_cannot_be_shown(self) -> None:
        class Unshowable(asyncio.Future[None]):
            def __repr__(self) -> str:
                raise ZeroDivisionError

        async def wait() -> None:
            await Unshowable()

        report = run_body(AsyncTestCase, lambda case: case.run_sync(wait, timeout=0)).report
        self.assertIn("this is a deadlock", report)

    def test_an_argument_of_a_job_is_not_shown_before_it_must_be(self) -> None:
        class Unshowable:
            def __repr__(self) -> str:
                raise ZeroDivisionError

        async def work() -> None:
            await asyncio.to_thread(id, Unshowable())

        self.assertEqual(run_body(AsyncTestCase, lambda case: case.run_sync(work)).verdicts, ["addSuccess"])


class BlockedLoopTest(unittest.TestCase):
    def test_the_blocking_line_is_reported_and_the_test_ended(self) -> None:
        report = run_past_limit(stuck.Blocked, turns=2).report
        self.assertRegex(report, r"time.sleep\(30\)\n(?s:.*)TimeoutError: .*0.1 seconds.*blocked the event loop")

    def test_a_test_that_ends_by_itself_but_too_late_has_timed_out(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            time.sleep(0.01)

        sample = type("Sample", (AsyncTestCase,), {"test": body, "async_test_timeout": 0.005})
        self.assertIn("TimeoutError: Operation timed out after 0.005 seconds", run_case(sample).report)

    def test_a_callback_that_blocks_wait_is_ended(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(limit_clock.advance)
            case.io_loop.add_callback(time.sleep, 30)
            case.wait(timeout=0.2)

        with limit_clock.stopped():
            self.assertIn("blocked the event loop", run_body(AsyncTestCase, body).report)

    def test_whichever_task_blocks_it_the_test_is_ended(self) -> None:
        async def block() -> None:
            await asyncio.sleep(0)
            limit_clock.start()
            time.sleep(30)

        async def in_group() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(block())

        async def gathered() -> None:
            await asyncio.gather(block(), asyncio.sleep(30))

        async def awaited_at_the_end() -> None:
            task = asyncio.ensure_future(block())
            try:
                await asyncio.sleep(30)
            finally:
                await task

        async def blocked_twice() -> None:
            task = asyncio.ensure_future(block())
            try:
                await asyncio.sleep(30)
            finally:
                time.sleep(30)
                await task

        for function in in_group, gathered, awaited_at_the_end, blocked_twice:
            with self.subTest(function.__name__):

                def body(case: AsyncTestCase) -> None:
                    case.run_sync(function, timeout=0.2)  # noqa: B023

                with limit_clock.stopped():
                    result = run_body(AsyncTestCase, body)
                self.assertEqual(result.verdicts, ["addError"])
                self.assertIn("blocked the event loop", result.report)

    def test_one_that_catches_everything_is_told(self) -> None:
        async def block() -> None:
            limit_clock.start()
            try:
                time.sleep(30)
            except BaseException:
                return

        with limit_clock.stopped():
            result = run_body(AsyncTestCase, lambda case: case.run_sync(block, timeout=0.2))
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(result.report, r"caught the KeyboardInterrupt.*\nIt was blocked at:\n(?s:.*)time.sleep\(30\)")

    def test_what_blocks_it_again_in_its_cleanup_is_printed_while_it_hangs(self) -> None:
        done = run_code(IN_CLEANUP)
        self.assertIn("The event loop is still blocked after a KeyboardInterrupt", done.stderr)
        self.assertRegex(done.stderr, r'File "<string>", line \d+, in wait_for_release\n')

    def test_a_forked_child_is_watched_too(self) -> None:
        done = run_code(FORKED)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("blocked the event loop"), 2, done.stderr)

    def test_one_that_keeps_computing_is_ended(self) -> None:
        async def compute() -> None:
            limit_clock.advance()
            while True:
                sum(range(100))

        def body(case: AsyncTestCase) -> None:
            case.run_sync(compute, timeout=0.2)

        with limit_clock.stopped():
            self.assertIn("blocked the event loop", run_body(AsyncTestCase, body).report)

    def test_the_next_test_runs_unharmed(self) -> None:
        run_past_limit(stuck.Blocked, turns=2)
        result = run_body(AsyncTestCase, lambda case: case.run_sync(asyncio.sleep, 0.001))
        self.assertEqual(result.verdicts, ["addSuccess"])

    def test_a_busy_loop_is_not_a_blocked_one(self) -> None:
        async def busy() -> None:
            # Each turn is over soon, but there is always a next one.
            while True:
                await asyncio.sleep(0)

        result = run_body(AsyncTestCase, lambda case: case.run_sync(busy, timeout=0.4))
        self.assertIn("TimeoutError", result.report)
        self.assertNotIn("blocked the event loop", result.report)

    def test_it_is_ended_also_where_ctrl_c_is_ignored_or_handled_by_somebody_else(self) -> None:
        for setting in "signal.signal(signal.SIGINT, signal.SIG_IGN)", "unittest.installHandler()":
            with self.subTest(setting):
                done = run_code(f"{IMPORTS}\n{setting}\n{BLOCKED_AND_DEADLOCKED}")
                self.assertRegex(done.stderr, r", in test_1\n( .*\n)*TimeoutError: .*blocked the event loop\n")
                # A signal that was set up for that could wake no loop.
                self.assertIn("this is a deadlock", done.stderr)
                self.assertIn("FAILED (errors=2)", done.stderr)
                self.assertEqual(done.stdout, "True\n")

    def test_in_another_thread_the_report_is_printed_while_it_hangs(self) -> None:
        done = run_code(IN_A_THREAD)
        self.assertIn("The event loop is blocked: 0.1 seconds are over", done.stderr)
        self.assertRegex(done.stderr, r'File "<string>", line \d+, in test\n')


IMPORTS = """
import asyncio, signal, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test
from tests.limits import limit_clock
"""

BLOCKED_AND_DEADLOCKED = """
before = signal.getsignal(signal.SIGINT)

class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test_1(self):
        limit_clock.start()
        time.sleep(30)

    @gen_test(timeout=30)
    async def test_2(self):
        await asyncio.Event().wait()

with limit_clock.stopped():
    unittest.main(exit=False)
print(signal.getsignal(signal.SIGINT) is before)
"""

#: Lets a test go on that blocks its loop, as soon as the report says so.
RELEASE = """
import sys, threading, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test
from tests.limits import limit_clock

release = threading.Event()

class Stderr:
    def write(self, text):
        sys.__stderr__.write(text)
        if "blocked" in text:
            release.set()
    def flush(self):
        sys.__stderr__.flush()

sys.stderr = Stderr()
"""

IN_A_THREAD = f"""{RELEASE}
class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test(self):
        limit_clock.start()
        release.wait()

thread = threading.Thread(target=Sample("test").run)
with limit_clock.stopped():
    thread.start()
    thread.join()
"""

IN_CLEANUP = f"""{RELEASE}
class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test(self):
        limit_clock.start()
        try:
            time.sleep(30)
        finally:
            self.wait_for_release()

    def wait_for_release(self):
        release.wait()

with limit_clock.stopped():
    Sample("test").run()
"""

FORKED = """
import os, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test
from tests.limits import limit_clock

class Sample(AsyncTestCase):
    @gen_test(timeout=0.1)
    async def test(self):
        limit_clock.start()
        time.sleep(30)

def run():
    with limit_clock.stopped():
        unittest.TextTestRunner().run(Sample("test"))

run()
pid = os.fork()
if pid == 0:
    run()
    os._exit(0)
os.waitpid(pid, 0)
"""


class InterruptTest(unittest.TestCase):
    def test_ctrl_c_ends_the_run_and_shows_where_the_test_stood(self) -> None:
        done = run_code(INTERRUPTED)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("KeyboardInterrupt", done.stderr)
        self.assertRegex(done.stderr, r"KeyboardInterrupt\nPending tasks:\n.*\n.* in test_1.*\n.* in helper")
        self.assertNotIn("second test", done.stdout)


INTERRUPTED = """
import asyncio, os, signal, threading, unittest
from asynctest_tornado import AsyncTestCase

class Sample(AsyncTestCase):
    async def helper(self):
        self.io_loop.add_callback(threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start)
        await asyncio.Event().wait()

    async def test_1(self):
        await self.helper()

    def test_2(self):
        print("second test")

unittest.main()
"""


class DebuggerTest(unittest.TestCase):
    def test_time_stands_still_under_a_debugger(self) -> None:
        done = run_python("-c", DEBUGGED)
        self.assertRegex(done.stderr, r"Ran 1 test in .*\n\nOK\n", done.stderr)

    def test_a_coverage_tool_is_no_debugger(self) -> None:
        def trace(frame: Any, event: str, arg: Any) -> None:
            return None

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            self.assertFalse(debuggers.are_attached())
        finally:
            sys.settrace(before)


DEBUGGED = """
import asyncio, bdb, sys, unittest
from asynctest_tornado import AsyncTestCase, gen_test

class Debugger(bdb.Bdb):
    pass

class Sample(AsyncTestCase):
    @gen_test(timeout=0.01)
    async def test(self):
        await asyncio.sleep(0.1)

debugger = Debugger()
debugger.reset()
sys.settrace(debugger.trace_dispatch)
unittest.main()
"""
