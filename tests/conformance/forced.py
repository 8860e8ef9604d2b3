"""Run Tornado's own tests under settings that they were not written for."""

import logging
import sys
import time
import unittest
from collections.abc import Callable, Container, Sequence


def run(module: str) -> tuple[unittest.TestResult, float]:
    """Run the tests of a module; return the result, and how many seconds that took."""
    suite = unittest.defaultTestLoader.loadTestsFromName(f"tornado.test.{module}")
    result = unittest.TestResult()
    began = time.monotonic()
    suite.run(result)
    return result, time.monotonic() - began


def failures(result: unittest.TestResult, exceptions: Container[str]) -> dict[str, str]:
    """Return the reports of failed tests that are no exceptions, by the name of the test."""
    reports = {test.id().removeprefix("tornado.test."): report for test, report in result.failures + result.errors}
    return {name: report for name, report in reports.items() if name.partition(" ")[0] not in exceptions}


def main(modules: Sequence[str], exceptions: Container[str], more: Callable[[], str] = str) -> None:
    """Run the modules of Tornado's tests that the command line names, or all; print a table, and the failures.

    :param exceptions: names of tests that cannot pass.
    :param more: returns what else the line of the module that just ran says.
    """
    # As Tornado's own runner does: the tests expect messages, and say so.
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    unexpected: dict[str, str] = {}
    for module in sys.argv[1:] or modules:
        result, seconds = run(module)
        failed = len({test.id() for test, _ in result.failures + result.errors})
        found = failures(result, exceptions)
        passed = result.testsRun - failed - len(result.skipped)
        verdicts = f"{passed:5} pass, {failed - len(found)} cannot, {len(found)} fail"
        print(f"{module:24}{verdicts}; {seconds:.2f} s{more()}", flush=True)
        unexpected |= found
    for name, report in unexpected.items():
        print(f"\n{name}\n{report}")
    sys.exit(bool(unexpected))
