"""Server-sent events and lines, out of bytes that are split anywhere."""

import itertools
import re
import unittest

from hypothesis import given
from hypothesis import strategies as st

from asynctest_tornado import ServerSentEvent
from asynctest_tornado._http.server_sent_events import Events
from asynctest_tornado._http.text_lines import Lines


def parse(*chunks: bytes) -> list[ServerSentEvent]:
    events = Events()
    return [event for chunk in chunks for event in events.feed(chunk)] + events.end()


def expected(text: str) -> list[ServerSentEvent]:
    """Parse a whole stream by the letter of https://html.spec.whatwg.org/#event-stream-interpretation."""
    found, data, kind, last_id, retry = [], "", "", "", None
    *lines, _ = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    for line in lines:
        field, value = line, ""
        if ":" in line:
            field, value = line.split(":", 1)
            value = value[1:] if value[:1] == " " else value
        if line == "":
            if data != "":
                found.append(ServerSentEvent(kind or "message", data[:-1], last_id, retry))
                retry = None
            data, kind = "", ""
        elif field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            last_id = value
        elif field == "retry" and re.fullmatch("[0-9]+", value):
            retry = int(value)
    return found


_VALUES = st.text(alphabet="a1 :\0é²\ufeff\u2028", max_size=4)
_FIELDS = st.sampled_from(["data", "event", "id", "retry", "", "other", " data", "Data"])
_LINES = st.one_of(
    st.just(""),
    st.builds("{}{}{}".format, _FIELDS, st.sampled_from([":", ": ", ":  ", ""]), _VALUES),
    st.builds("retry: {}".format, st.integers(0, 99)),
)
_STREAMS = st.builds(
    lambda mark, lines: mark + "".join(line + end for line, end in lines),
    st.sampled_from(["", "\ufeff", "\ufeff\ufeff"]),
    st.lists(st.tuples(_LINES, st.sampled_from(["\n", "\r", "\r\n"])), max_size=20),
)


class EventsTest(unittest.TestCase):
    @given(_STREAMS, st.sampled_from(["", "data: unfinished", "\r"]), st.lists(st.integers(0, 400)))
    def test_events_are_the_same_wherever_the_bytes_are_split(self, stream: str, rest: str, splits: list[int]) -> None:
        data = (stream + rest).encode()
        places = [0, *sorted(min(place, len(data)) for place in splits), len(data)]
        chunks = [data[start:end] for start, end in itertools.pairwise(places)]
        self.assertEqual(parse(*chunks), expected(stream + rest))
        self.assertEqual(parse(*(bytes([byte]) for byte in data)), expected(stream + rest))

    def test_an_event_has_the_fields_of_the_standard(self) -> None:
        self.assertEqual(
            parse(b": comment\nevent: price\nid: 7\nretry: 3000\ndata: one\ndata:  two\n\n"),
            [ServerSentEvent("price", "one\n two", "7", 3000)],
        )

    def test_the_id_lasts_and_the_other_fields_do_not(self) -> None:
        events = parse(b"id: 7\nevent: a\nretry: 1\ndata: x\n\ndata: y\n\nid\ndata: z\n\n")
        self.assertEqual(
            events, [ServerSentEvent("a", "x", "7", 1), ServerSentEvent(data="y", id="7"), ServerSentEvent(data="z")]
        )

    def test_without_data_there_is_no_event(self) -> None:
        self.assertEqual(parse(b"event: a\n\n:\n\nretry: 5\n\ndata\n\n"), [ServerSentEvent(retry=5)])

    def test_an_event_is_there_as_soon_as_its_empty_line_has_begun(self) -> None:
        for end in b"\n\n", b"\r\r", b"\r\n\r":
            with self.subTest(end=end):
                self.assertEqual(parse(b"data: a" + end), [ServerSentEvent(data="a")])
        self.assertEqual(parse(b"data: a\r\n\r", b"\ndata: b\r\n", b"\r\n"), parse(b"data: a\n\ndata: b\n\n"))

    def test_an_event_without_an_empty_line_is_dropped(self) -> None:
        events = Events()
        self.assertEqual(events.feed(b"data: a\n"), [])
        self.assertTrue(events.has_unfinished)
        self.assertEqual(events.end(), [])

    def test_bytes_that_are_no_text_are_replaced(self) -> None:
        self.assertEqual(parse(b"data: \xff\n\n"), [ServerSentEvent(data="\ufffd")])

    def test_json(self) -> None:
        [event] = parse(b'data: {"a":\ndata: 1}\n\n')
        self.assertEqual(event.json(), {"a": 1})
        with self.assertRaisesRegex(ValueError, "no JSON.* begins with 'tea'"):
            ServerSentEvent(data="tea").json()


class LinesTest(unittest.TestCase):
    @given(st.text(alphabet="aé\u2028\r\n", max_size=30), st.lists(st.integers(0, 60)))
    def test_lines_are_the_same_wherever_the_bytes_are_split(self, text: str, splits: list[int]) -> None:
        data = text.encode()
        places = [0, *sorted(min(place, len(data)) for place in splits), len(data)]
        lines = Lines("utf-8")
        found = [line for start, end in itertools.pairwise(places) for line in lines.feed(data[start:end])]
        *wanted, last = re.split("\r\n|\r|\n", text)
        self.assertEqual(found, wanted)
        self.assertEqual(lines.end(), [last] if last else [])

    def test_a_line_in_many_chunks(self) -> None:
        lines = Lines("latin-1")
        self.assertEqual([lines.feed(b"\xe9") for _ in range(3)] + [lines.feed(b"\n")], [[], [], [], ["ééé"]])

    def test_wrong_bytes_are_an_error(self) -> None:
        with self.assertRaises(UnicodeDecodeError):
            Lines("utf-8").feed(b"\xff\n")
        lines = Lines("utf-8")
        lines.feed(b"\xc3")
        with self.assertRaises(UnicodeDecodeError):
            lines.end()
