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
    GOES_ON,
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

#: The lines of steps that a report shows.
_MOST_LINES = 20
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
    place: str
    """The file and number of the line of code, after "at" or "from", or nothing."""
    source: str
    """The text of this line, or nothing."""
    end: str
    """The rest of the sentence, for example that the task ends; or nothing."""
    cause: int
    """The number of the event of another row that has led to it, or 0."""
    thread: str
    """The name of the thread that has led to it, or nothing."""
    is_failing: bool

    def text(self) -> str:
        """Return the event as one line of a report."""
        begin = " ".join(filter(None, (self.who, self.what, self.place)))
        source = self.source
        too_long = len(begin) + len(f" (`{source}`){self.end}") - _LONGEST_LINE
        if source and too_long > 0:
            source = f"{source.removesuffix('...')[: -too_long - 3]}..."
        text = f"{begin} (`{source}`){self.end}" if source.strip(".") else f"{begin}{self.end}"
        return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 3]}..."

    def is_like(self, other: "Row") -> bool:
        """Return whether another event has the same line in a report, but for its time."""
        return (self.is_failing, self.text()) == (other.is_failing, other.text())


class _Repeated:
    """Events that have the same line in a report, one right after the other."""

    def __init__(self, first: Row, last: Row, count: int) -> None:
        self.first = first
        self.last = last
        self.count = count

    def line(self, width: int) -> str:
        """Return the line, with the time, which is filled up to this width."""
        row, times = self.first, ""
        if self.count > 1:
            until = "" if self.last.when == row.when else f", until {self.last.when}"
            times = f" ({self.count} times{until})"
        return f"{'>' if row.is_failing else ' '} {row.when:>{width}}  {row.text()}{times}"


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
        shown = self._last_different()
        number = sum(each.count for each in shown)
        count = f"{number} of {len(self.rows)} steps" if number < len(self.rows) else "steps"
        lines = [f"The last {count} before the failure:"]
        width = max(len(row.when) for row in self.rows)
        failing = [row for row in self.rows if row.is_failing and row.event.kind != ERROR]
        if failing and failing[-1].event.number < shown[0].first.event.number:
            # The step that has raised the error is further up: it is worth more than the first ones of the last.
            del shown[0]
            lines += [_Repeated(failing[-1], failing[-1], 1).line(width), "  ..."]
        return "\n".join([*lines, *(each.line(width) for each in shown)])

    def _last_different(self) -> list[_Repeated]:
        """Return the last events that have different lines, with the equal ones before each."""
        found: list[_Repeated] = []
        for row in reversed(self.rows):
            if found and found[-1].first.is_like(row):
                found[-1].first = row
                found[-1].count += 1
            elif len(found) == _MOST_LINES:
                break
            else:
                found.append(_Repeated(row, row, 1))
        return found[::-1]


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
        return event.text != GOES_ON
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
    place, source, end = "", "", _end_of(event)
    if event.place is not None:
        place, source = _place_and_source(event.place)
        # A task that goes on does not stay at this line.
        place = f"{'from' if event.text == GOES_ON else 'at'} {place}"
    is_failing = event.kind == ERROR or event.number in failing
    return Row(event, event.lane, when(event), who, what, place, source, end, cause, thread, is_failing)


def _who_and_what(event: Event) -> tuple[str, str]:
    lane = event.lane
    if event.kind in (SENT, ARRIVED) and lane is not None:
        text = "the request" if event.text == lane.name else event.text
        return f"{lane.label}:", f"{text} {'is sent' if event.kind == SENT else 'arrives'}"
    if event.kind in (JUMP, FAULT, ERROR):
        return "", event.text
    if lane is not None:
        return lane.label, event.text
    return event.text, _VERBS[event.kind]


def _end_of(event: Event) -> str:
    """Return the end of the sentence about a step of a task; empty for any other event."""
    if event.lane is None or event.kind not in _CALLS:
        return ""
    by = ", by a timer" if event.kind == TIMER else ""
    if not event.end:
        return by
    return f"{by}{' and' if event.place is None else ', and'} {event.end}"


def when(event: Event) -> str:
    """Return the time of an event: in virtual time, or since the beginning of the trace."""
    return f"{event.time * 1000:.3f} ms" if event.clock is None else f"{event.clock:.6g} s"


def line_of(place: Place) -> str:
    """Return a line of code with its place."""
    where, source = _place_and_source(place)
    return f"{where}: {source}" if source else where


def _place_and_source(place: Place) -> tuple[str, str]:
    """Return the file and number of a line of code, and its text without a comment."""
    filename, number = place[0].co_filename, number_of(place)
    source = linecache.getline(filename, number).partition("  # ")[0].strip()
    if len(source) > _LONGEST_SOURCE:
        source = f"{source[:_LONGEST_SOURCE]}..."
    return f"{names.relative(filename)}:{number}", source


def number_of(place: Place) -> int:
    """Return the number of a line."""
    code, at = place
    if at < 0:
        return code.co_firstlineno
    for start, end, line in code.co_lines():
        if start <= at < end and line is not None:
            return line
    return code.co_firstlineno
