import os
import unittest
from unittest import mock

from asynctest_tornado._util import fast_environ
from tests.support import environ


class GetTest(unittest.TestCase):
    def test_it_is_what_os_says(self) -> None:
        with environ(ASYNC_TEST_X=None):
            self.assertIsNone(fast_environ.get("ASYNC_TEST_X"))
            for value in "", "1", "ä":
                os.environ["ASYNC_TEST_X"] = value
                self.assertEqual(fast_environ.get("ASYNC_TEST_X"), value)

    def test_it_is_what_a_mock_says(self) -> None:
        with mock.patch.dict(os.environ, {"ASYNC_TEST_X": "patched"}):
            self.assertEqual(fast_environ.get("ASYNC_TEST_X"), "patched")
        with mock.patch("os.environ", {"ASYNC_TEST_X": "replaced"}):
            self.assertEqual(fast_environ.get("ASYNC_TEST_X"), "replaced")
        with mock.patch("os.environ"):  # it has a value for each name, but no text
            self.assertIsNone(fast_environ.get("ASYNC_TEST_X"))

    def test_a_mock_in_the_place_of_the_environment_is_forgotten(self) -> None:
        names = frozenset({"ASYNC_TEST_Y", "ASYNC_TEST_Z"})
        with mock.patch("os.environ"):
            self.assertIsNone(fast_environ.get("ASYNC_TEST_Y"))
            self.assertIs(fast_environ.is_any_set(names), False)
        with mock.patch.dict(os.environ, ASYNC_TEST_Y="set"):
            self.assertEqual(fast_environ.get("ASYNC_TEST_Y"), "set")
            self.assertIs(fast_environ.is_any_set(names), True)


class IsAnySetTest(unittest.TestCase):
    names = frozenset({"ASYNC_TEST_X", "ASYNC_TEST_Y"})

    def test_it_is_what_os_says(self) -> None:
        with environ(ASYNC_TEST_X=None, ASYNC_TEST_Y=None):
            self.assertIs(fast_environ.is_any_set(self.names), False)
            for value in "", "1", "ä":
                os.environ["ASYNC_TEST_Y"] = value
                self.assertIs(fast_environ.is_any_set(self.names), True)
            del os.environ["ASYNC_TEST_Y"]
            self.assertIs(fast_environ.is_any_set(self.names), False)

    def test_it_is_what_a_mock_says(self) -> None:
        with mock.patch.dict(os.environ, {"ASYNC_TEST_X": "patched"}):
            self.assertIs(fast_environ.is_any_set(self.names), True)
        with mock.patch("os.environ", {"ASYNC_TEST_X": "replaced"}):
            self.assertIs(fast_environ.is_any_set(self.names), True)
        with mock.patch("os.environ", {}):
            self.assertIs(fast_environ.is_any_set(self.names), False)
        with mock.patch("os.environ"):  # it has a value for each name, but no text
            self.assertIs(fast_environ.is_any_set(self.names), False)
