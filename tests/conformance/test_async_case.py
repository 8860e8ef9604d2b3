"""CPython's own tests of ``IsolatedAsyncioTestCase``, with ``AsyncTestCase`` in its place."""

import importlib
import sys
import unittest
from unittest import mock

from asynctest_tornado import AsyncTestCase

MODULE = "unittest.test.test_async_case" if sys.version_info < (3, 12) else "test.test_unittest.test_async_case"

#: Those that do not pass, and why.
DIFFERENT = {
    "test_deprecation_of_return_val_from_test": "a value that a test returns is an error here, and no warning",
    "test_loop_factory": "a loop is current in setUp() here, wherever it comes from, which needs a policy",
}


class Replacement(AsyncTestCase):
    def _tearDownAsyncioRunner(self) -> None:
        """Do nothing: the tests call it to get rid of the loop."""


def load() -> unittest.TestSuite:
    try:
        module = importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        raise unittest.SkipTest(f"this Python comes without its tests: {error}") from error
    return unittest.defaultTestLoader.loadTestsFromModule(module)


class IsolatedAsyncioTestCaseTest(unittest.TestCase):
    def test_all_tests_pass_but_those_that_differ_for_a_reason(self) -> None:
        suite = load()
        result = unittest.TestResult()
        with mock.patch.object(unittest, "IsolatedAsyncioTestCase", Replacement):
            suite.run(result)
        failed = {test.id().rpartition(".")[2]: text for test, text in result.errors + result.failures}
        self.assertGreater(result.testsRun, 10)
        self.assertLessEqual(failed.keys(), DIFFERENT.keys(), failed)
