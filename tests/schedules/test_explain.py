import asyncio
import inspect
import re
import unittest

from asynctest_tornado._schedules import explain, holds, told_history
from asynctest_tornado._schedules.schedule import Schedule
from tests.samples import races
from tests.schedules.test_schedule import in_schedule
from tests.support import environ, run_case


def report_of(cls: type) -> str:
    """Return the report of a race that is found and shrunk, with the numbers of its lines left out."""
    with environ(ASYNC_TEST_SCHEDULES="60"):
        report = run_case(cls).report
    return re.sub(r"\S*races\.py:\d+", "races.py:N", report)


async def register(user: str, owners: dict[str, str]) -> None:
    await asyncio.sleep(0)
    if "name" not in owners:
        await asyncio.sleep(0)
        owners["name"] = user


async def register_two() -> None:
    owners: dict[str, str] = {}
    await asyncio.gather(register("first", owners), register("second", owners))


def explained(token: str) -> str:
    """Return what is said of an order of ``register_two``."""
    histories = told_history.ToldHistory(), told_history.ToldHistory()
    deviations = holds.of_text(token)
    for history, chosen in zip(histories, (deviations, ()), strict=True):
        in_schedule(Schedule.of_holds(chosen, history=history), register_two)
    return re.sub(r"\S*test_explain\.py:\d+", "N", explain.text(*histories, deviations))


class SentenceTest(unittest.TestCase):
    def test_both_tasks_both_lines_and_what_they_waited_for(self) -> None:
        self.assertIn(
            "It fails when `register('second')` goes on at N (`if \"name\" not in owners:`), after "
            "`await asyncio.sleep(0)`\n  before `register('first')` goes on at N (`if \"name\" not in owners:`), after "
            "`await asyncio.sleep(0)`.\n  In asyncio's own order it is the other way round.",
            explained("register.1.2-after-register.2.2"),
        )

    def test_several_deviations_are_numbered(self) -> None:
        said = explained("register.1.2-after-register.2.2,register.1.3-after-register.2.3")
        self.assertRegex(said, r"^It fails when all of these happen:\n1. `register\('second'\)` goes on .*\n  before ")
        self.assertRegex(said, r"\n2. `register\('second'\)` goes on at N \(`owners.*\n  before ")

    def test_a_call_that_asyncio_does_not_make_is_not_said_to_come_later(self) -> None:
        self.assertNotIn("other way round", explained("register.2.2-after-register.1.2"))

    def test_a_moment_that_never_comes(self) -> None:
        self.assertIn("register.7.1 is held back or waited for in vain", explained("register.1.2-after-register.7.1"))

    def test_a_race_that_was_shrunk(self) -> None:
        self.assertRegex(
            report_of(races.CheckThenAct),
            r"It fails when `register\('second'\)` goes on at races.py:N .*\n  before `register\('first'\)` goes on at",
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
        self.assertRegex(report_of(races.OutOfOrderResponses), r"\n -> ask\('/\d'\) races.py:N answers.append")


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
