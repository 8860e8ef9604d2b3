"""Tornado's own tests, run by workers of pytest.

python -m tests.conformance.in_pytest [OPTION_OF_PYTEST...]

is a plugin of the pytest that it runs, so that each worker imports it before anything imports tornado.testing.
"""

import logging
import sys
from typing import Any

import asynctest_tornado.replace  # noqa: F401

# As Tornado's own runner does: the tests expect messages, and say so.
logging.getLogger("tornado.access").setLevel(logging.CRITICAL)

#: Tests that cannot pass, and why.
EXCEPTIONS = {
    "api_test.py::APISnapshotTest::test_api_snapshot": "a snapshot of which module each name is defined in",
    "testing_test.py::AsyncTestCaseReturnAssertionsTest::test_undecorated_coroutine": "an async def needs no decorator",
    "testing_test.py::AsyncTestCaseWrapperTest::test_undecorated_coroutine": "the same, in Tornado 6.4",
    "testing_test.py::AsyncTestCaseWrapperTest::test_unwrap": "there is no wrapper, in Tornado 6.4",
}


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    left_out = [item for item in items if item.nodeid.endswith(tuple(EXCEPTIONS))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def main() -> None:
    import pytest

    options = [
        "-q",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestCollectionWarning",
        "-p",
        "tests.conformance.in_pytest",
        *sys.argv[1:],
    ]
    sys.exit(pytest.main([*options, "--pyargs", "tornado.test"]))


if __name__ == "__main__":
    main()
