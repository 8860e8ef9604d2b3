import math
import unittest
from fractions import Fraction

from asynctest_tornado import get_async_test_timeout
from asynctest_tornado._timeouts import limits
from tests.support import environ


class GetAsyncTestTimeoutTest(unittest.TestCase):
    def test_the_default_is_five_seconds(self) -> None:
        with environ(ASYNC_TEST_TIMEOUT=None):
            self.assertEqual(get_async_test_timeout(), 5)

    def test_the_environment_is_read_at_each_call(self) -> None:
        for text, seconds in ("10", 10), ("0.25", 0.25), ("0", 0), ("inf", math.inf):
            with self.subTest(text), environ(ASYNC_TEST_TIMEOUT=text):
                self.assertEqual(get_async_test_timeout(), seconds)

    def test_a_malformed_environment_is_an_error_that_says_how_to_mend_it(self) -> None:
        for text in "soon", "", "-1", "nan":
            with self.subTest(text), environ(ASYNC_TEST_TIMEOUT=text):
                expected = (
                    rf"\AThe environment variable ASYNC_TEST_TIMEOUT cannot be '{text}'\. Set it to seconds, .*\.\Z"
                )
                with self.assertRaisesRegex(ValueError, expected):
                    get_async_test_timeout()


class LimitTest(unittest.TestCase):
    def test_argument_goes_before_attribute_before_environment_before_default(self) -> None:
        with environ(ASYNC_TEST_TIMEOUT="3"):
            self.assertEqual(limits.limit(1, 2).seconds, 1)
            self.assertEqual(limits.limit(None, 2).seconds, 2)
            self.assertEqual(limits.limit(None, None).seconds, 3)
        with environ(ASYNC_TEST_TIMEOUT=None):
            self.assertEqual(limits.limit(None, None).seconds, 5)

    def test_it_names_the_setting_that_it_comes_from(self) -> None:
        self.assertIn("argument", limits.limit(1, 2).setting)
        self.assertIn("async_test_timeout", limits.limit(None, 2).setting)
        with environ(ASYNC_TEST_TIMEOUT="3"):
            self.assertEqual(limits.limit(None, None).setting, "the environment variable ASYNC_TEST_TIMEOUT")
        with environ(ASYNC_TEST_TIMEOUT=None):
            self.assertIn("default", limits.limit(None, None).setting)

    def test_a_malformed_environment_does_not_matter_where_something_else_is_set(self) -> None:
        with environ(ASYNC_TEST_TIMEOUT="soon"):
            self.assertEqual(limits.limit(1, None).seconds, 1)

    def test_zero_and_infinity_are_no_limit(self) -> None:
        self.assertFalse(limits.limit(0, None).is_set)
        self.assertFalse(limits.limit(math.inf, None).is_set)
        self.assertTrue(limits.limit(0.001, None).is_set)

    def test_it_takes_all_kinds_of_real_numbers(self) -> None:
        self.assertEqual(limits.limit(Fraction(1, 2), None).seconds, 0.5)  # type: ignore[arg-type]

    def test_what_is_no_number_of_seconds_is_an_error_with_the_value(self) -> None:
        for value, error in (-1, ValueError), (math.nan, ValueError), ("5", TypeError), (True, TypeError):
            with self.subTest(value), self.assertRaisesRegex(error, f"timeout.*{value}"):
                limits.limit(value, None)  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "async_test_timeout"):
            limits.limit(None, "5")  # type: ignore[arg-type]
