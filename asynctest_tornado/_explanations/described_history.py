"""A history that knows tasks by their calls, and the lines at which they go on."""

# Tested by tests/explanations/test_explain.py.

import asyncio
import inspect
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tornado import gen

from asynctest_tornado._explanations import await_lines, handler_steps, task_labels
from asynctest_tornado._explanations.handler_steps import HandlerStep
from asynctest_tornado._schedules.call import Call, task_of
from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Moment
from asynctest_tornado._timeouts.pending_report import frames_of
from asynctest_tornado._util import names
from asynctest_tornado._util.tracebacks import PACKAGE, USER, owner_of, owner_of_file

__unittest = True

#: The acts of callbacks and tasks.
CALLED, BEGINS, GOES_ON, FAILS, ENDS = "is called", "begins", "goes on", "gets an error", "ends"
_PACKAGE = __name__.partition(".")[0]
#: Flags of the code of functions that return a coroutine or generator.
_MAKES_COROUTINE = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
#: A line of code: the code, and the place in it as ``f_lasti`` has it; -1 for its first line.
_Place = tuple[types.CodeType, int]
#: A task or callback: its name and its number, as a `Moment` has them.
_Actor = tuple[str, int]


class Line(NamedTuple):
    """A line of the user."""

    #: As code objects have it.
    filename: str
    number: int

    @property
    def source(self) -> str:
        """The text of the line; empty if there is none."""
        return await_lines.source_of(self.filename, self.number)


class Description(NamedTuple):
    """What a report says of a call."""

    #: The call of the coroutine function of the task, or the name of the callback.
    label: str
    act: str
    #: The lines of the user at which it goes on, the innermost first: one for each function that goes on. None if the
    #: call does not get back to code of the user.
    lines: tuple[Line, ...]
    #: The line at which the task has waited, if that is one of the user; None for callbacks and first steps.
    waited_at: Line | None
    #: The object that it has waited for, in the words of this line; empty if they are not known.
    waited_for: str
    #: The line at which the outermost function that goes on waits again; None if it has ended.
    up_to: Line | None = None
    #: True if the task gets an error where it waits, or perhaps gets one: for example, if it is cancelled.
    has_error: bool = False


class _Seen:
    """What is recorded of a call as it is made."""

    def __init__(self, label: str, act: str) -> None:
        self.label = label
        self.act = act
        #: The functions of the user that wait, the innermost first.
        self.places: list[_Place] = []
        #: Whether an error may have ended their awaits, for each of them that has gone on.
        self.is_unsure: list[bool] = []
        #: True if the innermost one gets an error, or perhaps gets one.
        self.has_error = False
        #: Where the outermost function that has gone on waits again; None if it has ended.
        self.stops: _Place | None = None
        #: The function of the user that a library has called, and that waits since then.
        self.entered: types.CodeType | None = None


class DescribedHistory(History):
    """The history of a run, which can tell what a report says of each call."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[_Seen] = []
        self._labels: dict[_Actor, str] = {}
        # Finishes the record of the call that is made.
        self._finish: Callable[[], None] | None = None

    def begin(self, call: Call) -> None:
        super().begin(call)
        task = call.task if call.task is not None else task_of(call.callback, call.args)
        self._seen.append(self._of_callback(call) if task is None else self._of_task(call, task))

    def end(self) -> None:
        super().end()
        if self._finish is not None:
            self._finish()
            self._finish = None

    def place_of(self, moment: Moment) -> int | None:
        """Return the place of a call in ``calls``; None if it was not made."""
        return next((place for place, made in enumerate(self.calls) if made.moment == moment), None)

    def named(self, label: str) -> list[_Actor]:
        """Return the tasks or callbacks with a label, by their numbers."""
        return sorted(who for who, its in self._labels_of_all().items() if its == label)

    def _labels_of_all(self) -> dict[_Actor, str]:
        places = {made.moment[:2]: place for place, made in reversed(list(enumerate(self.calls)))}
        return {who: self._label(place) for who, place in places.items()}

    def actors_of(self, other: "DescribedHistory") -> dict[_Actor, _Actor]:
        """Return the tasks and callbacks of another run, each with the one that has the same label here.

        Their numbers may differ, as tasks of one function may be made in another order. If the labels differ as well,
        the number counts.
        """
        own, others = _by_name(self._labels_of_all()), _by_name(other._labels_of_all())
        same: dict[_Actor, _Actor] = {}
        for name, whos in others.items():
            if [label for label, _ in whos] == [label for label, _ in own.get(name, ())]:
                same.update(zip((who for _, who in whos), (who for _, who in own[name]), strict=True))
        return same

    def _label(self, place: int) -> str:
        # The test has a line of the user from its second step on.
        return self._labels.get(self.calls[place].moment[:2], self._seen[place].label)

    def moments_of(self, other: "DescribedHistory", moments: Iterable[Moment]) -> list[Moment]:
        """Return the names that calls of another run have here."""
        same = self.actors_of(other)
        return [Moment(*same.get(each[:2], each[:2]), each.step) for each in moments]

    def origin(self, place: int) -> int | None:
        """Return the place of the call of the user's that has led to a task or callback of a library; None if none has.

        :param place: the place of one of its calls.
        """
        by: int | None = place
        while by is not None:
            who = self.calls[by].moment[:2]
            if self._seen[by].places or who in self._labels:
                return None if who == self.calls[place].moment[:2] else by
            first = next(made for made in self.calls if made.moment[:2] == who)
            by = first.by
        return None

    def result(self, place: int) -> int | None:
        """Return the place of the first call of the user's that a call of a library has led to; None if none is known.

        :param place: the place of the call.
        """
        led = {place}
        for later in range(place + 1, len(self.calls)):
            if self.calls[later].by in led:
                if self.describe(later).lines:
                    return later
                led.add(later)
        return None

    def times(self, place: int) -> int:
        """Return how often a task has gone on at the lines of a call, up to that call.

        :param place: the place of the call.
        """
        who, description = self.calls[place].moment[:2], self.describe(place)
        places = (each for each in range(place + 1) if self.calls[each].moment[:2] == who)
        return [self.describe(each)[1:3] for each in places].count(description[1:3]) if description.lines else 1

    def describe(self, place: int) -> Description:
        """Return what is to be said of a call.

        :param place: its place in ``calls``.
        """
        seen, label = self._seen[place], self._label(place)
        if seen.act in (CALLED, BEGINS):
            begun = seen.places[0][0] if seen.places else seen.entered
            return Description(label, seen.act, _first_lines(begun), None, "")
        if not seen.places:
            return Description(label, seen.act, _first_lines(seen.entered), None, "")
        code, offset = seen.places[0]
        waited_at = Line(code.co_filename, await_lines.line_of(code, offset))
        up_to = None if seen.stops is None else Line(seen.stops[0].co_filename, await_lines.line_of(*seen.stops))
        lines, act = _lines(seen), seen.act
        if seen.is_unsure and not lines:
            lines, act = (waited_at,), ENDS
        return Description(label, act, lines, waited_at, await_lines.awaited(code, offset), up_to, seen.has_error)

    def _of_callback(self, call: Call) -> _Seen:
        func = names.function_of_callback(call.callback, call.args)  # type: ignore[arg-type]
        name = names.name_of_callback(call.callback, call.args)  # type: ignore[arg-type]
        is_ours = str(getattr(func, "__module__", "")).partition(".")[0] == _PACKAGE
        label = f"a callback of {_PACKAGE}" if is_ours else f"{name.rpartition('<locals>.')[2]}()"
        seen = _Seen(label, CALLED)
        code = getattr(getattr(func, "__func__", func), "__code__", None)
        if isinstance(code, types.CodeType) and _is_of_user(code, getattr(func, "__globals__", {})):
            # A call of a coroutine function runs no line of it.
            seen.places += [] if code.co_flags & _MAKES_COROUTINE else [(code, -1)]
        return seen

    def _of_task(self, call: Call, task: Any) -> _Seen:
        coro = task.gen if isinstance(task, gen.Runner) else task.get_coro()
        chain = [(awaitable, frame) for awaitable, frame in frames_of(coro)][::-1]
        users = _of_user([frame for _, frame in chain])
        moment = call.moment
        key = moment.actor, moment.which
        if key not in self._labels and users:
            self._labels[key] = task_labels.label_of(chain[-1][1], users[-1])
        act = GOES_ON if _has_begun(coro) else BEGINS
        label = "" if key in self._labels else task_labels.label_in_library(coro, chain[-1][1] if chain else None)
        if act is GOES_ON and not users:
            act = task_labels.act_in_library([frame for _, frame in chain]) or act
        seen = _Seen(label, act)
        step = handler_steps.watch(chain[-1][1] if chain else None)
        if not users:
            reference = weakref.ref(coro)
            self._finish = lambda: self._enter(seen, key, reference(), step)
        seen.places = [(frame.f_code, frame.f_lasti) for frame in users]
        if seen.act is GOES_ON and users:
            if isinstance(task, gen.Runner) and not _is_done(task.future):
                return seen  # it waits on
            if _gets_error(task, call.args):
                seen.act, seen.has_error = FAILS, True
            # A task that was cancelled may have handled that, or is going to learn of it.
            seen.has_error |= isinstance(task, asyncio.Task) and task.cancelling() > 0
            self._finish = _finisher(seen, task, chain, step)
        return seen

    def _enter(self, seen: _Seen, key: _Actor, coro: Any, step: HandlerStep | None) -> None:
        """Record the function of the user that waits after a step of a library, or that has ended in it."""
        if step is not None:
            step.end()
        frames = [frame for _, frame in frames_of(coro)][::-1]
        users = _of_user(frames)
        if users:
            seen.entered = users[-1].f_code
            self._labels.setdefault(key, task_labels.label_of(frames[-1], users[-1]))
        elif step is not None and seen.act is BEGINS and not frames:
            seen.entered = step.first_function()
            if seen.entered is not None:
                self._labels.setdefault(key, seen.label)


def _by_name(labels: dict[_Actor, str]) -> dict[str, list[tuple[str, _Actor]]]:
    """Return tasks and callbacks by their names, sorted by their labels and numbers."""
    found: dict[str, list[tuple[str, _Actor]]] = {}
    for label, who in sorted((label, who) for who, label in labels.items()):
        found.setdefault(who[0], []).append((label, who))
    return found


def _of_user(frames: list[types.FrameType]) -> list[types.FrameType]:
    """Return the frames of the user; if there are none, the frames of other packages."""
    owners = [owner_of(frame) for frame in frames]
    chosen = USER if USER in owners else PACKAGE
    return [frame for frame, owner in zip(frames, owners, strict=True) if owner is chosen]


def _finisher(
    seen: _Seen, task: Any, chain: list[tuple[Any, types.FrameType]], step: HandlerStep | None
) -> Callable[[], None]:
    """Return a function that looks, after the call, which functions have gone on.

    A function goes on if the one that it waits for has ended.

    :param step: watches the call, if it is one of a request handler.
    """
    # Weak, so that what has ended is dropped as early as without a record.
    inner = [(weakref.ref(awaitable), frame.f_code, frame.f_lasti) for awaitable, frame in chain]
    users = {code for code, _ in seen.places}

    def knows(code: types.CodeType) -> bool:
        """Return whether a function of a library handles no error that is not recorded."""
        return await_lines.hands_on_errors(code) or (step is not None and code is step.code)

    def finish() -> None:
        gone_on = []
        for reference, code, offset in inner:
            gone_on.append((code, offset))
            awaitable = reference()
            if not _has_handed_on(awaitable):
                if code in users:
                    seen.stops = next((frame.f_code, frame.f_lasti) for _, frame in frames_of(awaitable))
                break
        raised = _raised_in(task)
        if step is not None:
            step.end()
            raised |= step.passed
        below: list[types.CodeType] = []
        for place, (code, _) in enumerate(gone_on):
            if code in users:
                # An error has ended the task, or a function that waits, maybe for this one, has handled it.
                is_handled = any(await_lines.is_in_try(*outer) for outer in gone_on[place:] if not knows(outer[0]))
                may_raise = not all(map(await_lines.is_safe, below))
                seen.is_unsure.append((may_raise and is_handled) or not raised.isdisjoint(below))
            below.append(code)

    return finish


def _raised_in(task: Any) -> set[types.CodeType]:
    """Return the functions of the traceback of the error that has ended a task; none if no error has ended it."""
    error = getattr(task, "_exception", None) if isinstance(task, asyncio.Task) and task.done() else None
    tb, found = getattr(error, "__traceback__", None), set()
    while tb is not None:
        found.add(tb.tb_frame.f_code)
        tb = tb.tb_next
    return found


def _has_handed_on(awaitable: Any) -> bool:
    """Return whether a coroutine has ended; an asynchronous generator, whether it has yielded a value."""
    if isinstance(awaitable, types.AsyncGeneratorType):
        return awaitable.ag_await is None
    return awaitable is None or next(frames_of(awaitable), None) is None


def _lines(seen: _Seen) -> tuple[Line, ...]:
    """Return the lines at which functions go on; for a function that may have got an error, the line of its await."""
    lines = []
    for (code, offset), is_unsure in zip(seen.places, seen.is_unsure, strict=False):
        may_have_error = seen.has_error or is_unsure
        number = await_lines.line_of(code, offset) if may_have_error else await_lines.line_after(code, offset)
        if number is not None:
            lines.append(Line(code.co_filename, number))
        if may_have_error:
            break
    return tuple(lines)


def _first_lines(code: types.CodeType | None) -> tuple[Line, ...]:
    return () if code is None else (Line(code.co_filename, await_lines.first_line(code)),)


def _gets_error(task: Any, args: tuple[Any, ...]) -> bool:
    """Return whether a task or runner waited for a future that has ended with an error."""
    future = task.future if isinstance(task, gen.Runner) else args[0] if args else None
    if not isinstance(future, asyncio.Future) or not _is_done(future):
        return False
    return future.cancelled() or getattr(future, "_exception", None) is not None


def _is_done(future: Any) -> bool:
    return not isinstance(future, asyncio.Future) or future.done()


def _is_of_user(code: types.CodeType, module_globals: dict[str, Any]) -> bool:
    name = module_globals.get("__name__")
    return owner_of_file(code.co_filename, name if isinstance(name, str) else None) in (USER, PACKAGE)


def _has_begun(coro: Any) -> bool:
    if inspect.iscoroutine(coro):
        return inspect.getcoroutinestate(coro) != inspect.CORO_CREATED
    return not inspect.isgenerator(coro) or inspect.getgeneratorstate(coro) != inspect.GEN_CREATED
