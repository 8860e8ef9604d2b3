import inspect
import re
import unittest

from asynctest_tornado._schedules import told_history
from tests.samples import races
from tests.support import environ, run_case


def report_of(cls: type) -> str:
    """Return the report of a race that is found and shrunk, with the numbers of its lines left out."""
    with environ(ASYNC_TEST_SCHEDULES="60"):
        report = run_case(cls).report
    return re.sub(r"\S*races\.py:\d+", "races.py:N", report)


class SentenceTest(unittest.TestCase):
    def test_both_tasks_both_lines_and_what_they_waited_for(self) -> None:
        self.assertIn(
            "It fails when `register('second')` goes on at races.py:N (`if name not in owners:`), after "
            "`name = await requests.get()`\n  before `register('first')` goes on at races.py:N "
            "(`owners[name] = user`), after `await asyncio.sleep(0)`.\n"
            "  In asyncio's own order it is the other way round.",
            report_of(races.CheckThenAct),
        )

    def test_a_task_that_begins(self) -> None:
        self.assertRegex(
            report_of(races.LostUpdate),
            r"`withdraw\(30\)` (begins|goes on) at races.py:N .*\n  before `withdraw\(20\)` goes on at "
            r"races.py:N \(`return seen`\), after `await asyncio.sleep\(0\)`\.\n  In asyncio's own order",
        )

    def test_two_tasks_of_one_function_have_numbers(self) -> None:
        self.assertRegex(
            report_of(races.UnlockedCounter),
            r"`increment\(\)` number 2 .*\n  before `increment\(\)` number 1 goes on at races.py:N "
            r"\(`count = seen \+ 1`\)",
        )

    def test_coroutines_of_tornado(self) -> None:
        self.assertIn(
            """before `setup_coro()` goes on at races.py:N (`self.document = {"_id": 1}`), after `yield gen.moment`.""",
            report_of(races.UseBeforeSetUpOfTornado),
        )

    def test_tasks_of_handlers_and_clients(self) -> None:
        self.assertRegex(report_of(races.OutOfOrderResponses), r"It fails when `(ask|get)\('.*'\)` goes on at races")


class CompareTest(unittest.TestCase):
    def test_the_first_step_that_differs_stands_side_by_side(self) -> None:
        report = report_of(races.DoubleClose)
        begin = report.index("The first step that differs")
        lines = report[begin:].splitlines()[1:6]
        self.assertRegex(lines[0], r"^ +in this order {10,}in the order of asyncio$")
        self.assertRegex(lines[1], r"^ +close\(\) begins +close\(\) begins$")
        self.assertRegex(lines[3], r"^ -> on_error\(\) .*close\(\) races.py:N closed \+= 1$")


class LineAfterTest(unittest.TestCase):
    """The line at which a coroutine goes on is read from its code."""

    def line_after(self, coro: object) -> str | None:
        assert inspect.iscoroutine(coro)
        coro.send(None)
        frame, code = coro.cr_frame, coro.cr_code
        assert frame is not None
        line, first = told_history._next_line(frame), code.co_firstlineno
        coro.close()
        return None if line is None else inspect.getsourcelines(code)[0][line - first].strip()

    def test_lines(self) -> None:
        class Moment:
            def __await__(self):  # type: ignore[no-untyped-def]
                yield

            async def __aenter__(self) -> None:
                await self

            async def __aexit__(self, *error: object) -> None:
                await self

        async def plain() -> None:
            await Moment()
            len("next")

        async def last() -> None:
            await Moment()

        async def loop() -> None:
            for _ in range(2):
                await Moment()

        async def in_try() -> None:
            try:
                await Moment()
            finally:
                len("next")

        async def condition() -> None:
            if await Moment() is None:
                len("next")

        async def lock() -> None:
            async with Moment():
                len("next")

        self.assertEqual(self.line_after(plain()), 'len("next")')
        self.assertIsNone(self.line_after(last()))
        self.assertEqual(self.line_after(loop()), "for _ in range(2):")
        self.assertEqual(self.line_after(in_try()), 'len("next")')
        self.assertEqual(self.line_after(condition()), 'len("next")')
        self.assertEqual(self.line_after(lock()), 'len("next")')
