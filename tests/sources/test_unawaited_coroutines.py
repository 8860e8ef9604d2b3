import sys
import unittest
import warnings
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase, gen_test
from tests.support import run_body


class NeverAwaitedTest(unittest.TestCase):
    def test_a_call_without_await_fails_the_test_and_shows_the_line(self) -> None:
        async def helper() -> None: ...

        async def body(case: AsyncTestCase) -> None:
            helper()  # type: ignore[unused-coroutine]  # the line

        report = run_body(AsyncTestCase, body).report
        self.assertIn("# the line", report)
        self.assertRegex(report, "RuntimeWarning: coroutine '.*helper' was never awaited.*Await it")

    def test_a_coroutine_that_a_failed_test_did_not_come_to_await_is_no_error(self) -> None:
        async def helper() -> None: ...

        def body(case: AsyncTestCase) -> None:
            coro = helper()
            case.fail("planted")
            case.run_sync(coro)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = run_body(AsyncTestCase, body)
            self.assertEqual(result.verdicts, ["addFailure"])
            self.assertNotIn("never awaited", result.report)
            del result
        self.assertEqual([str(each.message) for each in caught], [])

    def test_a_coroutine_that_is_awaited_after_a_failed_subtest_runs(self) -> None:
        ran: list[bool] = []

        async def helper() -> None:
            ran.append(True)

        def body(case: AsyncTestCase) -> None:
            coro = helper()
            with case.subTest():
                case.fail("planted")
            case.run_sync(coro)

        self.assertEqual(run_body(AsyncTestCase, body).report.count("Error"), 1)
        self.assertEqual(ran, [True])

    def test_a_generator_has_to_yield_it(self) -> None:
        async def helper() -> None: ...

        @gen_test
        def body(case: AsyncTestCase) -> Any:
            helper()  # type: ignore[unused-coroutine]  # the line
            yield

        report = run_body(AsyncTestCase, body).report
        self.assertIn("# the line", report)
        self.assertIn("Yield it", report)

    def test_filters_of_warnings_make_no_difference(self) -> None:
        async def helper() -> None: ...

        def body(case: AsyncTestCase) -> None:
            warnings.simplefilter("ignore")
            helper()  # type: ignore[unused-coroutine]

        with warnings.catch_warnings():
            self.assertIn("never awaited", run_body(AsyncTestCase, body).report)

    def test_a_test_that_catches_warnings_decides_for_itself(self) -> None:
        async def helper() -> None: ...

        def body(case: AsyncTestCase) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                helper()  # type: ignore[unused-coroutine]

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_what_is_said_of_other_warnings_makes_no_difference(self) -> None:
        async def helper() -> None: ...

        for action, category in (
            ("ignore", DeprecationWarning),
            ("ignore", ResourceWarning),
            ("error", RuntimeWarning),
            ("always", Warning),
        ):

            def set_up(case: Any, action: Any = action, category: type[Warning] = category) -> None:
                AsyncTestCase.setUp(case)
                case.enterContext(warnings.catch_warnings())
                warnings.simplefilter(action, category)

            def body(case: AsyncTestCase) -> None:
                helper()  # type: ignore[unused-coroutine]

            with self.subTest(action=action, category=category.__name__):
                base = type("Catching", (AsyncTestCase,), {"setUp": set_up})
                self.assertIn("never awaited", run_body(base, body).report)

    def test_a_block_that_does_not_say_anything_makes_no_difference(self) -> None:
        async def helper() -> None: ...

        def body(case: AsyncTestCase) -> None:
            with warnings.catch_warnings():
                helper()  # type: ignore[unused-coroutine]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.assertIn("never awaited", run_body(AsyncTestCase, body).report)

    def test_a_test_that_names_the_warning_decides_for_itself(self) -> None:
        async def helper() -> None: ...

        for filters in {"message": ".*helper.* was never awaited"}, {"module": __name__}, {"category": RuntimeWarning}:

            def body(case: AsyncTestCase, filters: Any = filters) -> None:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", **filters)
                    helper()  # type: ignore[unused-coroutine]

            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"], filters)

    def test_a_block_that_records_warnings_records_it(self) -> None:
        async def helper() -> None: ...

        def body(case: AsyncTestCase) -> None:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                helper()  # type: ignore[unused-coroutine]
            case.assertIn("never awaited", str(caught[0].message))

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_assert_warns_expects_it(self) -> None:
        async def helper() -> None: ...

        def body(case: AsyncTestCase) -> None:
            with case.assertWarnsRegex(RuntimeWarning, "never awaited"):
                helper()  # type: ignore[unused-coroutine]

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_mock_only_warns(self) -> None:
        def body(case: AsyncTestCase) -> None:
            mock.AsyncMock()()

        with self.assertWarnsRegex(RuntimeWarning, "never awaited"):
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_outside_of_a_test_python_warns_as_ever(self) -> None:
        async def helper() -> None: ...

        with self.assertWarnsRegex(RuntimeWarning, "never awaited"):
            helper()  # type: ignore[unused-coroutine]

    def test_the_warning_is_about_the_line_that_has_dropped_it(self) -> None:
        async def helper() -> None: ...

        def body(case: AsyncTestCase) -> None:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("default")
                helper()  # type: ignore[unused-coroutine]
                helper()  # type: ignore[unused-coroutine]
            line = body.__code__.co_firstlineno + 3
            places = [(warning.filename, warning.lineno) for warning in caught]
            case.assertEqual(places, [(__file__, line), (__file__, line + 1)])

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_the_warning_shows_where_the_coroutine_was_made_if_that_is_known(self) -> None:
        async def helper() -> None: ...

        before = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(2)
        try:
            with self.assertWarnsRegex(RuntimeWarning, r"(?s)created at .*_if_that_is_known\n.*helper\(\)  # type"):
                helper()  # type: ignore[unused-coroutine]
        finally:
            sys.set_coroutine_origin_tracking_depth(before)
