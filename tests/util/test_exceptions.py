import asyncio
import dataclasses
import pickle
import threading
import unittest
from typing import Any

from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExceptionStackContext, gen_test
from asynctest_tornado._errors import notes
from asynctest_tornado._util import exception_notes
from tests.support import RecordingResult, run_body


class ExplanationTest(unittest.TestCase):
    """Notes in which hypothesis names lines that have run only if the test has failed."""

    def left(self, *files: str) -> list[str]:
        title = "    These lines were always and only run by failing test cases:"
        error = ValueError()
        error.__notes__ = ["before", "Explanation:", title, *(f"        {file}:12" for file in files), "after"]
        exception_notes.drop_own_lines(ExceptionGroup("two", [error]))
        return [note.strip() for note in error.__notes__ if note != title]

    def test_lines_of_the_user_stay(self) -> None:
        own = notes.__file__
        self.assertEqual(self.left(own, __file__, own), ["before", "Explanation:", f"{__file__}:12", "after"])
        self.assertEqual(self.left(__file__), ["before", "Explanation:", f"{__file__}:12", "after"])

    def test_without_any_there_is_no_explanation(self) -> None:
        self.assertEqual(self.left(notes.__file__), ["before", "after"])


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    code: int = 1


class Sealed(Exception):
    """An exception that refuses to be assigned to in its own way."""

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("sealed")


class Mute(Exception):
    """An exception whose text cannot be made."""

    def __str__(self) -> str:
        raise LookupError("mute")


class Hidden(Exception):
    """An exception that does not show its attributes."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__dict__":
            raise AttributeError("hidden")
        return super().__getattribute__(name)


class Boom:
    """Raises an exception wherever that is possible."""

    error: Any

    def boom(self, *args: object) -> None:
        raise self.error()

    async def boom_later(self) -> None:
        await asyncio.sleep(0)
        raise self.error()


class RefusingExceptionsTest(unittest.TestCase):
    """An exception that cannot be assigned to, or looked at, is reported as any other."""

    classes: tuple[type[Exception], ...] = (Frozen, Sealed, Mute, Hidden)

    def check(self, body: Any, text: str = "", **attributes: Any) -> None:
        for cls in self.classes:
            with self.subTest(cls.__name__):
                base = type("Base", (Boom, AsyncTestCase), {"error": cls, **attributes})
                result = run_body(base, body)
                self.assertEqual(len(result.errors), 1, result.report)
                self.assertIn(cls.__name__, result.report)
                self.assertIn(text, result.report)

    def test_of_a_test(self) -> None:
        self.check(lambda case: case.boom(), "in boom")

    def test_of_a_coroutine(self) -> None:
        self.check(lambda case: case.run_sync(case.boom_later), "in boom_later")

    def test_of_a_generator(self) -> None:
        def body(case: Any) -> Any:
            yield case.boom_later()

        self.check(gen_test(body), "in boom_later")

    def test_of_a_callback(self) -> None:
        def body(case: Any) -> None:
            case.io_loop.add_callback(case.boom)
            case.wait()

        self.check(body, "in boom")

    def test_of_a_task_that_nobody_awaits(self) -> None:
        async def body(case: Any) -> None:
            case.task = asyncio.ensure_future(case.boom_later())
            await asyncio.sleep(0)

        self.check(body, "in boom_later")

    def test_of_a_thread(self) -> None:
        def body(case: Any) -> None:
            thread = threading.Thread(target=case.boom)
            thread.start()
            thread.join()

        self.check(body, "in boom")

    def test_of_a_thread_after_the_test(self) -> None:
        class Result(RecordingResult):
            def addSuccess(self, test: Any) -> None:
                super().addSuccess(test)
                test.may_end.set()
                test.thread.join()

        for cls in self.classes:
            with self.subTest(cls.__name__):

                def body(case: Any) -> None:
                    case.may_end = threading.Event()
                    case.thread = threading.Thread(target=lambda: case.may_end.wait() and case.boom())
                    case.thread.start()

                base = type("Base", (Boom, AsyncTestCase), {"error": cls, "leaks": "ignore"})
                result = Result()
                type("Sample", (base,), {"test": body})("test").run(result)
                self.assertEqual(len(result.errors), 1, result.report)
                self.assertIn("in boom", result.report)

    def test_of_a_cleanup(self) -> None:
        def body(case: Any) -> None:
            case.addCleanup(case.run_sync, case.boom_later)

        self.check(body, "in boom_later")

    def test_of_a_subtest(self) -> None:
        def body(case: Any) -> None:
            with case.subTest(1):
                case.boom()

        self.check(body, "in boom")

    def test_of_a_handler_of_errors(self) -> None:
        def body(case: Any) -> None:
            with ExceptionStackContext(case.boom):
                case.io_loop.add_callback(int, "no number")
            case.wait()

        self.check(body, "no number")

    def test_as_the_cause_of_another_one(self) -> None:
        def body(case: Any) -> None:
            try:
                case.boom()
            except Exception as error:
                raise ValueError("planted") from error

        self.classes = Frozen, Sealed
        self.check(body, "ValueError: planted\nIt comes of:\nTraceback")

    def test_as_the_context_of_another_one(self) -> None:
        async def body(case: Any) -> None:
            try:
                await case.boom_later()
            except Exception:
                raise ValueError("planted")  # noqa: B904

        self.classes = Frozen, Sealed
        self.check(body, "ValueError: planted\nIt comes of:\nTraceback")

    def test_as_a_context_that_is_not_to_be_shown(self) -> None:
        def body(case: Any) -> None:
            try:
                case.boom()
            except Exception:
                raise ValueError(type(case).error.__name__) from None

        self.check(body)
        self.assertNotIn("It comes of", run_body(type("Base", (Boom, AsyncTestCase), {"error": Frozen}), body).report)

    def test_after_a_timeout(self) -> None:
        async def body(case: Any) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                case.boom()

        self.check(body, "this is a deadlock")

    def test_with_leaks_and_orders(self) -> None:
        async def body(case: Any) -> None:
            asyncio.get_running_loop().call_later(100, print)
            case.boom()

        self.check(body, "pending timer print")
        self.check(body, "In the order of asyncio itself", schedules=2)

    def test_of_a_request_handler(self) -> None:
        class Handler(RequestHandler):
            def get(self) -> None:
                if self.get_arguments("early"):
                    raise Frozen

            def on_finish(self) -> None:
                if not self.get_arguments("early"):
                    raise Frozen

        class Base(AsyncHTTPTestCase):
            def get_app(self) -> Application:
                return Application([("/", Handler)])

        report = run_body(Base, lambda case: case.fetch("/")).report
        self.assertIn("That was while serving GET /", report)
        with self.assertLogs("tornado.access"):
            report = run_body(Base, lambda case: case.assertEqual(case.fetch("/?early=1").code, 200)).report
        self.assertRegex(report, r"AssertionError: 500 != 200\nWhile serving GET /\?early=1 (?s:.*)Frozen")

    def test_whose_notes_are_no_list(self) -> None:
        def body(case: AsyncTestCase) -> None:
            error = ValueError("planted")
            error.__notes__ = ("a note of the user",)  # type: ignore[assignment]
            case.io_loop.call_later(100, print)
            raise error

        self.assertRegex(run_body(AsyncTestCase, body).report, "a note of the user\n(?s:.*)pending timer")


SHARED = ValueError("planted")
SHARED.add_note("a note of the user")


class SharedExceptionTest(unittest.TestCase):
    """One exception that several tests fail of, each with its own notes."""

    def run_tests(self, **attributes: Any) -> list[str]:
        def first(case: Any) -> None:
            asyncio.get_event_loop().call_later(100, print)
            raise SHARED

        def second(case: Any) -> None:
            asyncio.get_event_loop().call_later(100, list)
            raise SHARED

        def third(case: Any) -> None:
            raise SHARED

        cls = type("Sample", (AsyncTestCase,), {"first": first, "second": second, "third": third, **attributes})
        result = RecordingResult()
        for name in "first", "second", "third":
            cls(name).run(result)
        return [text for _, text in result.errors]

    def test_notes_are_in_one_report(self) -> None:
        first, second, third = self.run_tests()
        self.assertIn("pending timer print", first)
        self.assertNotIn("pending timer print", second)
        self.assertIn("pending timer list", second)
        self.assertNotIn("pending timer", third)
        for report in first, second, third:
            self.assertEqual(report.count("a note of the user"), 1)

    def test_a_hint_is_there_once(self) -> None:
        for report in self.run_tests(schedules=2):
            self.assertEqual(report.count("In the order of asyncio itself"), 1)

    def test_trapped_errors(self) -> None:
        def body(case: AsyncTestCase) -> None:
            def fail() -> None:
                raise SHARED

            case.io_loop.call_later(100, print)
            case.io_loop.add_callback(fail)
            case.wait()

        for _ in range(2):
            self.assertEqual(run_body(AsyncTestCase, body).report.count("pending timer print"), 1)

    def test_a_note_that_is_sent_to_another_process_is_text(self) -> None:
        error = ValueError()
        notes.add(error, "text")
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual([(type(note), note) for note in exception_notes.notes_of(copy)], [(str, "text")])
