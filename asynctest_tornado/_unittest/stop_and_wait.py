"""Waits for callbacks: stop() and wait() of a test case."""

# Tested by tests/unittest/test_case.py.

import reprlib
import types
from collections.abc import Callable
from functools import partial
from sys import _getframe  # a test may replace it
from typing import Any

from asynctest_tornado._errors import hints
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.timeout_error import error_of
from asynctest_tornado._unittest.case_run import harness_of
from asynctest_tornado._unittest.case_state import State
from asynctest_tornado._util import names
from asynctest_tornado._util.real_time import get_running_loop
from asynctest_tornado._util.tracebacks import PACKAGE, USER, owner_of_file

__unittest = True


def wait(case: Any, condition: Callable[..., bool] | None, limit: Limit, failure: type[BaseException]) -> Any:
    """Run the loop of a test case until `stop`, and on until the condition holds; return the argument of ``stop``.

    Raises the errors in the trap, or ``failure`` when the time is over.
    """
    harness = harness_of(case)
    state: State = case._asynctest
    is_early = state.is_stopped
    # A stop() before the wait does not ask for the condition.
    is_done = partial(_is_done, state, None if is_early else condition)
    try:
        harness.waits.run_until(is_done, limit, partial(_timed_out, condition, failure))
    finally:
        state.is_stopped = state.is_waiting = False
    value, state.stop_value = state.stop_value, None
    remark: Callable[[], str] | None = None
    if state.second_stop is not None and condition is None:
        remark = partial(_describe_second_stop, *state.second_stop)
    elif is_early:
        remark = partial(_describe_early_stop, state.early_stop)
    data = harness.trap.data
    if remark is not None or hints.REMARK in data:
        data[hints.REMARK] = remark
    return value


def _is_done(state: State, condition: Callable[..., bool] | None) -> bool:
    # First, as a thread may call stop() in between.
    state.is_waiting = True
    while state.is_stopped:
        # Another stop() may come during the call of the condition.
        state.is_stopped = False
        if condition is None or _holds(condition):
            return True
        state.is_waiting = True
    return False


def _holds(condition: Callable[..., bool]) -> bool:
    if not callable(condition):
        # Only here: Tornado calls no condition either if an error ends the wait, or if a stop() comes before it.
        raise TypeError(_describe_no_function(condition))
    return condition()


def _describe_no_function(condition: object) -> str:
    """Return the message for a condition that cannot be called: mostly, it is a timeout, or the result of a call."""
    value = _brief(condition)
    advice = "Give a function that returns true at the end, such as lambda: len(messages) == 2."
    if type(condition) in (int, float):
        advice = f"For a time limit in seconds, write wait(timeout={value})."
    return f"wait() got the condition {value}, which is no function. {advice}"


def stop(case: Any, value: Any) -> None:
    """End the current call of `wait`, or the next one; may be called by any thread."""
    harness = harness_of(case)
    state: State = case._asynctest
    if state.is_stopped:
        frame = _getframe(1).f_back
        place = _place(frame and (frame.f_code, frame.f_lineno))
        state.second_stop = _brief(state.stop_value), _brief(value), place
    else:
        state.second_stop = None
        if not state.is_waiting:
            frame = _getframe(1).f_back
            # None: a thread calls stop(), and nothing else.
            state.early_stop = frame and (frame.f_code, frame.f_lineno)
    state.stop_value = value
    state.is_stopped = True
    if state.is_waiting:
        state.is_waiting = False
        loop = harness.loop.loop
        try:
            own_thread = get_running_loop() is loop
        except RuntimeError:
            own_thread = False
        if own_thread:
            loop.stop()
        else:
            loop.call_soon_threadsafe(loop.stop)


def _timed_out(
    condition: Callable[..., bool] | None, failure: type[BaseException], deadline: Deadline
) -> BaseException:
    if condition is not None and not callable(condition):
        reason = f"; {_describe_no_function(condition)}"
    elif condition is not None:
        reason = f"; the condition {names.name_of(condition)} did not hold"
    elif "deadlock" in deadline.reason:
        reason = (
            "; self.stop() was not called, and nothing is left that could call it: call it in a callback, or give it "
            "to code as one"
        )
    else:
        reason = "; self.stop() was not called in that time"
    return error_of(deadline, failure, "Async operation", addition=reason)


def _describe_early_stop(line: tuple[types.CodeType, int] | None) -> str:
    """Return the hint for a ``wait`` that a ``stop`` has ended which came before it, at this line."""
    return f"wait() returned at once, for a stop() that came before it{_place(line) or '.'}"


def _place(line: tuple[types.CodeType, int] | None) -> str:
    """Return a line of the user as the end of a sentence; else nothing."""
    if line is None or owner_of_file(line[0].co_filename) not in (USER, PACKAGE):  # some install their tests
        return ""
    return f", at {names.line_at(line[0].co_filename, line[1], line[0].co_name)}"


def _describe_second_stop(first: str, last: str, place: str) -> str:
    """Return the hint for a ``wait`` that two calls of ``stop`` have ended, with these values.

    :param place: the line of the second call, or nothing.
    """
    if first == last:
        return f"stop() was called twice during one wait(): none is left for the next one.{_second(place)}"
    return f"stop() was called twice during one wait(), with {first} and {last}: the last one counts.{_second(place)}"


def _second(place: str) -> str:
    return f" The second call was{place.removeprefix(',')}" if place else ""


def _brief(value: object) -> str:
    """Return a short text for a value, without a call of the user's code."""
    return reprlib.repr(value) if type(value) in _PLAIN else f"<{type(value).__qualname__}>"


_PLAIN = {type(None), bool, int, float, str, bytes}
