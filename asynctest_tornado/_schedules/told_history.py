"""A history that knows tasks by their calls, and the lines at which they go on."""

# Tested by tests/schedules/test_explain.py.

import dis
import functools
import inspect
import linecache
import types
from typing import Any, NamedTuple

from tornado import gen

from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.history import History
from asynctest_tornado._timeouts.pending_report import frames_of
from asynctest_tornado._util import names
from asynctest_tornado._util.tracebacks import MACHINERY, STDLIB, owner_of

__unittest = True

#: The letters of a line that are shown.
_LONGEST_LINE = 70
#: The instructions between an await and the line after it, at most.
_MOST_INSTRUCTIONS = 200


class Line(NamedTuple):
    """A line of the user."""

    #: The file, as seen from the current folder, and the number of the line.
    place: str
    #: The text of the line; empty if there is none.
    source: str


class Told(NamedTuple):
    """What a report says of a call."""

    #: The call of the coroutine function of the task, or the name of the callback.
    label: str
    #: The line at which it waited; None for a callback, for the first step of a task, and for tasks of libraries.
    waited: Line | None = None
    #: The line at which it goes on; None if that cannot be known.
    goes_on: Line | None = None


class ToldHistory(History):
    """The history of a run, with what a report says of each call in ``told``."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Told] = []
        # By the name and the number of the task.
        self._labels: dict[tuple[str, int], str] = {}

    def begin(self, call: Call) -> None:
        super().begin(call)
        self.told.append(self._told(call))

    def _told(self, call: Call) -> Told:
        moment = call.moment
        key = (moment.actor, moment.which)
        coro = _coroutine_of(call)
        if coro is None:
            return Told(self._labels.get(key, f"{moment.actor}()"))
        frames = [frame for _, frame in frames_of(coro) if owner_of(frame) not in (*MACHINERY, STDLIB)]
        if not frames:
            return Told(self._labels.get(key, f"{moment.actor}()"))
        label = self._labels.setdefault(key, _label_of(frames[0]))
        if not _has_begun(coro):
            return Told(label, None, _line_at(frames[0], frames[0].f_code.co_firstlineno))
        numbers = ((frame, _next_line(frame)) for frame in reversed(frames))
        goes_on = next((_line_at(frame, number) for frame, number in numbers if number), None)
        return Told(label, _line_at(frames[-1], frames[-1].f_lineno), goes_on)


def _coroutine_of(call: Call) -> Any:
    """Return the coroutine or generator of the task that goes on by a call; None for a callback."""
    task = call.task
    if task is None:  # the first step of a task is a callback to a schedule
        task = getattr(call.callback, "__self__", None)
    if isinstance(task, gen.Runner):
        return task.gen
    get_coro = getattr(task, "get_coro", None)
    return None if get_coro is None else get_coro()


def _has_begun(coro: Any) -> bool:
    if inspect.iscoroutine(coro):
        return inspect.getcoroutinestate(coro) != inspect.CORO_CREATED
    return not inspect.isgenerator(coro) or inspect.getgeneratorstate(coro) != inspect.GEN_CREATED


def _label_of(frame: types.FrameType) -> str:
    return f"{frame.f_code.co_name}({names.arguments_of(frame)})"


def _line_at(frame: types.FrameType, number: int) -> Line:
    filename = frame.f_code.co_filename
    source = linecache.getline(filename, number, frame.f_globals).partition("  # ")[0].strip()
    if len(source) > _LONGEST_LINE:
        source = f"{source[:_LONGEST_LINE]}..."
    return Line(f"{names.relative(filename)}:{number}", source)


def _next_line(frame: types.FrameType) -> int | None:
    """Return the number of the line that comes after the await at which a frame waits; None if it returns there."""
    return _line_after(frame.f_code, frame.f_lasti)


@functools.lru_cache(maxsize=1000)
def _line_after(code: types.CodeType, offset: int) -> int | None:
    instructions = list(dis.get_instructions(code))
    lines = [each.positions.lineno if each.positions else None for each in instructions]
    places = {each.offset: place for place, each in enumerate(instructions)}
    place = places.get(offset)
    if place is None:
        return None
    awaits = lines[place]
    for _ in range(_MOST_INSTRUCTIONS):
        instruction = instructions[place]
        name = instruction.opname
        if name.startswith("RETURN_") and name != "RETURN_GENERATOR":
            return None
        # The jump of SEND is taken when the coroutine that is waited for has ended.
        is_jump = name == "SEND" or (name.startswith("JUMP") and "IF" not in name)
        place = places[instruction.argval] if is_jump else place + 1
        if place >= len(instructions):
            return None
        if lines[place] not in (None, awaits):
            return lines[place]
    return None
