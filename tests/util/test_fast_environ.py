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
