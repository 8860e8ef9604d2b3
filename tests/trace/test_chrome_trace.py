from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from unittest import mock

from tests.samples import traced
from tests.trace.folders import TraceCase

__unittest = True

#: The fields that each phase has to have, and may have, as "Trace Event Format" of the Chromium project lists them.
_NEEDED = {
    "M": {"name", "ph", "pid", "tid", "args"},
    "X": {"name", "cat", "ph", "pid", "tid", "ts", "dur"},
    "i": {"name", "cat", "ph", "pid", "tid", "ts", "s"},
    "s": {"name", "cat", "ph", "pid", "tid", "ts", "id"},
    "f": {"name", "cat", "ph", "pid", "tid", "ts", "id", "bp"},
}
_MAY_HAVE = {"M": {"ts"}, "X": {"args"}, "i": {"args"}, "s": set[str](), "f": set[str]()}
_OF_METADATA = {"process_name": "name", "thread_name": "name", "thread_sort_index": "sort_index"}


def mistakes(trace: Any) -> list[str]:
    """Return the ways in which a trace is none that Perfetto takes as it is meant."""
    events: Sequence[dict[str, Any]] = trace["traceEvents"]
    found = [problem for event in events for problem in _of_fields(event)]
    slices = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            slices[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for thread, spans in slices.items():
        found += _of_nesting(thread, spans)
    return found + _of_flows(events, slices) + _of_threads(events)


def _of_fields(event: dict[str, Any]) -> list[str]:
    phase = event.get("ph", "")
    if phase not in _NEEDED:
        return [f"unknown phase: {event}"]
    found = [f"lacks {name}: {event}" for name in _NEEDED[phase] - event.keys()]
    found += [f"has {name}: {event}" for name in event.keys() - _NEEDED[phase] - _MAY_HAVE[phase]]
    found += [f"{name} is no integer: {event}" for name in ("pid", "tid") if type(event.get(name)) is not int]
    times = [event[name] for name in ("ts", "dur") if name in event]
    if any(isinstance(time, bool) or not isinstance(time, int | float) or not time >= 0 for time in times):
        found.append(f"a time is no number: {event}")
    if phase == "M" and type(event["args"].get(_OF_METADATA[event["name"]])) not in (int, str):
        found.append(f"metadata without its value: {event}")
    if phase == "i" and event["s"] not in ("g", "p", "t"):
        found.append(f"unknown scope: {event}")
    return found


def _of_nesting(thread: object, spans: Sequence[tuple[float, float]]) -> list[str]:
    """Slices of one thread lie in each other, or apart."""
    open_until: list[float] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        while open_until and open_until[-1] <= start:
            open_until.pop()
        if open_until and end > open_until[-1] + 1e-6:
            return [f"slices of {thread} overlap at {start}"]
        open_until.append(end)
    return []


def _of_flows(events: Sequence[dict[str, Any]], slices: Any) -> list[str]:
    found = []
    starts = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    found += [f"flow without its other end: {each}" for each in starts.keys() ^ ends.keys()]
    if len(starts) + len(ends) != sum(event["ph"] in "sf" for event in events):
        found.append("two flows have one id")
    for flow in (*starts.values(), *ends.values()):
        spans = slices[flow["pid"], flow["tid"]]
        if not any(start <= flow["ts"] <= end for start, end in spans):
            found.append(f"no slice for {flow}")
    found += [f"runs back: {each}" for each in starts.keys() & ends.keys() if starts[each]["ts"] > ends[each]["ts"]]
    return found


def _of_threads(events: Sequence[dict[str, Any]]) -> list[str]:
    named = {event["tid"] for event in events if event["name"] == "thread_name"}
    return [f"thread without a name: {event}" for event in events if event["ph"] != "M" and event["tid"] not in named]


class FormatTest(TraceCase):
    def test_all_kinds_of_events_keep_to_the_format(self) -> None:
        for cls in (traced.Race, traced.Timers, traced.Web, traced.RealWeb, traced.FromThread, traced.OrderedRace):
            with self.subTest(cls.__name__):
                self.run_traced(cls)
                for path in self.folder.glob("*.json"):
                    path.rename(path.with_name("one.json"))
                self.assertEqual(mistakes(self.trace()), [])

    def test_many_events_keep_to_it(self) -> None:
        with mock.patch.object(traced, "COUNT", 100):
            self.run_traced(traced.Many)
        self.assertEqual(mistakes(self.trace()), [])
        self.assertGreater(len(self.slices()), 10_000)

    def test_the_check_finds_mistakes(self) -> None:
        self.run_traced(traced.Race)
        trace = self.trace()
        flow = next(event for event in trace["traceEvents"] if event["ph"] == "f")
        for name, value in (("id", "none"), ("tid", 99), ("ts", 1e12), ("bp", None), ("ph", "Q"), ("pid", "1")):
            with self.subTest(name), mock.patch.dict(flow, {name: value}):
                if value is None:
                    del flow[name]
                self.assertNotEqual(mistakes(trace), [])

    def test_a_message_is_an_arrow_from_its_sender(self) -> None:
        self.run_traced(traced.RealWeb)
        flows = [event for event in self.trace()["traceEvents"] if event.get("cat") == "message"]
        # Request, response, two messages, two close frames.
        self.assertEqual(len(flows), 12)

    def test_a_call_from_another_thread_names_it(self) -> None:
        self.run_traced(traced.FromThread)
        threads = [event["args"].get("thread") for event in self.slices()]
        self.assertIn("the helper", threads)
