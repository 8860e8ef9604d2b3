import asyncio
import threading
import unittest
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from asynctest_tornado import AsyncTestCase, ExceptionStackContext
from tests.samples import cases
from tests.support import RecordingResult, run_body, run_code


def fail(future: object) -> None:
    cases.boom()


class CallbacksTest(unittest.TestCase):
    """Whichever thread runs a callback of a future, its error belongs to the test that added it."""

    def check(self, body: Any) -> None:
        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(result.report, r"in boom\n(?s:.*)ValueError: planted")

    def test_in_a_thread_of_the_pool(self) -> None:
        def body(case: AsyncTestCase) -> None:
            go = threading.Event()
            with ThreadPoolExecutor(1) as pool:
                pool.submit(go.wait).add_done_callback(fail)
                go.set()

        self.check(body)

    def test_in_the_thread_of_the_test(self) -> None:
        def body(case: AsyncTestCase) -> None:
            future: Future[None] = Future()
            future.set_result(None)
            future.add_done_callback(fail)

        self.check(body)

    def test_of_a_future_that_a_job_makes(self) -> None:
        def job() -> None:
            future: Future[None] = Future()
            future.add_done_callback(fn=fail)
            future.set_result(None)

        async def by_loop(case: AsyncTestCase) -> None:
            await asyncio.get_running_loop().run_in_executor(None, job)

        async def by_thread(case: AsyncTestCase) -> None:
            await asyncio.to_thread(job)

        async def by_tornado(case: AsyncTestCase) -> None:
            await case.io_loop.run_in_executor(None, job)

        def by_pool(case: AsyncTestCase) -> None:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(job)

        for body in by_loop, by_thread, by_tornado, by_pool:
            with self.subTest(body.__name__):
                self.check(body)

    def test_of_a_pool_of_processes(self) -> None:
        done = run_code(PROCESSES)
        self.assertRegex(done.stderr, r"(?s)ERROR: test_guilty.*ValueError: planted")
        self.assertNotIn("ERROR: test_innocent", done.stderr)

    def test_each_is_under_the_contexts_of_the_code_that_added_it(self) -> None:
        seen: list[type[BaseException]] = []

        def take(typ: type[BaseException], value: BaseException, tb: object) -> bool:
            seen.append(typ)
            return True

        def body(case: AsyncTestCase) -> None:
            future: Future[None] = Future()
            with ExceptionStackContext(take):
                future.add_done_callback(fail)
            thread = threading.Thread(target=future.set_result, args=[None])
            thread.start()
            thread.join()

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])
        self.assertEqual(seen, [ValueError])

    def test_it_is_the_test_that_added_it_if_another_one_runs_by_then(self) -> None:
        future: Future[None] = Future()

        class Sample(AsyncTestCase):
            def test_guilty(self) -> None:
                future.add_done_callback(fail)

            def test_innocent(self) -> None:
                future.set_result(None)

        result = RecordingResult()
        Sample("test_guilty").run(result)
        Sample("test_innocent").run(result)
        self.assertEqual(result.verdicts, ["addSuccess", "addSuccess", "addError"])
        self.assertTrue(result.errors[0][0].id().endswith("test_guilty"))

    def test_it_can_be_expected(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with case.assertLogs("concurrent.futures"), ThreadPoolExecutor(1) as pool:
                pool.submit(int).add_done_callback(fail)

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_outside_of_tests_a_future_gets_the_very_function(self) -> None:
        future: Any = Future()
        future.add_done_callback(fail)
        self.assertEqual(future._done_callbacks, [fail])


PROCESSES = """
import multiprocessing, unittest
from concurrent.futures import ProcessPoolExecutor
from asynctest_tornado import AsyncTestCase

def fail(future):
    raise ValueError("planted")

class Sample(AsyncTestCase):
    leaks = "ignore"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = cls.enterClassContext(ProcessPoolExecutor(1, multiprocessing.get_context("spawn")))

    def test_a(self):
        self.pool.submit(int).result()

    def test_guilty(self):
        future = self.pool.submit(int)
        future.add_done_callback(fail)
        future.result()

    def test_innocent(self):
        self.pool.submit(int).result()

if __name__ == "__main__":
    unittest.main()
"""


class JobsTest(unittest.TestCase):
    def test_a_thread_that_a_job_starts_is_the_tests(self) -> None:
        def body(case: AsyncTestCase) -> None:
            thread = threading.Thread(target=cases.boom)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(thread.start).result()
                thread.join()

        self.assertIn("ValueError: planted", run_body(AsyncTestCase, body).report)

    def test_arguments_of_any_name(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with ThreadPoolExecutor(1) as pool:
                case.assertEqual(pool.submit(dict, fn=1, func=2, chain=3, self=4).result()["fn"], 1)

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_what_is_no_function_is_refused_as_ever(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with ThreadPoolExecutor(1) as pool:
                case.assertIsInstance(pool.submit(None).exception(), TypeError)  # type: ignore[arg-type]

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])


class ClassTest(unittest.TestCase):
    """Threads and jobs that setUpClass has begun belong to the class."""

    class Begins(AsyncTestCase):
        """Begins a thread that fails as the test runs."""

        calls_base = True
        is_async = False
        end: Any

        @classmethod
        def setUpClass(cls) -> None:
            if cls.calls_base:
                super().setUpClass()
            if not cls.is_async:
                cls.begin()

        @classmethod
        def boom(cls) -> None:
            cases.boom()

        @classmethod
        def begin(cls) -> None:
            go = threading.Event()

            def run() -> None:
                go.wait()
                cases.boom()

            thread = threading.Thread(target=run)
            thread.start()

            def end() -> None:
                go.set()
                thread.join()

            cls.end = end

        def test(self) -> None:
            type(self).end()

    def run_class(self, **attributes: Any) -> RecordingResult:
        cls = type("Sample", (self.Begins,), attributes)
        result = RecordingResult()
        unittest.TestSuite([cls("test")]).run(result)
        return result

    def check(self, result: RecordingResult) -> None:
        self.assertEqual(result.verdicts, ["addSuccess", "addError"], result.report)
        self.assertRegex(str(result.errors[0][0]), r"tearDownClass \(.*Sample\)")
        self.assertIn("ValueError: planted", result.report)

    def test_a_thread(self) -> None:
        self.check(self.run_class())

    def test_a_thread_of_a_class_that_does_not_call_its_base(self) -> None:
        self.check(self.run_class(calls_base=False))

    def test_a_thread_of_a_class_with_a_loop(self) -> None:
        self.check(self.run_class(loop_scope="class"))

    def test_a_thread_of_a_coroutine(self) -> None:
        async def begin(cls: Any) -> None:
            cls.begin()

        self.check(self.run_class(loop_scope="class", is_async=True, asyncSetUpClass=classmethod(begin)))

    def test_a_callback_of_a_future(self) -> None:
        def begin(cls: Any) -> None:
            future: Future[None] = Future()
            future.add_done_callback(lambda future: cls.boom())
            cls.end = lambda: future.set_result(None)

        self.check(self.run_class(begin=classmethod(begin)))

    def test_a_thread_that_ignores_warnings_may_drop_a_coroutine(self) -> None:
        async def helper() -> None: ...

        def run() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                helper()  # type: ignore[unused-coroutine]

        def begin(cls: Any) -> None:
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            cls.end = lambda: None

        result = self.run_class(begin=classmethod(begin))
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_the_cleanups_of_the_class_come_first(self) -> None:
        def test(case: Any) -> None:
            type(case).addClassCleanup(type(case).end)

        self.check(self.run_class(test=test))

    def test_each_class_has_its_own(self) -> None:
        result = self.run_class()
        self.check(result)
        self.assertNotIn("_asynctest_class_trap", vars(self.Begins))
