import _thread
import asyncio
import concurrent.futures
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from tornado import locks, web

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import Features
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._timeouts import other_threads
from asynctest_tornado._timeouts.alarms import ALARMS
from asynctest_tornado._timeouts.deadlock import DEADLOCK
from tests.limits import limit_clock
from tests.samples import stuck
from tests.support import run_body, run_case, run_code

needs_linux = unittest.skipUnless(other_threads._FUTEX, "the system does not say what threads wait for")


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

    @needs_linux
    def test_threads_of_executors_without_a_job_wake_nobody(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            concurrent.futures.wait([executor.submit(int) for _ in range(3)])
            self.check_deadlock(lambda case: case.wait())

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
from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase

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

    def test_a_request_needs_no_function_that_a_test_may_replace(self) -> None:
        class Sample(AsyncHTTPTestCase):
            def get_app(self) -> web.Application:
                return web.Application([("/", web.RequestHandler)], log_function=lambda handler: None)

        def body(case: Sample) -> None:
            with mock.patch("sys._getframe") as replaced:
                case.assertEqual(case.fetch("/").code, 405)
            replaced.assert_not_called()

        result = run_body(Sample, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_deadlock_that_is_found_at_the_limit_is_a_timeout(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(limit_clock.advance, 0.99)
            case.wait(timeout=1)

        with limit_clock.stopped():
            report = run_body(AsyncTestCase, body).report
        self.assertIn("operation timed out after 1 seconds (the argument timeout): this is a deadlock.", report)


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

    def test_a_thread_that_gives_an_executor_a_job(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            executor.submit(int).result()
            threading.Thread(target=lambda: self.go.wait() and executor.submit(self.stop, "of a job")).start()
            self.io_loop.add_callback(self.go.set)
            self.assertEqual(self.wait(), "of a job")

    def test_a_job_that_gives_another_executor_a_job(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as executor, concurrent.futures.ThreadPoolExecutor(1) as other:
            executor.submit(int).result()
            other.submit(lambda: self.go.wait() and executor.submit(self.stop, "of a job"))
            self.io_loop.add_callback(self.go.set)
            self.assertEqual(self.wait(), "of a job")

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


class WatchTest(unittest.TestCase):
    def test_the_end_of_an_inner_test_restores_the_hook_of_the_outer_one(self) -> None:
        def wait(harness: Harness) -> None:
            with self.assertRaisesRegex(TimeoutError, "this is a deadlock"):
                harness.waits.run(asyncio.Event().wait, Limit(0, "the test"))

        features = Features([ALARMS, DEADLOCK])
        with HarnessByHand(lambda: "outer", features=features) as outer:
            with HarnessByHand(lambda: "inner", outer, features) as inner:
                wait(inner)
            wait(outer)
