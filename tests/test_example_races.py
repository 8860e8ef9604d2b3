"""The races example: its suite passes, and tests whose luck ends have the reports in the folder ``reports``.

Where a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_example_races --record
"""

import re
import unittest
from typing import ClassVar

from tests.recorded import RecordedReports, normalise
from tests.support import run_each, run_example, run_python

SUITE = "examples.races.test_races"

#: The classes that have the tests of a lucky one, with its mistake corrected.
CORRECTED = {
    "SetUpIsNotAwaitedTest": ("RunSyncTest", "AsyncSetUpTest"),
    "BankTest": ("LockedBankTest", "OrderedLocksTest"),
    "LockedAccountsTest": ("OrderedLocksTest",),
    "WikiTest": ("LockedWikiTest",),
}
#: The module of a corrected class, if it is not the suite.
MODULES = {"LockedWikiTest": "examples.races.test_wiki"}


class RacesExampleTest(RecordedReports, unittest.TestCase):
    example = "examples/races"
    outcomes: ClassVar = {
        "SetUpIsNotAwaitedTest.test_find_one": "FAILED (failures=1)",
        "BankTest.test_two_people_pay_a_third": "FAILED (failures=1)",
        "BankTest.test_money_is_spent_once": "FAILED (failures=1)",
        "LockedAccountsTest.test_there_and_back": "FAILED (errors=1)",
        "WikiTest.test_no_page_is_lost": "FAILED (failures=1)",
    }

    @classmethod
    def comparable(cls, report: str) -> str:
        """Leave out how versions of hypothesis differ: in the titles that they try and find, and in a word."""
        if "hypothesis" in report:
            words = "(?:Falsifying example|Failing test case)"
            report = re.sub(rf"(?s)Lists differ: .*?{words}: .*?(?=It fails w)", "N\n", report)
            report = re.sub(r"(?<=before `add\()[^)]*|(?<=[Ss][Ee][Ee][Dd][ =])\d+|\d+ runs|\(of \d+", "N", report)
        return super().comparable(report)

    def test_suite_passes(self) -> None:
        """The suite of the example passes, warns of nothing, and leaves nothing behind in any order."""
        done = run_example(self.example, ASYNC_TEST_LEAKS="fail")
        self.assertRegex(
            done.stderr,
            r"\A\.{15}\nSchedules: 10 tests passed in 470 orders, \d+ of them different\.\n\n"
            r"-+\nRan 15 tests in [\d.]+s\n\nOK\n\Z",
        )
        self.assertEqual(done.returncode, 0)

    def test_corrected_tests_have_several_orders(self) -> None:
        """None of the tests passes in 50 orders for the reason that these are the same one."""
        done = run_python("-m", "unittest", "-v", SUITE)
        different = re.findall(r"^  test_.*: 50 orders, (\d+) different$", done.stderr, re.MULTILINE)
        self.assertEqual(len(different), 9)
        self.assertGreater(min(map(int, different)), 1)

    def test_the_first_order_that_fails_is_named(self) -> None:
        """In all orders before it, asyncio's own among them, the test passes."""
        orders = [
            (seed, f"{self.module()}.{name}") for name in self.outcomes for seed in range(seed_of(self.recorded(name)))
        ]
        for (seed, name), said in zip(orders, run_each(self.run_in_order, *zip(*orders, strict=True)), strict=True):
            with self.subTest(name, seed=seed):
                self.assertRegex(said, r"\nOK\n\Z")

    def test_replay(self) -> None:
        """In the order that its report names, a test fails as it did when that order was found."""
        for name in self.outcomes:
            recorded = self.recorded(name)
            with self.subTest(name):
                replay = re.search(r"^To replay this order: ASYNC_TEST_ORDER=(\S+) python -m ", recorded, re.MULTILINE)
                assert replay is not None
                replayed = run_python("-m", "unittest", f"{self.module()}.{name}", ASYNC_TEST_ORDER=replay[1]).stderr
                self.assertEqual(error_of(self.comparable(replayed)), error_of(self.comparable(recorded)))

    def test_the_seed_that_was_found_fails_too(self) -> None:
        for name in self.outcomes:
            with self.subTest(name):
                replayed = self.run_in_order(seed_of(self.recorded(name)), f"{self.module()}.{name}")
                self.assertRegex(replayed, r"\nFAILED \((failures|errors)=1\)")

    def test_seeds_are_the_same_in_each_run(self) -> None:
        """Differences between versions of Python, such as the hashes of strings, do not change the order."""

        def run(name: str, hash_seed: str) -> str:
            return run_python("-m", "unittest", f"{self.module()}.{name}", PYTHONHASHSEED=hash_seed).stderr

        runs = [(name, hash_seed) for name in self.outcomes for hash_seed in ("1", "2")]
        for (name, hash_seed), said in zip(runs, run_each(run, *zip(*runs, strict=True)), strict=True):
            with self.subTest(name, hash_seed=hash_seed):
                self.assertEqual(seed_of(said), seed_of(self.recorded(name)))

    def test_corrected_tests_pass_in_that_order(self) -> None:
        """In the order in which a lucky test fails, the corrected ones pass."""
        for name in self.outcomes:
            cls, _, method = name.partition(".")
            for corrected in CORRECTED[cls]:
                with self.subTest(name, corrected=corrected):
                    said = self.run_in_order(
                        seed_of(self.recorded(name)), f"{MODULES.get(corrected, SUITE)}.{corrected}.{method}"
                    )
                    self.assertRegex(said, r"\A\.\n-+\nRan 1 test in [\d.]+s\n\nOK\n\Z")

    def run_in_order(self, seed: int, test: str) -> str:
        """Return unittest's report of a test in one order."""
        return run_python("-m", "unittest", test, ASYNC_TEST_SEED=str(seed)).stderr


def seed_of(report: str) -> int:
    """Return the seed that a report names, in words and in the command."""
    command = r"^To replay the order of seed (\d+), in which it was found: ASYNC_TEST_SEED=\1 python -m "
    found = re.search(command, report, re.MULTILINE)
    if found is None:
        raise AssertionError(f"No seed in this report:\n{report}")
    return int(found[1])


def error_of(report: str) -> str:
    """Return the error of a report, the pending tasks and the explanation of the order, without notes of hypothesis."""
    # asyncio counts the tasks of the process, and before the order that fails there were others.
    report = re.sub(r"<Task-\d+>", "<Task-N>", normalise(report))
    report = re.sub(r"(?ms)^Explanation:.*?\n(?=It fails)|^It fails with [^\n]*\n", "", report)
    found = re.search(
        r"^\w+Error: .*?\nAround the first .*?(?=\nTo replay this order)", report, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise AssertionError(f"No error in this report:\n{report}")
    return found[0]


if __name__ == "__main__":
    RacesExampleTest.main()
