import unittest
from typing import Any

from asynctest_tornado._errors import notes
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import Feature, Features
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.phase import phase


def fail(error: BaseException) -> None:
    raise error


class Hint(Feature):
    """Adds a note to each failure."""

    def notes(self, harness: Harness, error: BaseException) -> None:
        notes.add(error, "The hint of the test.", harness.trap, once=True)


class PhaseTest(unittest.TestCase):
    def setUp(self) -> None:
        self.harness = HarnessByHand(lambda: "it", features=Features([Hint()]))
        self.trap = self.harness.trap

    def notes_after(self, func: Any, *args: Any, **kwargs: Any) -> list[str]:
        with self.assertRaises(BaseException) as caught:
            phase(self.harness, func, *args, **kwargs)
        self.assertEqual(str(caught.exception), "planted")
        return getattr(caught.exception, "__notes__", [])

    def test_it_returns_the_result(self) -> None:
        for is_main in False, True:
            self.assertEqual(phase(self.harness, max, 1, 2, is_main=is_main), 2)

    def test_an_error_gets_the_notes_of_the_report(self) -> None:
        for is_main in False, True:
            error = ValueError("planted")
            self.assertEqual(self.notes_after(fail, error, is_main=is_main), ["The hint of the test."])
            self.assertIs(self.trap.failure, error)

    def test_an_error_that_passes_several_phases_gets_each_note_once(self) -> None:
        def outer() -> None:
            phase(self.harness, fail, ValueError("planted"))

        self.assertEqual(self.notes_after(outer, is_main=True), ["The hint of the test."])

    def test_a_skip_gets_none(self) -> None:
        for is_main in False, True:
            self.assertEqual(self.notes_after(fail, unittest.SkipTest("planted"), is_main=is_main), [])
            self.assertIsNone(self.trap.failure)

    def test_the_main_phase_raises_the_trapped_errors(self) -> None:
        error = ValueError("planted")
        self.assertEqual(self.notes_after(self.trap.add, error, is_main=True), ["The hint of the test."])
        self.assertIs(self.trap.failure, error)

    def test_other_phases_leave_them_to_the_verdict(self) -> None:
        error = ValueError("planted")
        phase(self.harness, self.trap.add, error)
        self.assertIs(self.trap.close(), error)

    def test_the_main_phase_ends_with_its_own_error_first(self) -> None:
        other = ValueError("other")

        def test() -> None:
            self.trap.add(other)
            raise ValueError("planted")

        self.notes_after(test, is_main=True)
        self.assertIs(self.trap.close(), other)

    def test_the_main_phase_records_its_error_so_that_it_is_reported_once(self) -> None:
        def test(error: BaseException) -> None:
            self.trap.add(error)
            raise error

        for error in ValueError("planted"), GeneratorExit("planted"):
            with self.subTest(error):
                self.notes_after(test, error, is_main=True)
                self.trap.add(error)  # by a future that has failed of it as well
                self.assertFalse(self.trap.has_errors)
