import asyncio
import concurrent.futures
import contextvars
import gc
import queue
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, ExpectError
from tests.samples import cases
from tests.support import RecordingResult, run_body, run_code, run_python


class Bad:
    """An object whose finalizer fails."""

    def __init__(self, name: str = "planted") -> None:
        self.name = name

    def __del__(self) -> None:
        raise ValueError(self.name)


class ThreadTest(unittest.TestCase):
    def test_an_error_in_a_thread_fails_the_test(self) -> None:
        def body(case: AsyncTestCase) -> None:
            thread = threading.Thread(target=cases.boom)
            thread.start()
            thread.join()

        self.assertRegex(run_body(AsyncTestCase, body).report, r"in boom\n(?s:.*)ValueError: planted")

    def test_it_ends_the_waiting_at_once(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(threading.Thread(target=cases.boom).start)
            case.wait(timeout=0)

        self.assertIn("planted", run_body(AsyncTestCase, body).report)

    def test_it_can_be_expected(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with ExpectError(ValueError, "planted"):
                thread = threading.Thread(target=cases.boom)
                thread.start()
                thread.join()

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_thread_of_nobody_goes_to_the_hook_that_was_there(self) -> None:
        seen: list[Any] = []
        with mock.patch.object(threading, "excepthook", seen.append):
            run_body(AsyncTestCase, lambda case: None)
            thread = threading.Thread(target=cases.boom)
            thread.start()
            thread.join()
        self.assertEqual([args.exc_type for args in seen], [ValueError])

    def test_an_exit_of_a_thread_is_no_error(self) -> None:
        def body(case: AsyncTestCase) -> None:
            thread = threading.Thread(target=sys.exit)
            thread.start()
            thread.join()

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_thread_that_fails_after_its_test_is_reported_for_its_test(self) -> None:
        go = threading.Event()
        threads: list[threading.Thread] = []

        class Sample(AsyncTestCase):
            leaks = "ignore"

            def test_guilty(self) -> None:
                threads.append(threading.Thread(target=self.fail_late))
                threads[0].start()

            def fail_late(self) -> None:
                go.wait()
                raise ValueError("late")

            def test_innocent(self) -> None:
                go.set()
                threads[0].join()

        result = RecordingResult()
        Sample("test_guilty").run(result)
        Sample("test_innocent").run(result)
        self.assertEqual(result.verdicts, ["addSuccess", "addSuccess", "addError"])
        self.assertEqual(result.events[-4:], ["stopTest", "startTest", "addError", "stopTest"])
        self.assertTrue(result.errors[0][0].id().endswith("test_guilty"))

    def test_a_thread_that_outlives_its_test_works_for_whoever_comes(self) -> None:
        jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        thread = threading.Thread(target=lambda: [job() for job in iter(jobs.get, None)])

        class Sample(AsyncTestCase):
            leaks = "ignore"

            def test_first(self) -> None:
                thread.start()

            def test_second(self) -> None:
                jobs.put(lambda: self.io_loop.add_callback(cases.boom))
                with ExpectError(ValueError, "planted"):
                    self.io_loop.add_callback(jobs.put, lambda: self.io_loop.add_callback(self.stop))
                    self.wait()

            def test_third(self) -> None:
                jobs.put(lambda: self.io_loop.add_callback(cases.boom))
                self.wait()

        result = RecordingResult()
        for name in "test_first", "test_second", "test_third":
            Sample(name).run(result)
        jobs.put(None)
        thread.join()
        self.assertEqual(result.verdicts, ["addSuccess", "addSuccess", "addError"], result.report)
        self.assertTrue(result.errors[0][0].id().endswith("test_third"))

    def test_a_thread_of_a_pool_works_for_whoever_comes(self) -> None:
        pool = self.enterContext(concurrent.futures.ThreadPoolExecutor(1))

        class Sample(AsyncTestCase):
            loop_scope = "class"

            def test_first(self) -> None:
                pool.submit(int).result()

            def test_second(self) -> None:
                pool.submit(self.io_loop.add_callback, cases.boom)
                self.wait()

        result = RecordingResult()
        unittest.TestSuite(map(Sample, ("test_first", "test_second"))).run(result)
        self.assertEqual(result.verdicts, ["addSuccess", "addError"], result.report)

    @unittest.skipIf(sys.version_info < (3, 14), "threads are not given contexts")
    def test_a_context_that_a_thread_was_given_is_left_as_it_was(self) -> None:
        context = contextvars.Context()
        options: Any = {"target": cases.boom, "context": context}

        def body(case: AsyncTestCase) -> None:
            thread = threading.Thread(**options)
            thread.start()
            thread.join()

        self.assertIn("planted", run_body(AsyncTestCase, body).report)
        self.assertEqual(list(context), [])

    @unittest.skipIf(sys.version_info < (3, 14), "threads are not given contexts")
    def test_a_context_that_a_thread_was_given_says_who_handles_its_errors(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with ExceptionStackContext(lambda typ, value, tb: typ is ValueError):
                options: Any = {"target": cases.boom, "context": contextvars.copy_context()}
            thread = threading.Thread(**options)
            thread.start()
            thread.join()

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_hook_of_the_user_may_call_the_one_before(self) -> None:
        for name in "threading.excepthook", "sys.unraisablehook":
            with self.subTest(name):
                done = run_code(WRAPPED.replace("HOOK", name))
                self.assertIn("ValueError: planted", done.stderr)
                self.assertNotIn("RecursionError", done.stderr)
                self.assertRegex(done.stderr, r"Ran 2 tests in .*\n\nOK\n")


WRAPPED = """
import sys, threading, unittest
from asynctest_tornado import AsyncTestCase

class Bad:
    def __del__(self):
        raise ValueError("planted")

def fail():
    raise ValueError("planted")

class Sample(AsyncTestCase):
    def test_1(self):
        before = HOOK
        HOOK = lambda args: before(args)

class Plain(unittest.TestCase):
    def test_2(self):
        Sample("test_1").run(unittest.TestResult())
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        Bad()

unittest.main()
"""


class ForkTest(unittest.TestCase):
    def test_a_child_process_runs_tests_whatever_another_thread_of_its_parent_was_at(self) -> None:
        done = run_code(FORKED)
        self.assertIn("OK", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)


FORKED = """
import os, threading, unittest, warnings
from asynctest_tornado import AsyncTestCase
from asynctest_tornado._errors import trap as _trap
from asynctest_tornado._harness import feature

held, let_go = threading.Event(), threading.Event()

def add_an_error(trap):
    with trap._lock:
        held.set()
        let_go.wait()

class Sample(AsyncTestCase):
    async def test(self):
        pass

threading.Thread(target=add_an_error, args=[_trap.Trap(lambda: "a test of the parent", feature.NO_FEATURES)]).start()
held.wait()
warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on: that there is a thread
child = os.fork()
if child == 0:
    unittest.TextTestRunner().run(Sample("test"))
    os._exit(0)
status = os.waitpid(child, 0)[1]
let_go.set()
os._exit(os.waitstatus_to_exitcode(status))
"""


class FinalizerTest(unittest.TestCase):
    def test_a_finalizer_that_fails_fails_the_test(self) -> None:
        def body(case: AsyncTestCase) -> None:
            Bad()

        self.assertIn("ValueError: planted", run_body(AsyncTestCase, body).report)

    def test_garbage_of_the_only_test_since_the_last_collection_is_its_own(self) -> None:
        def body(case: AsyncTestCase) -> None:
            gc.collect()  # objects that this very test may have left
            bad: Any = Bad()
            bad.me = bad
            del bad
            gc.collect()

        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addError"])

    def test_garbage_is_not_of_a_test_that_was_interrupted_before(self) -> None:
        def be_interrupted(case: AsyncTestCase) -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            run_body(AsyncTestCase, be_interrupted)
        self.test_garbage_of_the_only_test_since_the_last_collection_is_its_own()

    def test_garbage_that_may_be_of_several_tests_is_nobodys_fault_and_not_lost(self) -> None:
        def leave(case: AsyncTestCase) -> None:
            gc.collect()  # objects that this very test may have left
            bad: Any = Bad()
            bad.me = bad

        def collect(case: AsyncTestCase) -> None:
            gc.collect()

        class Sample(AsyncTestCase):
            test_guilty, test_innocent = leave, collect

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        result = RecordingResult()
        Sample("test_guilty").run(result)
        Sample("test_innocent").run(result)
        self.assertEqual(result.verdicts, ["addSuccess", "addSuccess", "addError"])
        self.assertRegex(str(result.errors[0][0]), r"^test_guilty .* or a later test up to test_innocent")
        self.assertRegex(result.report, "one of these tests, .*test_guilty, .*test_innocent")

    def test_a_warning_that_is_an_error_is_no_error_of_the_test(self) -> None:
        class Warns:
            def __del__(self) -> None:
                raise ResourceWarning("left open")

        def body(case: AsyncTestCase) -> None:
            Warns()

        with mock.patch.object(sys, "unraisablehook") as hook:
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])
        hook.assert_called_once()


@unittest.skipIf(sys.version_info < (3, 14), "there are no such flags")
class FlagsTest(unittest.TestCase):
    """Options that are the default of an interpreter without a global lock, and that others have on request."""

    def test_the_verdicts_are_the_same_where_threads_and_warnings_keep_to_contexts(self) -> None:
        flags = "-X", "thread_inherit_context=1", "-X", "context_aware_warnings=1"
        tests = [f"{__name__}.{cls.__qualname__}" for cls in (ThreadTest, FinalizerTest)]
        done = run_python(*flags, "-W", "error", "-m", "unittest", *tests, "tests.sources.test_unawaited_coroutines")
        self.assertRegex(done.stderr, r"Ran \d\d tests in .*\n\nOK\n")


class LateTest(unittest.TestCase):
    def test_a_future_that_is_dropped_after_its_test_is_reported_for_it(self) -> None:
        kept: list[Any] = []

        class Sample(AsyncTestCase):
            async def test_guilty(self) -> None:
                future = asyncio.get_running_loop().create_future()
                future.set_exception(ValueError("late"))
                kept.append(future)

            def test_innocent(self) -> None:
                kept.clear()

        result = RecordingResult()
        Sample("test_guilty").run(result)
        Sample("test_innocent").run(result)
        self.assertEqual(result.verdicts, ["addSuccess", "addSuccess", "addError"])
        self.assertTrue(result.errors[0][0].id().endswith("test_guilty"))

    def test_a_shared_loop_blames_the_test_that_scheduled(self) -> None:
        for call_later in "io_loop.call_later", "asyncio_loop.call_later":
            with self.subTest(call_later):
                done = run_code(SHARED.replace("CALL_LATER", call_later))
                self.assertIn("ERROR: test_guilty", done.stderr)
                self.assertNotIn("ERROR: test_innocent", done.stderr)
                self.assertEqual(done.stderr.count("ValueError: planted"), 1, done.stderr)
                self.assertEqual(done.returncode, 1)

    def test_a_late_error_is_not_what_another_test_expects(self) -> None:
        for expectation in "ExpectLog('tornado.application', '.*', required=False)", "self.assertLogs(level='ERROR')":
            with self.subTest(expectation):
                waits = "self.io_loop.call_later(0.1, self.stop)\n        "
                expects = f"{waits}with {expectation}:\n            "
                code = SHARED.replace("CALL_LATER", "io_loop.call_later").replace(waits, expects)
                self.assertIn("ERROR: test_guilty", run_code(code).stderr)

    def test_a_transport_blames_the_test_that_made_it(self) -> None:
        done = run_code(TRANSPORT)
        self.assertIn("ERROR: test_guilty", done.stderr)
        self.assertNotIn("ERROR: test_innocent", done.stderr)

    def test_an_error_after_the_last_test_is_reported_at_the_end_of_the_run(self) -> None:
        done = run_code(LAST)
        self.assertIn("ERROR: test_guilty", done.stderr)
        self.assertEqual(done.returncode, 1)


SHARED = """
import asyncio, unittest
from tornado.ioloop import IOLoop
from asynctest_tornado import AsyncTestCase, ExpectLog

asyncio_loop = asyncio.new_event_loop()
io_loop = IOLoop(make_current=False, asyncio_loop=asyncio_loop)

class Shared(AsyncTestCase):
    leaks = "ignore"

    def get_new_ioloop(self):
        return io_loop

    def test_guilty(self):
        def boom():
            raise ValueError("planted")
        CALL_LATER(0.02, boom)
        self.io_loop.add_callback(self.stop)
        self.wait()

    def test_innocent(self):
        self.io_loop.call_later(0.1, self.stop)
        self.wait()

unittest.main(verbosity=2, exit=False)
io_loop.close()
raise SystemExit(1)
"""

TRANSPORT = """
import asyncio, socket, unittest
from tornado.ioloop import IOLoop
from asynctest_tornado import AsyncTestCase

asyncio_loop = asyncio.new_event_loop()
io_loop = IOLoop(make_current=False, asyncio_loop=asyncio_loop)
ours, theirs = socket.socketpair()

class Protocol(asyncio.Protocol):
    def data_received(self, data):
        raise ValueError("planted")

class Shared(AsyncTestCase):
    leaks = "ignore"

    def get_new_ioloop(self):
        return io_loop

    async def test_guilty(self):
        self.transport, _ = await asyncio_loop.connect_accepted_socket(Protocol, theirs)

    async def test_innocent(self):
        ours.send(b"x")
        await asyncio.sleep(0.05)

unittest.main(exit=False)
io_loop.close()
"""

LAST = """
import unittest
from asynctest_tornado import AsyncTestCase

class Bad:
    def __del__(self):
        raise ValueError("planted")

class Sample(AsyncTestCase):
    def test_guilty(self):
        self.bad = Bad()

unittest.main()
"""
