"""Writes a trace as Chrome trace events, which Perfetto opens."""

import json
from typing import Any

from asynctest_tornado._trace.recorder import ERROR, FAULT, JUMP, Event
from asynctest_tornado._trace.story import Story, line_of

__unittest = True

_PROCESS = 1
#: The thread for events that are of no task and no request; lanes come after it.
_CALLBACKS = 1
#: The shortest time between two events, in microseconds: a nanosecond, which Perfetto tells apart.
_TICK = 0.001
_INSTANTS = (JUMP, FAULT, ERROR)


def text(story: Story) -> str:
    """Return the trace as JSON. Times are real ones, in microseconds since the beginning of the trace."""
    return json.dumps(
        {
            "traceEvents": _events(story),
            "displayTimeUnit": "ns",
            "otherData": {"test": story.title, "order": story.hint, "events_before": story.dropped},
        },
        indent=None,
        separators=(",", ":"),
    )


def _events(story: Story) -> list[dict[str, Any]]:
    found = _metadata(story)
    known: dict[int, tuple[int, float]] = {}
    last = 0.0
    for event in story.events:
        began = max(event.time * 1e6, last + 2 * _TICK)
        last = began
        thread = _thread(event)
        known[event.number] = thread, began
        if event.kind in _INSTANTS:
            found.append({**_common(event, thread, began), "ph": "i", "s": "p" if event.kind == JUMP else "t"})
        else:
            found.append(
                {
                    **_common(event, thread, began),
                    "ph": "X",
                    "dur": max((event.ended or event.time) * 1e6 - began, _TICK),
                }
            )
        for kind, number in (("wake", event.cause), ("message", event.message)):
            if isinstance(number, int) and number in known and event.kind not in _INSTANTS:
                found += _flow(kind, event.number, known[number], (thread, began))
    return found


def _metadata(story: Story) -> list[dict[str, Any]]:
    threads = {_CALLBACKS: "callbacks"}
    for event in story.events:
        if event.lane is not None:
            threads[_thread(event)] = event.lane.label
    found = [_meta("process_name", 0, {"name": story.title})]
    for thread, name in threads.items():
        found.append(_meta("thread_name", thread, {"name": name}))
        found.append(_meta("thread_sort_index", thread, {"sort_index": thread}))
    return found


def _meta(name: str, thread: int, args: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "M", "name": name, "pid": _PROCESS, "tid": thread, "ts": 0, "args": args}


def _thread(event: Event) -> int:
    return _CALLBACKS if event.lane is None else _CALLBACKS + event.lane.number


def _common(event: Event, thread: int, began: float) -> dict[str, Any]:
    name = event.text
    args: dict[str, Any] = {"number": event.number}
    if event.place is not None:
        args["line"] = line_of(event.place)
        name = f"{name} {args['line']}" if event.lane is not None else name
    if event.clock is not None:
        args["virtual_seconds"] = event.clock
    if event.end:
        args["end"] = event.end
    if isinstance(event.cause, str):
        args["thread"] = event.cause
    return {"name": name, "cat": event.kind, "pid": _PROCESS, "tid": thread, "ts": round(began, 3), "args": args}


def _flow(
    kind: str, number: int, source: tuple[int, float], target: tuple[int, float]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an arrow between two slices: its ends bind to the slices that they lie in."""
    common = {"name": kind, "cat": kind, "id": f"{kind}{number}", "pid": _PROCESS}
    return (
        {**common, "ph": "s", "tid": source[0], "ts": round(source[1], 3)},
        {**common, "ph": "f", "bp": "e", "tid": target[0], "ts": round(target[1], 3)},
    )
