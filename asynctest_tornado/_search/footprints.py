"""Finds steps of tasks that touch nothing, by the bytecode of their coroutines.

These are steps of a task that wakes up from ``asyncio.sleep``, and sleeps again. Such a step is inert if the code from
where the task goes on, to the next ``await asyncio.sleep(0)`` on each way through it, does nothing that other code can
see: it jumps, and counts the turns of a loop over a range. Any other instruction, one that is not known, and any other
object that the task waits for, may touch everything. No variable gets a new value that could hold an object with a
finalizer.

A cancellation of the task is the one way for other code to touch such a step; `is_cancelled` finds it in a run.
"""

import asyncio
import dis
import functools
import gc
import inspect
import types
from collections.abc import Callable, Sequence
from operator import length_hint
from typing import Any

from asynctest_tornado._util import real_time

__unittest = True

#: ``asyncio.sleep``, also if a test replaces it. Code that calls the replacement is not inert.
_SLEEP: Any = real_time.turn.func

#: Instructions that have no effect, or only on the stack: there is an iterator of range there, or the result of sleep.
_IDLE = frozenset(
    {"NOP", "RESUME", "CACHE", "EXTENDED_ARG", "PRECALL", "END_SEND", "END_FOR", "POP_ITER", "NOT_TAKEN"},
)
#: Instructions after which POP_TOP drops the result of sleep, or an iterator of range.
_BEFORE_POP = frozenset({"SEND", "END_SEND", "END_FOR"})
_JUMPS = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
_CONSTANTS = frozenset({"LOAD_CONST", "LOAD_SMALL_INT"})
_RangeIterator = type(iter(range(0)))
_LOCALS = frozenset({"LOAD_FAST", "LOAD_FAST_BORROW"})
#: What a global name, with attributes, has to be.
_Needs = frozenset[tuple[tuple[str, ...], Callable[..., Any] | type]]


def is_cancelled(task: Any) -> bool:
    """Return whether the next step of a task meets a cancellation."""
    # Before Python 3.13, uncancel() does not take a cancellation back that the task has not met yet.
    return isinstance(task, asyncio.Task) and (task.cancelling() > 0 or bool(getattr(task, "_must_cancel", False)))


def is_inert(task: Any) -> bool:
    """Return whether the next step of a task touches nothing, and registers nothing but the step after it."""
    if not isinstance(task, asyncio.Task) or is_cancelled(task):
        return False
    coro: Any = task.get_coro()
    while isinstance(coro, types.CoroutineType):
        inner: Any = coro.cr_await
        if isinstance(inner, types.CoroutineType) and inner.cr_code is _SLEEP.__code__:
            frame: Any = coro.cr_frame
            needs = _needs(frame.f_code, frame.f_lasti, _is_last_turn(coro))
            return needs is not None and all(_find(path, frame) is wanted for path, wanted in needs)
        coro = inner
    return False


def _find(path: Sequence[str], frame: types.FrameType) -> Any:
    first, *attributes = path
    found: Any = frame.f_globals.get(first, frame.f_builtins.get(first))
    for attribute in attributes:
        if not isinstance(found, types.ModuleType):
            return None
        found = vars(found).get(attribute)
    return found


def _is_last_turn(coro: object) -> bool | None:
    """Return whether a coroutine is in the last turn of a loop over a range; None if that is not known.

    To ask for the variables of its frame would keep their values alive. The iterator is none of them, anyhow.
    """
    found = [each for each in gc.get_referents(coro) if type(each) is _RangeIterator]
    # Of several ones, this does not say which belongs to the innermost loop.
    return length_hint(found[0]) == 0 if len(found) == 1 else None


@functools.lru_cache(maxsize=1024)
def _needs(code: types.CodeType, last: int, is_last_turn: bool | None) -> _Needs | None:
    """Return the names that the code uses up to the next sleep, if it touches nothing; else None.

    :param last: the offset of the instruction at which it is suspended.
    :param is_last_turn: true in the last turn of a loop, if it is in a loop; None if that is not known.
    """
    return _Walk(code, is_last_turn).walk(last)


class _Walk:
    """All ways through the code of a coroutine, from one sleep to the next."""

    def __init__(self, code: types.CodeType, is_last_turn: bool | None) -> None:
        self._code = code
        self._is_last_turn = is_last_turn
        self._start = 0
        self._instructions = [each for each in dis.get_instructions(code) if each.opname not in ("CACHE", "PRECALL")]
        self._places = {each.offset: place for place, each in enumerate(self._instructions)}
        self._found: set[tuple[tuple[str, ...], Callable[..., Any] | type]] = set()

    def walk(self, last: int) -> _Needs | None:
        """Return the names that are used from an offset on, where a coroutine is suspended; None if it is not inert."""
        start = self._after_sleep(self._places.get(last, -1))
        if start is None:
            return None
        self._start = start[0]
        left, seen = [start], set()
        while left:
            place, before = left.pop()
            if (place, before) in seen:
                continue
            seen.add((place, before))
            following = self._step(place, before)
            if following is None:
                return None
            left += following
        return frozenset(self._found)

    def _name(self, place: int) -> str:
        return self._instructions[place].opname if 0 <= place < len(self._instructions) else ""

    def _target(self, place: int) -> int | None:
        return self._places.get(self._instructions[place].argval)

    def _after_sleep(self, place: int) -> tuple[int, str] | None:
        """Return the place where the code goes on after the sleep at which it is suspended, with any argument."""
        if self._name(place) == "RESUME":  # of Python 3.13, which has gone past the instruction that suspends
            place -= 1
        if self._name(place) != "YIELD_VALUE" or self._name(place - 1) != "SEND":
            return None
        send = place - 1
        call = next((first for first in range(max(0, send - 8), send) if self._sleep(first, _LOCALS) == send), None)
        target = self._target(send)
        return None if call is None or target is None else (target, "SEND")

    def _step(self, place: int, before: str) -> list[tuple[int, str]] | None:
        """Return the places that follow, each with the instruction before it; none at a sleep. None: not inert."""
        name = self._name(place)
        if name in _IDLE:
            # RESUME and others leave the top of the stack as it is.
            return [(place + 1, name if name in _BEFORE_POP else before)]
        if name == "POP_TOP" and before in _BEFORE_POP:
            return [(place + 1, name)]
        if name in _JUMPS:
            target = self._target(place)
            return None if target is None else [(target, name)]
        if name == "FOR_ITER":
            return self._turn(place) if self._is_of_range(place) else None
        if name == "STORE_FAST":
            return [(place + 1, name)] if before == "FOR_ITER" and self._is_counter(place) else None
        if self._sleep(place) is not None:
            return []
        loop = self._range(place)
        # With another first instruction, which begins no loop, it is not inert.
        return [(loop + 2, "FOR_ITER")] if loop is not None and self._name(loop + 1) == "FOR_ITER" else None

    def _turn(self, place: int) -> list[tuple[int, str]] | None:
        """Return the places that follow FOR_ITER: the next turn, or the end of the loop, or both."""
        target = self._target(place)
        if target is None:
            return None
        turn, end = (place + 1, "FOR_ITER"), (target, "FOR_ITER")
        is_last, self._is_last_turn = self._is_last_turn, None  # it holds for the first one on the way
        if is_last is None or not place < self._start < target:
            return [turn, end]
        return [end] if is_last else [turn]

    def _is_of_range(self, place: int) -> bool:
        """Return whether FOR_ITER stands at a place, and goes through a range."""
        begin = range(max(0, place - 8), place)
        return self._name(place) == "FOR_ITER" and any(self._range(first, _LOCALS) == place - 1 for first in begin)

    def _is_counter(self, place: int) -> bool:
        """Return whether a local variable has only ever numbers of ranges for values."""
        variable = self._instructions[place].argval
        if variable in _arguments(self._code) or variable in self._code.co_cellvars:
            return False
        stores = [
            other
            for other, each in enumerate(self._instructions)
            if each.opname.startswith("STORE_") and _mentions(each.argval, variable)
        ]
        return all(self._name(store) == "STORE_FAST" and self._is_of_range(store - 1) for store in stores)

    def _call(self, place: int, more: frozenset[str]) -> tuple[tuple[str, ...], list[Any], int] | None:
        """Return the global function that is called from a place on, its arguments, and the place of the call."""
        if self._name(place) != "LOAD_GLOBAL":
            return None
        path = [self._instructions[place].argval]
        place += 1
        while self._name(place) in ("LOAD_ATTR", "LOAD_METHOD"):
            path.append(self._instructions[place].argval)
            place += 1
        if self._name(place) == "PUSH_NULL":
            place += 1
        values: list[Any] = []
        while self._name(place) in _CONSTANTS | more:
            is_constant = self._name(place) in _CONSTANTS
            values.append(self._instructions[place].argval if is_constant else None)
            place += 1
        if self._name(place) != "CALL" or self._instructions[place].arg != len(values):
            return None
        return tuple(path), values, place

    def _range(self, place: int, more: frozenset[str] = frozenset()) -> int | None:
        """Return the place of GET_ITER, if a loop over a range begins here."""
        call = self._call(place, more)
        if call is None or call[0] != ("range",) or self._name(call[2] + 1) != "GET_ITER":
            return None
        if not more and not (len(call[1]) == 1 and type(call[1][0]) is int and call[1][0] > 0):
            return None  # perhaps it has no turn, or is an error
        self._found.add((call[0], range))
        return call[2] + 1

    def _sleep(self, place: int, more: frozenset[str] = frozenset()) -> int | None:
        """Return the place of SEND, if ``await asyncio.sleep(0)`` begins here."""
        call = self._call(place, more)
        if call is None or len(call[1]) != 1:
            return None
        path, (value,), last = call
        if not more and not (type(value) is int and value == 0):
            return None
        names = [self._name(last + after) for after in (1, 2, 3)]
        if names != ["GET_AWAITABLE", "LOAD_CONST", "SEND"]:
            return None
        self._found.add((path, _SLEEP))
        return last + 3


def _arguments(code: types.CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


def _mentions(argval: Any, variable: str) -> bool:
    return variable in argval if isinstance(argval, tuple) else bool(argval == variable)
