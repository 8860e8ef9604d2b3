"""A new kind of resource is one entry in the table: it is recorded, described, closed and allowed like any other."""

import unittest
from operator import methodcaller
from typing import Any
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._leaks import kinds, tracking
from asynctest_tornado._util import origins
from tests.support import run_body


class Lamp:
    """A resource of a library that this one does not know."""

    is_lit = False

    def light(self) -> None:
        self.is_lit = True

    def put_out(self) -> None:
        self.is_lit = False


class BrightLamp(Lamp):
    pass


def look(lamp: Lamp, origin: origins.Origin) -> kinds.Open | None:
    return kinds.Open(f"lit {type(lamp).__name__}", "lamp of the test") if lamp.is_lit else None


LAMPS = kinds.Kind(Lamp, look, methodcaller("put_out"), kinds.Maker("light", frozenset()))


class NewKindTest(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(mock.patch.object(kinds, "KINDS", (*kinds.KINDS, LAMPS)))
        assert LAMPS.made_by is not None
        patch = tracking.patch_of(Lamp, LAMPS.made_by)
        patch.put_in()
        self.addCleanup(patch.take_back)
        self.lamp = BrightLamp()

    def run_test(self, *calls: str, **attributes: Any) -> Any:
        def body(case: Any) -> None:
            for call in calls:
                getattr(self.lamp, call)()

        return run_body(type("Base", (AsyncTestCase,), {"leaks": "fail", **attributes}), body)

    def test_it_is_reported_with_the_line_that_made_it_and_closed(self) -> None:
        result = self.run_test("light")
        self.assertEqual(result.verdicts, ["addFailure"], result.report)
        self.assertRegex(result.report, r"open:\n  lit BrightLamp\n    made at .*test_kinds\.py:\d+ in body: ")
        self.assertFalse(self.lamp.is_lit)

    def test_one_that_the_test_has_closed_is_no_leak(self) -> None:
        result = self.run_test("light", "put_out")
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_it_can_be_allowed_by_type_and_name(self) -> None:
        for allowed in Lamp, BrightLamp, "^lamp of", "Bright":
            self.assertEqual(self.run_test("light", allowed_leaks=[allowed]).verdicts, ["addSuccess"])

    def test_one_that_only_its_own_code_can_end_is_reported(self) -> None:
        kind = kinds.Kind(Lamp, look, made_by=LAMPS.made_by, ends_by_itself=True)
        with mock.patch.object(kinds, "KINDS", (*kinds.KINDS[:-1], kind)):
            self.assertIn("lit BrightLamp", self.run_test("light").report)
        self.assertTrue(self.lamp.is_lit)


class TableTest(unittest.TestCase):
    def test_no_kind_hides_behind_an_earlier_one(self) -> None:
        for kind in kinds.KINDS:
            first = next(each for each in kinds.KINDS if issubclass(kind.cls, each.cls))
            self.assertIs(first, kind)

    def test_each_maker_is_a_method_that_records(self) -> None:
        makers = [(kind.cls, kind.made_by.method) for kind in kinds.KINDS if kind.made_by is not None]
        self.assertEqual([(patch.owner, patch.name) for patch in tracking.patches], makers)
