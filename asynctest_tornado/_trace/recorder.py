"""Recorder: what happened in a test, in order.

It refers to no object of the test: these have to be gone as early as without it. And it registers no call of the loop,
so that the order of the calls is the same.
"""

import asyncio
import itertools
import sys
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Any

from asynctest_tornado._trace import actors
from asynctest_tornado._trace.actors import Place
from asynctest_tornado._util import exception_notes, tracebacks
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: The most events that are kept: the last ones.
MOST_KEPT = 20_000
#: The most characters of a text of an event.
_LONGEST = 300

#: The kinds of events.
STEP, CALLBACK, TIMER, FILE, JUMP, SENT, ARRIVED, FAULT, ERROR = (
    *("step", "callback", "timer", "file", "jump"),
    *("sent", "arrived", "fault", "error"),
)

#: The text of a step of a task that has begun before.
GOES_ON = "goes on"


class Lane:
    """A task, a coroutine of Tornado, or a request.

    :param count: counts the lanes of the same name from 1.
    :param actor: the task or runner, which is not kept alive; None for a request.
    """

    __slots__ = ("actor", "is_of_library", "label", "name", "number")

    def __init__(self, number: int, name: str, count: int, actor: Any = None) -> None:
        self.number = number
        self.name = name
        #: The name for reports.
        self.label = name if count == 1 else f"{name} ({count})"
        self.actor: Callable[[], Any] = (lambda: None) if actor is None else weakref.ref(actor)
        #: True if code of a library begins it, and lets code of the user go on: the test, and a request handler.
        self.is_of_library = False


class Event:
    """One event.

    :param number: counts the events of the test from 1.
    :param time: when it began, in seconds since the beginning of the trace.
    :param cause: the number of the event in which the call was registered, 0 if there is none; or the name of the
        other thread that has registered it.
    """

    # In the class, so that an event that has none of these costs less.
    lane: Lane | None = None
    text = ""
    #: The line that a task goes on from, or the first line of a function.
    place: Place | None = None
    #: The number of the event in which the message was sent that arrives.
    message = 0
    #: The end of the task: "ends", "is cancelled", or "raises ..."; empty if it goes on.
    end = ""
    #: The identity of the exception that has ended the task, and how many lines of code it has passed by then. A later
    #: exception may have the same identity.
    raised = 0
    depth = 0
    #: When it ended, in seconds; 0 if it took no time.
    ended = 0.0
    #: The virtual time at which it began, in seconds; None in real time.
    clock: float | None = None

    def __init__(self, number: int, kind: str, time: float, cause: int | str) -> None:
        self.number = number
        self.kind = kind
        self.time = time
        self.cause = cause


class Recorder:
    """The events of one test.

    :param clock: returns the virtual time, in seconds; None in real time.
    """

    def __init__(self, clock: Callable[[], float] | None) -> None:
        self.events: deque[Event] = deque(maxlen=MOST_KEPT)
        # Other threads record events, too.
        self._numbers = itertools.count(1)
        #: The numbers of the steps in which errors occurred that fail the test.
        self.failing: set[int] = set()
        #: The call that the loop makes now.
        self.running: Event | None = None
        #: By the id of a timer that is set, the event in which it was set.
        self.timers: dict[int, int | str] = {}
        #: True if the loop does not show its calls.
        self.is_blind = False
        self._clock = clock
        self._last_clock = 0.0 if clock is None else clock()
        self._began = monotonic()
        self._thread = get_ident()
        self._lanes: dict[int, Lane] = {}
        self._lane_count = 0
        self._lanes_of_name: Counter[str] = Counter()
        self._main: Lane | None = None
        #: Weakly, too: the tasks that the test has waited for.
        self._mains: list[Callable[[], Any]] = []

    def cause(self) -> int | str:
        """Return the cause of what is registered or happens now."""
        running = self.running
        if get_ident() != self._thread:
            return threading.current_thread().name
        return 0 if running is None else running.number

    @property
    def count(self) -> int:
        """The number of all events, also of dropped ones."""
        return self.events[-1].number if self.events else 0

    def add(self, kind: str, cause: int | str, text: str = "") -> Event:
        """Record an event that begins now; return it."""
        event = Event(next(self._numbers), kind, monotonic() - self._began, cause)
        if self._clock is not None:
            self._set_clock(event, self._clock())
        if text:
            event.text = text[:_LONGEST]
        self.events.append(event)
        return event

    def _set_clock(self, event: Event, clock: float) -> None:
        """Record the virtual time of an event, and an event for its jump."""
        event.clock = clock
        before, self._last_clock = self._last_clock, clock
        if clock != before:
            jump = Event(event.number, JUMP, event.time, 0)
            jump.clock, jump.text = clock, f"time jumps by {clock - before:.6g} s to {clock:.12g} s"
            event.number = next(self._numbers)
            self.events.append(jump)

    def add_main(self, task: "asyncio.Task[Any]") -> None:
        """Record that the test waits for a task."""
        self._mains.append(weakref.ref(task))

    def make(
        self,
        kind: str,
        cause: int | str,
        callback: Any,
        args: tuple[Any, ...],
        call: Callable[[Any], object],
        handle: Any,
    ) -> None:
        """Make a call of the loop, and record it.

        :param callback: the function that is called, as asyncio got it.
        :param call: makes the call of a handle.
        """
        before = self.running
        self.running = event = self.add(kind, cause)
        actor = actors.actor_of(callback, args)
        if actor is None:
            event.text, event.place = actors.function_of(callback, args)
        else:
            if kind == CALLBACK:
                event.kind = STEP
            lane = self._lanes.get(id(actor))
            if lane is not None and lane.actor() is actor:
                event.lane, event.text = lane, GOES_ON
            else:
                event.lane, event.text = self._begin_lane(actor)
            event.place = actors.place_of(actors.coroutine_of(actor))
        try:
            call(handle)
        finally:
            event.ended = monotonic() - self._began
            self.running = before
            if event.lane is not None and isinstance(actor, asyncio.Task) and actor.done():
                self._end(event, actor)

    def _begin_lane(self, actor: Any) -> tuple[Lane, str]:
        """Return the lane of a task or runner that has none yet, and the text for its step."""
        if any(main() is actor for main in self._mains):
            # The test waits for one task after the other.
            text = "begins" if self._main is None else "waits again"
            self._main = lane = self._main or self._new_lane("the test")
            lane.is_of_library, lane.actor = True, weakref.ref(actor)
            self._lanes[id(actor)] = lane
            return lane, text
        name, is_handler = actors.label_of(actor)
        lane = self._lanes[id(actor)] = self._new_lane(name, actor)
        lane.is_of_library = is_handler
        return lane, "begins" if isinstance(actor, asyncio.Task) else GOES_ON

    def _new_lane(self, name: str, actor: Any = None) -> Lane:
        self._lane_count += 1
        self._lanes_of_name[name] += 1
        return Lane(self._lane_count, name, self._lanes_of_name[name], actor)

    def new_request(self, name: str) -> Lane:
        """Return a lane for a request."""
        return self._new_lane(name[:_LONGEST])

    def _end(self, event: Event, task: "asyncio.Task[Any]") -> None:
        """Record the end of a task in its last step."""
        self._lanes.pop(id(task), None)
        error: BaseException | None = getattr(task, "_exception", None)
        if error is not None:
            event.end, event.raised = f"raises {type(error).__qualname__}", id(error)
            event.depth = _depth_of(error)
        else:
            event.end = "is cancelled" if task.cancelled() else "ends"

    def fail(self, error: BaseException) -> None:
        """Record an error that fails the test."""
        events = list(self.events)  # another thread may record one meanwhile
        if any(event.kind == ERROR and event.raised == id(error) for event in events):
            return
        cause = self.cause()
        if cause == 0:
            cause = _origin_of(error, events)
        event = self.add(ERROR, cause, _describe(error))
        event.raised = id(error)
        event.place = _place_of_error(error)
        if isinstance(cause, int) and cause:
            self.failing.add(cause)

    def fault(self, fault: Any, exchange: object) -> None:
        """Record a fault of the network: the test sets it, or it comes into effect.

        :param exchange: the request that meets it, if there is one.
        """
        meets = getattr(exchange, "name", None)
        effect = f" meets {meets}" if isinstance(meets, str) else " comes into effect" if exchange is not None else ""
        self.add(FAULT, self.cause(), f"{fault.where}: {fault.text}{effect}")


def _depth_of(error: BaseException) -> int:
    depth, tb = 0, error.__traceback__
    while tb is not None:
        depth, tb = depth + 1, tb.tb_next
    return depth


def _origin_of(error: BaseException, events: Sequence[Event]) -> int:
    """Return the number of the step that has raised an error first, before other tasks got it; 0 if there is none."""
    end, least, found = f"raises {type(error).__qualname__}", sys.maxsize, 0
    for event in reversed(events):
        if event.raised == id(error) and event.end == end:
            if event.depth >= least:
                break  # an earlier exception
            least, found = event.depth, event.number
    return found


def _describe(error: BaseException) -> str:
    text = (exception_notes.text_of(error) or "").strip().partition("\n")[0]
    return f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__


def _place_of_error(error: BaseException) -> Place | None:
    """Return the innermost line of the user in the traceback of an error."""
    found = None
    tb = error.__traceback__
    while tb is not None:
        if tracebacks.owner_of(tb.tb_frame) is tracebacks.USER:
            found = tb.tb_frame.f_code, tb.tb_lasti
        tb = tb.tb_next
    return found
