import unittest
from collections.abc import Callable, Sequence
from typing import Any

from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Hold
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search.shrink import Budget, Outcome, Shrunk, Way, passed, shrink, way_of
from tests.schedules.test_schedule import in_schedule, take_turns

WAY = Way("AssertionError", ("test.py", 1))


def run_turns(holds: Sequence[Hold]) -> tuple[str, History]:
    history = History()
    log: Any = in_schedule(Schedule.of_holds(holds, history=history), lambda: take_turns("abcd", 3))
    return log, history


def holds_of(seed: int) -> tuple[Hold, ...]:
    history = History()
    in_schedule(Schedule.of_seed(seed, history=history), lambda: take_turns("abcd", 3))
    return history.holds()


def shrink_turns(seed: int, fails: Callable[[str], bool], budget: Budget | None = None) -> Shrunk | None:
    """Shrink an order of turns, which fails if its log does."""

    def run(holds: Sequence[Hold]) -> Outcome:
        log, history = run_turns(holds)
        return Outcome(WAY if fails(log) else None, history)

    return shrink(holds_of(seed), run, WAY, Budget() if budget is None else budget)


def is_third_turn_early(log: str) -> bool:
    """Return whether the last turn of the last task comes before the second turn of the first one."""
    return log.rindex("d") < log.index("a", log.index("a") + 1)


class ShrinkTest(unittest.TestCase):
    def test_no_deviation_can_be_spared(self) -> None:
        failing = [seed for seed in range(1, 60) if is_third_turn_early(run_turns(holds_of(seed))[0])]
        self.assertGreater(len(failing), 1)
        for seed in failing:
            with self.subTest(seed):
                shrunk = shrink_turns(seed, is_third_turn_early)
                assert shrunk is not None
                self.assertEqual((shrunk.before, shrunk.is_complete), (len(holds_of(seed)), True))
                (hold,) = shrunk.holds
                for until in passed(shrunk.history, hold.moment):
                    fails = is_third_turn_early(run_turns([Hold(hold.moment, until)])[0])
                    self.assertEqual(fails, until == hold.until)

    def test_the_history_is_that_of_the_fewest_deviations(self) -> None:
        seed = next(seed for seed in range(1, 60) if is_third_turn_early(run_turns(holds_of(seed))[0]))
        shrunk = shrink_turns(seed, is_third_turn_early)
        assert shrunk is not None
        self.assertEqual(shrunk.history.holds(), shrunk.holds)

    def test_an_order_that_fails_without_any_deviation(self) -> None:
        shrunk = shrink_turns(1, lambda log: True)
        assert shrunk is not None
        self.assertEqual(shrunk.holds, ())

    def test_an_order_that_does_not_fail(self) -> None:
        self.assertIsNone(shrink_turns(1, lambda log: False))

    def test_another_failure_is_not_the_same(self) -> None:
        def run(holds: Sequence[Hold]) -> Outcome:
            history = run_turns(holds)[1]
            return Outcome(WAY if holds == whole else Way("AssertionError", ("test.py", 2)), history)

        whole = holds_of(1)
        shrunk = shrink(whole, run, WAY, Budget())
        assert shrunk is not None
        self.assertEqual(shrunk.holds, whole)


class BudgetTest(unittest.TestCase):
    def test_the_runs_are_limited(self) -> None:
        budget = Budget(runs=3)
        shrunk = shrink_turns(2, lambda log: log.count("a") == 3, budget)
        assert shrunk is not None
        self.assertEqual((shrunk.runs, budget.runs), (3, 3))

    def test_what_is_left_to_try_is_said(self) -> None:
        whole = run_turns(holds_of(2))[0]
        shrunk = shrink_turns(2, lambda log: log == whole, Budget(runs=2))
        assert shrunk is not None
        self.assertEqual((shrunk.holds, shrunk.is_complete), (holds_of(2), False))

    def test_without_time_nothing_is_run(self) -> None:
        budget = Budget(seconds=0)
        self.assertEqual(budget.left(), 0)
        self.assertIsNone(shrink_turns(2, lambda log: True, budget))
        self.assertEqual(budget.runs, 0)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("it has no text")


class WayTest(unittest.TestCase):
    def test_an_error_without_a_text_and_a_line(self) -> None:
        self.assertEqual(way_of(Unprintable()), way_of(Unprintable()))

    def test_a_class_that_each_run_makes_anew(self) -> None:
        def local() -> Exception:
            class Refused(Exception): ...

            return Refused()

        self.assertEqual(way_of(local()), way_of(local()))

    def raised(self, func: Callable[[], object]) -> BaseException:
        try:
            func()
        except Exception as error:
            return error
        raise AssertionError("it has raised nothing")

    def test_the_line_of_the_user_counts(self) -> None:
        def divide() -> float:
            return 1 / 0

        def look_up() -> object:
            return self.raised.nothing  # type: ignore[attr-defined]

        self.assertEqual(way_of(self.raised(divide)), way_of(self.raised(divide)))
        self.assertNotEqual(way_of(self.raised(divide)), way_of(self.raised(look_up)))
        self.assertEqual(way_of(self.raised(divide)).line, (__file__, divide.__code__.co_firstlineno + 1))

    def test_without_such_a_line_the_message_counts(self) -> None:
        self.assertEqual(way_of(ValueError("Task-7 at 0xfe")), way_of(ValueError("Task-19 at 0xab")))
        self.assertNotEqual(way_of(ValueError("a")), way_of(ValueError("b")))

    def test_errors_in_a_group_count(self) -> None:
        one, other = (ExceptionGroup("several", [kind("planted")]) for kind in (KeyError, ValueError))
        self.assertNotEqual(way_of(one), way_of(other))
