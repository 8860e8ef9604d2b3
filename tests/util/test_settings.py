import enum
import re
import threading
import unittest
from typing import Any

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase
from asynctest_tornado._util.settings import (
    ALLOWED_LEAKS,
    CLOCK_FACTORY,
    LEAKS,
    SCHEDULES,
    SEED,
    SETTINGS,
    TIMEOUT,
    Given,
    Setting,
)
from tests.support import RecordingResult, environ


class FindTest(unittest.TestCase):
    def test_the_nearest_place_counts(self) -> None:
        with environ(ASYNC_TEST_LEAKS="ignore"):
            near, far = Given("fail", "the marker"), Given("note", "the option", is_text=True)
            self.assertEqual(LEAKS.find("warn", [near, far]), ("fail", "the marker"))
            self.assertEqual(LEAKS.find("warn", [Given(None, "the marker"), far]), ("note", "the option"))
            self.assertEqual(LEAKS.find("warn"), ("warn", "the class attribute leaks"))
            self.assertEqual(LEAKS.find(), ("ignore", "the environment variable ASYNC_TEST_LEAKS"))
        with environ(ASYNC_TEST_LEAKS=None):
            self.assertEqual(LEAKS.find()[0], "warn")

    def test_a_wrong_value_in_a_place_that_does_not_count_is_no_error(self) -> None:
        with environ(ASYNC_TEST_TIMEOUT="soon"):
            self.assertEqual(TIMEOUT.find(3)[0], 3)
            self.assertEqual(TIMEOUT.find("soon", [Given(2, "the marker")])[0], 2)

    def test_an_attribute_of_the_suite_is_no_setting(self) -> None:
        """A suite for tornado.testing may have a method, or a collection, of the same name."""

        class Inventory(AsyncTestCase):
            schedules: Any = ["every Monday"]  # noqa: RUF012  # as suites write it

            def leaks(self) -> list[str]:  # type: ignore[override]
                return ["the cellar"]

            def test(self) -> None:
                self.assertEqual((self.schedules, self.leaks()), (["every Monday"], ["the cellar"]))

        result = RecordingResult()
        Inventory("test").run(result)
        self.assertEqual(result.verdicts, ["addSuccess"])
        with environ(ASYNC_TEST_LEAKS="fail"):
            self.assertEqual(LEAKS.find({}), ("fail", "the environment variable ASYNC_TEST_LEAKS"))
        with self.assertRaisesRegex(ValueError, "^The class attribute allowed_leaks cannot be"):
            ALLOWED_LEAKS.find(["("])

    def test_the_environment_is_read_each_time(self) -> None:
        for text, seed in ("7", 7), ("0", 0), (None, None):
            with environ(ASYNC_TEST_SEED=text):
                self.assertEqual(SEED.find()[0], seed)


class WrongVariableTest(unittest.TestCase):
    """A wrong environment variable ends the run: each other test would fail of it, too."""

    def run_two(self, **attributes: object) -> RecordingResult:
        async def body(case: AsyncTestCase) -> None: ...

        cls = type("Sample", (AsyncTestCase,), {"test_a": body, "test_b": body, **attributes})
        result = RecordingResult()
        unittest.TestSuite([cls("test_a"), cls("test_b")]).run(result)
        return result

    def test_it_is_reported_once(self) -> None:
        for name in "TIMEOUT", "LEAKS", "SCHEDULES", "SEED":
            for _ in range(2):  # so of each run
                with self.subTest(name), environ(**{f"ASYNC_TEST_{name}": "soon"}):
                    result = self.run_two()
                    self.assertEqual(result.verdicts, ["addError"], result.report)
                    self.assertRegex(
                        result.report,
                        rf"\AValueError: The environment variable ASYNC_TEST_{name} cannot be 'soon'\. Set it to .*\n"
                        r"The run ends here: each test would fail of that\.\n\Z",
                    )

    def test_the_attribute_of_a_class_is_of_no_other_class(self) -> None:
        for name in "async_test_timeout", "leaks", "schedules":
            with self.subTest(name):
                self.assertEqual(self.run_two(**{name: "soon"}).verdicts, ["addError", "addError"])

    def test_tests_that_do_not_need_it_run(self) -> None:
        with environ(ASYNC_TEST_TIMEOUT="soon"):
            self.assertEqual(self.run_two(async_test_timeout=3).verdicts, ["addSuccess", "addSuccess"])


class ReadTest(unittest.TestCase):
    def test_each_wrong_value_is_an_error_with_its_place_and_the_right_values(self) -> None:
        wrong: list[tuple[Setting[Any], list[object], list[object], list[str]]] = [
            (TIMEOUT, ["5", True, None, 1j], [-1, float("nan")], ["soon", "", "-1", "nan"]),
            (LEAKS, [], ["error", "", 5, []], ["yes"]),
            (SCHEDULES, ["5", True, 2.0], [0, -1], ["x", "0", "2.0"]),
            (SEED, ["5", True], [-1], ["x", "-1"]),
            (ALLOWED_LEAKS, ["x", int, 5, [5]], [["("]], []),
            (CLOCK_FACTORY, [5], [], []),
        ]
        for setting, of_wrong_type, of_right_type, texts in wrong:
            for kind, values in (TypeError, of_wrong_type), (ValueError, of_right_type), (ValueError, texts):
                for value in values:
                    expected = rf"\AThe place cannot be {re.escape(repr(value))}(: .*)?\. Set it to "
                    with self.subTest(value), self.assertRaisesRegex(kind, expected) as caught:
                        setting.read(value, "the place", is_text=values is texts)
                    self.assertTrue(str(caught.exception).endswith(f" Set it to {setting.right}."))

    def test_texts_stand_for_values(self) -> None:
        self.assertEqual(TIMEOUT.read("0.5", "", is_text=True), 0.5)
        self.assertEqual(SCHEDULES.read("50", "", is_text=True), 50)
        self.assertEqual(LEAKS.read("fail", "", is_text=True), "fail")

    def test_a_member_of_an_enumeration_stands_for_its_text(self) -> None:
        class Consequence(str, enum.Enum):  # noqa: UP042  # str() of a StrEnum is its value, and works anyhow
            FAIL = "fail"

        self.assertEqual(LEAKS.read(Consequence.FAIL, "the place"), "fail")

    def test_a_reason_says_which_part_is_wrong(self) -> None:
        for value, reason in (("x", r"write \('x',\)"), (["("], r"pattern '\(' is malformed"), ([1], "1 is neither")):
            with self.subTest(value), self.assertRaisesRegex((TypeError, ValueError), reason):
                ALLOWED_LEAKS.read(value, "the place")
        self.assertEqual(ALLOWED_LEAKS.read([threading.Thread, "a"], ""), (threading.Thread, re.compile("a")))


class TableTest(unittest.TestCase):
    def test_no_name_stands_there_twice(self) -> None:
        for kind in "attribute", "variable", "option", "argument", "pytest_option", "ini":
            names = [name for setting in SETTINGS if (name := getattr(setting, kind))]
            self.assertEqual(len(set(names)), len(names), kind)
            self.assertGreater(len(names), 0, kind)

    def test_the_defaults_of_attributes_are_right(self) -> None:
        """An attribute of None stands for the environment, else the default of the table."""
        for setting in SETTINGS:
            if setting.attribute:
                own = getattr(AsyncHTTPTestCase, setting.attribute)
                self.assertEqual(own, None if setting.variable else setting.default, setting.attribute)

    def test_each_default_is_a_right_value(self) -> None:
        for setting in SETTINGS:
            if setting.default is not None:
                self.assertEqual(setting.read(setting.default, "the place"), setting.default)

    def test_each_option_has_a_variable_and_help(self) -> None:
        for setting in SETTINGS:
            if setting.option:
                self.assertTrue(setting.variable and setting.meaning, setting.option)
                self.assertEqual(bool(setting.unit), not isinstance(setting.default, bool), "a switch has no value")
            if setting.ini:
                self.assertTrue(setting.pytest_meaning, setting.ini)
