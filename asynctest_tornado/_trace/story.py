"""Tells the events of a trace in the lines of the user.

The report has the last steps, and the page a line for each.
"""

# Tested by tests/trace/test_trace.py.

import linecache
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asynctest_tornado._trace.actors import Place
from asynctest_tornado._trace.recorder import (
    ARRIVED,
    CALLBACK,
    ERROR,
    FAULT,
    FILE,
    JUMP,
    SENT,
    STEP,
    TIMER,
    Event,
    Lane,
    Recorder,
)
from asynctest_tornado._util import names

__unittest = True

#: The steps that a report shows.
_MOST_STEPS = 20
_LONGEST_LINE = 180
_LONGEST_SOURCE = 70
_CALLS = (STEP, CALLBACK, TIMER, FILE)
_VERBS = {CALLBACK: "is called", TIMER: "is called by a timer", FILE: "is called for a file"}


@dataclass(frozen=True, eq=False)
class Row:
    """An event that the user may want to know of."""

    event: Event
    lane: Lane | None
    when: str
    who: str
    """The task, function or request; empty if there is none."""
    what: str
    line: str
    """The line of code with its place, or nothing."""
    cause: int
    """The number of the event of another row that has led to it, or 0."""
    thread: str
    """The name of the thread that has led to it, or nothing."""
    is_failing: bool

    def text(self) -> str:
        """Return the event as one line of a report."""
        at = f" at {self.line}" if self.line else ""
        text = f"{f'{self.who} ' if self.who else ''}{self.what}{at}"
        return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 3]}..."

    def line_of_report(self, width: int) -> str:
        """Return the event with its time, which is filled up to this width."""
        return f"{'>' if self.is_failing else ' '} {self.when:>{width}}  {self.text()}"


@dataclass(frozen=True, eq=False)
class Story:
    """The events of one test, for people."""

    title: str
    hint: str
    """How to repeat the order of the run, or nothing."""
    events: Sequence[Event]
    """The events that were kept, in their order."""
    rows: Sequence[Row]
    dropped: int
    """The number of events before, which were not kept."""
    is_blind: bool

    @property
    def hidden(self) -> int:
        """The number of calls in which no line of the user runs."""
        return len(self.events) - len(self.rows)

    def last_steps(self) -> str:
        """Return the last steps, for a report."""
        if self.is_blind:
            return "The trace has no steps of tasks: the loop is none of asyncio's own."
        if not self.rows:
            return "The trace has no steps: the loop has not run."
        shown = list(self.rows[-_MOST_STEPS:])
        count = f"{len(shown)} of {len(self.rows)} steps" if len(shown) < len(self.rows) else "steps"
        lines = [f"The last {count} before the failure:"]
        width = max(len(row.when) for row in self.rows)
        failing = [row for row in self.rows if row.is_failing and row.event.kind != ERROR]
        if failing and failing[-1].event.number < shown[0].event.number:
            # The step that has raised the error is further up: it is worth more than the first ones of the last.
            del shown[0]
            lines += [failing[-1].line_of_report(width), "  ..."]
        return "\n".join([*lines, *(row.line_of_report(width) for row in shown)])


def tell(recorder: Recorder, title: str, hint: str = "") -> Story:
    """Return the story of what a recorder has recorded."""
    events = list(recorder.events)
    by_number = {event.number: event for event in events}
    shown = {event.number for event in events if _is_shown(event, by_number)}
    failing = {_shown_cause(number, shown, by_number)[0] for number in recorder.failing}
    rows = [_row(event, shown, by_number, failing) for event in events if event.number in shown]
    dropped = recorder.count - len(events)
    return Story(title, hint, events, rows, dropped, recorder.is_blind)


def _is_shown(event: Event, by_number: dict[int, Event]) -> bool:
    if event.kind not in _CALLS or event.place is not None:
        return True
    if event.lane is not None and event.lane.is_of_library:
        return event.text != "goes on"
    if event.kind == TIMER and isinstance(event.cause, int):
        cause = by_number.get(event.cause)
        return cause is not None and cause.place is not None
    return False


def _shown_cause(cause: int | str, shown: set[int], by_number: dict[int, Event]) -> tuple[int, str]:
    """Return the nearest event that has a row and has led to another one, or the thread that has."""
    while isinstance(cause, int) and cause in by_number and cause not in shown:
        cause = by_number[cause].cause
    if isinstance(cause, str):
        return 0, cause
    return cause if cause in shown else 0, ""


def _row(event: Event, shown: set[int], by_number: dict[int, Event], failing: Iterable[int]) -> Row:
    cause, thread = _shown_cause(event.cause, shown, by_number)
    who, what = _who_and_what(event)
    line = "" if event.place is None else line_of(event.place)
    is_failing = event.kind == ERROR or event.number in failing
    return Row(event, event.lane, when(event), who, what, line, cause, thread, is_failing)


def _who_and_what(event: Event) -> tuple[str, str]:
    lane = event.lane
    if event.kind == STEP and lane is not None:
        return lane.label, f"{event.text}{f' and {event.end}' if event.end else ''}"
    if event.kind in (SENT, ARRIVED) and lane is not None:
        text = "the request" if event.text == lane.name else event.text
        return f"{lane.label}:", f"{text} {'is sent' if event.kind == SENT else 'arrives'}"
    if event.kind in (JUMP, FAULT, ERROR):
        return "", event.text
    if lane is not None:
        return lane.label, f"{event.text}, by a timer" if event.kind == TIMER else event.text
    return event.text, _VERBS[event.kind]


def when(event: Event) -> str:
    """Return the time of an event: in virtual time, or since the beginning of the trace."""
    return f"{event.time * 1000:.3f} ms" if event.clock is None else f"{event.clock:.6g} s"


def line_of(place: Place) -> str:
    """Return a line of code with its place."""
    filename, number = place[0].co_filename, number_of(place)
    source = linecache.getline(filename, number).strip()
    if len(source) > _LONGEST_SOURCE:
        source = f"{source[:_LONGEST_SOURCE]}..."
    where = f"{names.relative(filename)}:{number}"
    return f"{where}: {source}" if source else where


def number_of(place: Place) -> int:
    """Return the number of a line."""
    code, at = place
    if at < 0:
        return code.co_firstlineno
    for start, end, line in code.co_lines():
        if start <= at < end and line is not None:
            return line
    return code.co_firstlineno
