import io
import os
import unittest
from unittest import mock

from asynctest_tornado._runner import progress
from asynctest_tornado._runner.progress import Progress

WIPE = "\r\x1b[K"


class Test(unittest.TestCase):
    def id(self) -> str:
        return "tests.test_sample.Test.runTest"  # short enough for the terminal

    def runTest(self) -> None:
        pass


class ProgressTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 100.0
        self.enterContext(mock.patch.object(progress, "monotonic", self.monotonic))
        self.enterContext(mock.patch.dict(os.environ, COLUMNS="40"))
        self.terminal = io.StringIO()
        self.progress = Progress(self.terminal)
        self.progress.begin_test(Test())
        self.name = Test().id()

    def monotonic(self) -> float:
        return self.now

    def written(self) -> str:
        text = self.terminal.getvalue()
        self.terminal.seek(0)
        self.terminal.truncate()
        return text

    def look_after(self, seconds: float) -> str:
        self.now += seconds
        self.progress.look()
        return self.written()

    def test_a_test_is_shown_once_it_takes_longer_than_a_second(self) -> None:
        self.assertEqual(self.look_after(0.9), "")
        self.assertEqual(self.progress.when, 101.0)
        self.assertEqual(self.look_after(0.1), f"{WIPE}{self.name}: 1 s")
        self.assertEqual(self.look_after(1), f"{WIPE}{self.name}: 2 s")

    def test_what_stood_in_the_line_is_given_back(self) -> None:
        self.progress.write("before\n...")
        self.progress.write("F")
        self.look_after(1)
        self.progress.write(".")
        self.assertEqual(self.written(), f"{WIPE}...F.")

    def test_of_a_line_in_several_rows_the_last_row_is_given_back(self) -> None:
        for length, row in (41, 1), (79, 39), (80, 40), (40, 40):
            self.progress.write("\n" + "." * length)
            self.look_after(1)
            self.progress.end_test()
            self.assertEqual(self.written(), WIPE + "." * row, length)
            self.progress.begin_test(Test())

    def test_colours_take_no_columns(self) -> None:
        dot = "\x1b[32m.\x1b[0m"
        self.progress.write("\n" + 45 * dot)
        self.look_after(1)
        self.progress.end_test()
        self.assertEqual(self.written().removeprefix(WIPE).removeprefix("\x1b[0m"), 5 * dot)

    def test_a_long_name_keeps_its_end(self) -> None:
        with mock.patch.dict(os.environ, COLUMNS="12"):
            text = self.look_after(1).removeprefix(WIPE)
        self.assertLess(len(text), 12)
        self.assertTrue(text.endswith(": 1 s"))

    def test_a_terminal_that_is_too_narrow_for_anything_stays_in_its_line(self) -> None:
        for columns in 1, 3, 4, 5:
            with mock.patch.dict(os.environ, COLUMNS=str(columns)):
                self.assertLess(len(self.look_after(1).removeprefix(WIPE)), columns)

    def test_characters_that_take_two_columns_count_as_two(self) -> None:
        with mock.patch.object(Test, "id", return_value="試" * 30):
            text = self.look_after(1).removeprefix(WIPE)
        self.assertEqual(text, f"...{'試' * 15}: 1 s")

    def test_under_a_debugger_nothing_is_shown(self) -> None:
        namespace = {"__name__": "pdb", "look": lambda: self.look_after(1)}
        exec("text = look()", namespace)
        self.assertEqual(namespace["text"], "")

    def test_between_tests_nothing_is_shown(self) -> None:
        self.progress.end_test()
        self.assertEqual(self.look_after(5), "")

    def test_the_rest_of_the_stream_is_there(self) -> None:
        self.assertFalse(self.progress.isatty())
