import asyncio
import unittest
from typing import Any

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, ExpectError
from tests.samples import cases
from tests.support import run_body


def fail(error: BaseException) -> None:
    raise error


class ExpectErrorTest(AsyncTestCase):
    def turn(self) -> None:
        self.run_sync(asyncio.sleep, 0.001)

    def test_an_expected_error_does_not_fail_the_test(self) -> None:
        error = ValueError("boom")
        with ExpectError(ValueError, r"bo+m") as expectation:
            self.io_loop.add_callback(fail, error)
            self.turn()
        self.assertEqual(expectation.exceptions, [error])

    def test_it_takes_errors_of_all_kinds_of_sources(self) -> None:
        async def work() -> None:
            raise ValueError("of a task")

        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        with ExpectError(ValueError) as expectation:
            self.io_loop.call_later(0, fail, ValueError("of a timer"))
            loop.call_soon(fail, ValueError("of a callback"))
            loop.create_task(work())
            loop.run_in_executor(None, fail, ValueError("of an executor"))
            self.turn()
            self.run_sync(loop.shutdown_default_executor)
            self.turn()
        self.assertEqual(
            sorted(map(str, expectation.exceptions)), ["of a callback", "of a task", "of a timer", "of an executor"]
        )

    def test_it_finds_the_error_of_a_task_that_is_still_held(self) -> None:
        async def work(error: BaseException) -> None:
            raise error

        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        self.task = loop.create_task(work(ValueError()))
        self.other = loop.create_task(work(KeyError()))
        with ExpectError(ValueError):
            self.turn()
        with self.assertRaises(KeyError):
            self.run_sync(lambda: self.other)

    def test_an_expected_error_does_not_end_wait(self) -> None:
        with ExpectError(ValueError):
            self.io_loop.add_callback(fail, ValueError())
            self.io_loop.call_later(0.001, self.stop, "the end")
            self.assertEqual(self.wait(), "the end")

    def test_subclasses_and_tuples_match(self) -> None:
        with ExpectError((LookupError, OSError)) as expectation:
            self.io_loop.add_callback(fail, KeyError())
            self.io_loop.add_callback(fail, FileNotFoundError())
            self.turn()
        self.assertEqual(len(expectation.exceptions), 2)

    def test_another_error_fails_the_test(self) -> None:
        with self.assertRaises(KeyError), ExpectError(ValueError):
            self.io_loop.add_callback(fail, KeyError())
            self.turn()

    def test_another_message_fails_the_test(self) -> None:
        with self.assertRaisesRegex(ValueError, "bang"), ExpectError(ValueError, "boom"):
            self.io_loop.add_callback(fail, ValueError("bang"))
            self.turn()

    def test_the_report_of_another_error_names_the_blocks(self) -> None:
        def body(case: Any) -> None:
            with ExpectError(OSError), ExpectError(ValueError, "boom"):
                case.io_loop.add_callback(fail, ValueError("bang"))
                case.run_sync(asyncio.Event().wait)

        report = run_body(AsyncTestCase, body).report
        place = r"test_expect_error.py:\d+ in body: with ExpectError\(OSError\), ExpectError\(ValueError"
        self.assertRegex(report, rf"An ExpectError does not expect it, because of its class: \S*{place}")
        self.assertRegex(report, rf"An ExpectError does not expect it, because of its message: \S*{place}")
        self.assertEqual(report.count("An ExpectError does not"), 2)

    def test_one_that_comes_after_the_block_says_so(self) -> None:
        async def body(case: Any) -> None:
            with ExpectError(ValueError):
                case.io_loop.add_callback(fail, ValueError("bang"))
            await asyncio.Event().wait()

        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addFailure", "addError"])
        place = r"\S*test_expect_error.py:\d+ in body: with ExpectError\(ValueError\):"
        self.assertRegex(result.report, rf"came after the block that expects it. Wait for it in there: {place}\n")

    def test_a_missing_error_says_what_was_expected_and_what_came(self) -> None:
        def handle(typ: object, value: BaseException, tb: object) -> bool:
            return True

        expectation = ExpectError((ValueError, OSError), "boom")
        with ExceptionStackContext(handle), self.assertRaises(AssertionError) as caught, expectation:
            self.io_loop.add_callback(fail, KeyError("bang"))
            self.turn()
        self.assertRegex(str(caught.exception), r"ValueError or OSError.*'boom'(?s:.*)KeyError: 'bang'(?s:.*)Correct")

    def test_a_missing_error_says_that_nothing_came(self) -> None:
        with self.assertRaisesRegex(AssertionError, "Nothing was trapped"), ExpectError(ValueError):
            self.turn()

    def test_the_error_need_not_come_where_it_is_not_required(self) -> None:
        with ExpectError(ValueError, required=False) as expectation:
            self.turn()
        self.assertEqual(expectation.exceptions, [])

    def test_an_exception_of_the_block_leaves_it(self) -> None:
        with self.assertRaisesRegex(ValueError, "of the block"), ExpectError(ValueError):
            raise ValueError("of the block")

    def test_it_ends_with_its_block(self) -> None:
        with ExpectError(ValueError):
            self.io_loop.add_callback(fail, ValueError("inside"))
            self.turn()
        self.io_loop.add_callback(fail, ValueError("outside"))
        with self.assertRaisesRegex(ValueError, "outside"):
            self.turn()

    def test_what_was_scheduled_before_may_surface_in_it(self) -> None:
        self.io_loop.add_callback(fail, ValueError())
        with ExpectError(ValueError):
            self.turn()

    def test_blocks_nest(self) -> None:
        with ExpectError(ValueError) as outer, ExpectError(ValueError, "inner") as inner:
            self.io_loop.add_callback(fail, ValueError("inner"))
            self.io_loop.add_callback(fail, ValueError("outer"))
            self.turn()
        self.assertEqual([str(error) for error in outer.exceptions], ["outer"])
        self.assertEqual([str(error) for error in inner.exceptions], ["inner"])

    async def test_concurrent_blocks_do_not_mix(self) -> None:
        async def work(name: str) -> list[str]:
            with ExpectError(ValueError) as expectation:
                await asyncio.sleep(0)
                self.io_loop.add_callback(fail, ValueError(name))
                await asyncio.sleep(0.001)
            return [str(error) for error in expectation.exceptions]

        self.assertEqual(await asyncio.gather(work("a"), work("b")), [["a"], ["b"]])

    def test_a_handler_outside_of_it_gets_nothing(self) -> None:
        seen: list[BaseException] = []
        with ExceptionStackContext(lambda typ, value, tb: seen.append(value)), ExpectError(ValueError):
            self.io_loop.add_callback(fail, ValueError())
            self.turn()
        self.assertEqual(seen, [])

    def test_what_is_no_exception_cannot_be_expected(self) -> None:
        for value in "ValueError", ValueError("boom"), int, (ValueError, 1):
            with self.assertRaisesRegex(TypeError, "class of exceptions.*Write"):
                ExpectError(value)  # type: ignore[arg-type]


class OutsideTest(unittest.TestCase):
    def test_it_needs_a_test(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "no test runs here.*assertRaises"), ExpectError(ValueError):
            pass

    def test_a_case_that_is_used_by_hand_is_a_test(self) -> None:
        case = cases.Passes()
        case.setUp()
        with ExpectError(ValueError):
            case.io_loop.add_callback(cases.boom)
            case.run_sync(asyncio.sleep, 0.001)
        case.tearDown()

    def test_a_failing_block_is_a_failure_and_not_an_error(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with ExpectError(ValueError):
                pass

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addFailure"])
