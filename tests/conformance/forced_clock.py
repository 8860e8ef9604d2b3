"""Tornado's own tests, in virtual time.

python -m tests.conformance.forced_clock [MODULE...]

prints a table, and then each test that fails. Without arguments, all modules are run whose tests use an event loop.
"""

import logging
import sys
import time
import unittest

from tests.samples import in_virtual_time  # noqa: F401  # before anything imports tornado.testing

MODULES = (
    "asyncio_test",
    "concurrent_test",
    "gen_test",
    "http1connection_test",
    "httpclient_test",
    "httpserver_test",
    "ioloop_test",
    "iostream_test",
    "locks_test",
    "netutil_test",
    "process_test",
    "queues_test",
    "routing_test",
    "simple_httpclient_test",
    "tcpclient_test",
    "tcpserver_test",
    "testing_test",
    "web_test",
    "websocket_test",
    "wsgi_test",
)

#: What cannot pass, and why.
EXCEPTIONS = {
    "testing_test.AsyncTestCaseTest.test_wait_timeout": "sleeps until its time limit, which is in real time",
    "testing_test.GenTest.test_timeout": "the same",
    "testing_test.GenTest.test_native_coroutine_timeout": "the same",
    "testing_test.GenTest.test_no_timeout_environment_variable": "the same",
    "testing_test.AsyncTestCaseReturnAssertionsTest.test_undecorated_coroutine": "fails in real time, too: "
    "an async def needs no decorator here",
    "testing_test.AsyncTestCaseWrapperTest.test_undecorated_coroutine": "the same, in Tornado 6.4",
    "testing_test.AsyncTestCaseWrapperTest.test_unwrap": "fails in real time, too: there is no wrapper, in Tornado 6.4",
}


def run(module: str) -> tuple[unittest.TestResult, float]:
    """Run the tests of a module; return the result, and how many seconds that took."""
    suite = unittest.defaultTestLoader.loadTestsFromName(f"tornado.test.{module}")
    result = unittest.TestResult()
    began = time.monotonic()
    suite.run(result)
    return result, time.monotonic() - began


def failures(result: unittest.TestResult) -> dict[str, str]:
    """Return the reports of what failed and is no exception, by the name of the test."""
    reports = {test.id().removeprefix("tornado.test."): report for test, report in result.failures + result.errors}
    return {name: report for name, report in reports.items() if name.partition(" ")[0] not in EXCEPTIONS}


def main() -> None:
    # As Tornado's own runner does: the tests expect messages, and say so.
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    unexpected: dict[str, str] = {}
    for module in sys.argv[1:] or MODULES:
        result, seconds = run(module)
        failed = len({test.id() for test, _ in result.failures + result.errors})
        found = failures(result)
        passed = result.testsRun - failed - len(result.skipped)
        print(
            f"{module:24}{passed:5} pass, {failed - len(found)} cannot, {len(found)} fail; {seconds:.2f} s", flush=True
        )
        unexpected |= found
    for name, report in unexpected.items():
        print(f"\n{name}\n{report}")
    sys.exit(bool(unexpected))


if __name__ == "__main__":
    main()
