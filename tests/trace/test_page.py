import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from unittest import mock

from asynctest_tornado._trace import recorder
from tests.samples import traced
from tests.trace.folders import TraceCase

__unittest = True

_VOID = ("meta",)


class _Parser(HTMLParser):
    """Checks that each element is closed, and collects the elements and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            raise AssertionError(f"{tag} is closed, and is not the innermost element")


class PageTest(TraceCase):
    def elements(self) -> list[tuple[str, dict[str, str | None]]]:
        parser = _Parser()
        parser.feed(self.page())
        self.assertEqual(parser.open, [])
        return parser.elements

    def test_text_of_the_test_is_no_markup(self) -> None:
        self.run_traced(traced.Race)
        self.assertNotIn("<script", self.page())
        self.assertNotIn("script", [tag for tag, _ in self.elements()])

    def test_needs_nothing_from_outside(self) -> None:
        self.run_traced(traced.Web)
        for tag, attributes in self.elements():
            self.assertNotIn(tag, ("script", "link", "img", "iframe", "object", "image", "use"))
            self.assertFalse({name for name in attributes if name == "src" or name.startswith("on")}, tag)
        self.assertNotRegex(self.page(), r"url\((?!#)|@import")

    def test_the_drawing_is_well_formed(self) -> None:
        self.run_traced(traced.Web)
        drawing = re.search("<svg.*</svg>", self.page(), re.DOTALL)
        assert drawing is not None
        ET.fromstring(drawing[0])

    def test_links_lead_to_events(self) -> None:
        with mock.patch.object(traced, "COUNT", 40):
            self.run_traced(traced.Many)
        elements = self.elements()
        ids = {attributes["id"] for tag, attributes in elements if tag == "li"}
        links = [attributes["href"] or "" for tag, attributes in elements if tag == "a"]
        inner = [link for link in links if link.startswith("#")]
        self.assertGreater(len(inner), 5)
        self.assertLessEqual({link.removeprefix("#") for link in inner}, ids)

    def test_has_the_error_also_if_its_step_is_long_ago(self) -> None:
        with mock.patch.object(traced, "COUNT", 40):
            self.run_traced(traced.EarlyError)
        head, _, events = self.page().partition('<div class="trace">')
        (number,) = re.findall(r'<p class="fail"><a href="#e(\d+)" title=".*">LookupError: early</a>', head)
        self.assertRegex(events, rf'<li id="e{number}" class="fails" title="EarlyError.fail_early')
        self.assertEqual(events.count("LookupError: early</"), 0)
        self.assertEqual(events.count(">LookupError: early at <code>"), 1)

    def test_has_both_themes(self) -> None:
        self.run_traced(traced.Race)
        self.assertIn("@media (prefers-color-scheme:dark)", self.page())

    def test_marks_the_failing_step(self) -> None:
        self.run_traced(traced.Race)
        self.assertEqual(len([1 for tag, each in self.elements() if tag == "li" and each.get("class") == "fails"]), 2)

    def test_a_task_has_a_line_and_wakes_have_arrows(self) -> None:
        self.run_traced(traced.Race)
        names = [(attributes.get("class") or "").partition(" ")[0] for tag, attributes in self.elements()]
        self.assertEqual(names.count("lane"), 3)
        # The test wakes both tasks, and one of them the test; then comes the error.
        self.assertEqual(names.count("wake"), 4)

    def test_says_what_it_leaves_out(self) -> None:
        with mock.patch.object(traced, "COUNT", 60), mock.patch.object(recorder, "MOST_KEPT", 2000):
            report = self.run_traced(traced.Many).report
        self.assertEqual(self.page().count("<li "), 600)
        self.assertIn("AssertionError: at the end", self.page().partition('<div class="trace">')[0])
        (summary,) = re.findall("<p>(600 events.*)</p>", self.page())
        self.assertRegex(summary, r"Left out here: 1,\d\d\d events before these")
        self.assertRegex(summary, r"Not kept at all: the first 1,\d\d\d events of the test\.")
        self.assertRegex(summary, r"\d tasks and requests share the last column, for lack of room\.")
        self.assertIn("The last 20 of", report)
