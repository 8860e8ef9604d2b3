import asyncio
import functools
import unittest
from collections.abc import Sequence
from typing import Any
from unittest import mock

from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Hold, Moment, of_text, text_of
from asynctest_tornado._schedules.schedule import Schedule
from tests.schedules.test_schedule import in_schedule, take_turns


def run_held(holds: Sequence[Hold]) -> tuple[Any, History]:
    history = History()
    return in_schedule(Schedule.of_holds(holds, history=history), lambda: take_turns("abc", 2)), history


class HoldsTest(unittest.TestCase):
    def test_without_a_hold_the_order_is_that_of_asyncio(self) -> None:
        log, history = run_held(())
        self.assertEqual(log, "abcabc")
        self.assertEqual(history.holds(), ())

    def test_a_step_waits_for_another_one(self) -> None:
        log, history = run_held([Hold(Moment("work", 1, 2), Moment("work", 2, 3))])
        self.assertEqual(log, "bcbaca")
        self.assertEqual(run_held(history.holds())[0], log)

    def test_a_step_that_waits_in_vain_goes_on_at_last(self) -> None:
        self.assertEqual(run_held([Hold(Moment("work", 1, 2), Moment("nobody", 1, 1))])[0], "bcbcaa")

    def test_any_run_comes_again_from_its_holds(self) -> None:
        for seed in range(40):
            with self.subTest(seed):
                history = History()
                log = in_schedule(Schedule.of_seed(seed, history=history), lambda: take_turns("abcd", 3))
                again = in_schedule(Schedule.of_holds(history.holds()), lambda: take_turns("abcd", 3))
                self.assertEqual(again, log)

    def test_a_text_names_them(self) -> None:
        holds = (Hold(Moment("work", 1, 2), Moment("work", 2, 3)), Hold(Moment("a", 1, 1), Moment("b_c", 10, 20)))
        self.assertEqual(text_of(holds), "work.1.2-after-work.2.3,a.1.1-after-b_c.10.20")
        self.assertEqual(of_text(text_of(holds)), holds)
        self.assertEqual(of_text(""), ())
        with self.assertRaisesRegex(ValueError, "'work.1-after-b.1.2' names no deviation"):
            of_text("work.1-after-b.1.2")


class NamesTest(unittest.TestCase):
    """Names of calls, in the histories that shrinking and all orders need."""

    def test_objects_with_any_attribute(self) -> None:
        class Delegating:
            def __getattr__(self, name: str) -> object:
                return self

            def __call__(self) -> None: ...

        async def main() -> None:
            called = mock.Mock(), mock.Mock(spec=asyncio.Task), mock.Mock(spec=functools.partial)
            for each in (*called, Delegating(), functools.partial(functools.partial(print, end=""), "")):
                asyncio.get_running_loop().call_soon(each)
            await asyncio.sleep(0)
            for each in called:
                self.assertEqual(each.mock_calls, [mock.call()])

        history = History()
        in_schedule(Schedule.of_holds((), history=history), main)
        names = [moment.actor for moment in history.moments]
        self.assertEqual([names.count(name) for name in ("Mock", "Delegating", "print")], [3, 1, 1])
        self.assertEqual(of_text(text_of([Hold(*sorted(history.moments)[:2])])), (Hold(*sorted(history.moments)[:2]),))


class PollingTest(unittest.TestCase):
    def test_code_that_polls_does_not_wait_for_ever(self) -> None:
        async def main() -> bool:
            done = False

            async def set_done() -> None:
                nonlocal done
                await asyncio.sleep(0)
                done = True

            task = asyncio.ensure_future(set_done())
            while not done:
                await asyncio.sleep(0)
            await task
            return done

        hold = Hold(Moment("set_done", 1, 2), Moment("nobody", 1, 1))
        self.assertTrue(in_schedule(Schedule.of_holds([hold]), main))
