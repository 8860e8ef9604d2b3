"""Test functions in several orders: pytest runs samples, and its reports are read."""

import re
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.pytest.test_plugin import run_pytest, verdicts

SAMPLES = "tests/samples/functions_in_orders.py"
SHRUNK = r"E +It fails with 1 deviation from asyncio's own order \(of \d+ in the order of seed \d+; \d+ runs\)\.\n"
EXPLAINED = r"It fails when `on_error\(\)` goes on for the second time\n"
TOKEN = "close.1.2-after-on_error.1.3"


class SeedsTest(unittest.TestCase):
    output: str
    found: dict[str, list[str]]

    @classmethod
    def setUpClass(cls) -> None:
        done = run_pytest(SAMPLES, "-k", "not property and not Case and not AllTest")
        cls.output, cls.found = done.stdout, verdicts(done)

    def report(self, title: str) -> str:
        parts = re.split(r"^_{3,} (.*?) _{3,}$", self.output, flags=re.MULTILINE)
        return parts[parts.index(title) + 1]

    def first(self, name: str, end: str = "") -> tuple[str, str]:
        """Return the name and the report of the first seed with which a test fails."""
        bad = [seed for seed in range(8) if "PASSED" not in self.found[f"{name}[seed{seed}{end}]"]]
        title = f"{name.replace('::', '.')}[seed{bad[0]}{end}]"
        return title, self.report(title)

    def test_the_first_failure_is_shrunk_and_explained(self) -> None:
        for name, end in ("test_function", ""), ("TestClass::test_method", "-a"), ("test_shared_loop", ""):
            with self.subTest(name):
                _, report = self.first(name, end)
                self.assertRegex(report, SHRUNK)
                self.assertRegex(report, EXPLAINED)
                plain = rf"{name}\[a\]" if end else name
                self.assertRegex(report, rf"ASYNC_TEST_ORDER={TOKEN} python -m pytest '?{SAMPLES}::{plain}'?\n")

    def test_it_is_reported_once_as_the_last_run(self) -> None:
        title, report = self.first("test_function")
        self.assertEqual(self.found[title], ["FAILED"])
        self.assertEqual(report.count("a line of the test"), 1)

    def test_other_seeds_that_fail_in_this_way_name_it(self) -> None:
        title, _ = self.first("test_function")
        named = re.findall(rf"It fails in the same way as {SAMPLES}::test_function\[seed\d\]", self.output)
        failed = [name for name, found in self.found.items() if "test_function" in name and "FAILED" in found]
        self.assertEqual(len(named), len(failed) - 1)
        self.assertIn(f"::{title}", named[0])

    def test_a_failure_in_asyncios_own_order_is_not_shrunk(self) -> None:
        self.assertIn("which is the order of seed 0", self.report("test_fails_always[seed0]"))
        for seed in 1, 2:
            self.assertIn("test_fails_always[seed0], whose report", self.report(f"test_fails_always[seed{seed}]"))

    def test_a_failure_of_the_teardown_is_shrunk(self) -> None:
        bad = [name for name, found in self.found.items() if "test_leak" in name and "ERROR" in found]
        report = self.report(f"ERROR at teardown of {bad[0]}")
        self.assertIn("left these resources open:", report)
        self.assertRegex(report, EXPLAINED)
        self.assertIn(f"ASYNC_TEST_ORDER={TOKEN} ", report)

    def test_fixtures_of_wider_scopes_are_set_up_once(self) -> None:
        done = run_pytest(SAMPLES, "-s", "-k", "test_function or test_all or test_leak")
        self.assertEqual(re.findall(r"^session \d+, module \d+$", done.stdout, re.MULTILINE), ["session 1, module 1"])

    def test_runs_out_of_sight_warn_of_nothing(self) -> None:
        warned = re.findall(rf"^{SAMPLES}::test_warns\[seed\d\]$", self.output, re.MULTILINE)
        self.assertEqual(len(warned), 8)

    def test_expected_failures_are_left_alone(self) -> None:
        words = {found for name, each in self.found.items() if "test_expected" in name for found in each}
        self.assertEqual(words, {"XFAIL", "XPASS"})

    def test_all_orders_are_one_test(self) -> None:
        self.assertEqual(self.found["test_all[all1]"], ["FAILED"])
        self.assertEqual(self.found["test_all_pass[all1]"], ["PASSED"])
        report = self.report("test_all[all1]")
        self.assertIn("It fails with 1 deviation from asyncio's own order, and does not with fewer", report)
        self.assertRegex(report, EXPLAINED)
        self.assertRegex(report, rf"ASYNC_TEST_ORDER={TOKEN} python -m pytest {SAMPLES}::test_all\n")

    def test_test_functions_are_replayed(self) -> None:
        done = run_pytest(SAMPLES, "-k", "test_function or test_all", ASYNC_TEST_ORDER=TOKEN)
        for explained in EXPLAINED, r"-> on_error :\d+ .* close :\d+ is_closed = True\n":
            self.assertEqual(len(re.findall(explained, done.stdout)), 2)
        self.assertEqual(
            verdicts(done), {"test_function": ["FAILED"], "test_all": ["FAILED"], "test_all_pass": ["PASSED"]}
        )


class AllOrdersTest(unittest.TestCase):
    def test_subtests_and_strict_failures(self) -> None:
        source = (
            "import asyncio, pytest\n"
            "from tests.samples import functions_in_orders as samples\n"
            "all_orders = pytest.mark.gen_test(schedules='all:1')\n"
            "async def closes_once():\n"
            "    await samples.close_twice(closed := [])\n"
            "    return closed == ['close']\n"
            "@all_orders\n"
            "async def test_subtests(subtests):\n"
            "    for number in range(2):\n"
            "        with subtests.test(number=number):\n"
            "            assert await closes_once()\n"
            "@all_orders\n"
            "@pytest.mark.xfail(strict=True)\n"
            "async def test_race():\n"
            "    assert await closes_once()\n"
            "@all_orders\n"
            "@pytest.mark.xfail(strict=True)\n"
            "async def test_no_race():\n"
            "    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "orders_test.py"
            path.write_text(source)
            done = run_pytest(str(path))
        found = verdicts(done)
        self.assertEqual((found["test_race[all1]"], found["test_no_race[all1]"]), (["XFAIL"], ["FAILED"]))
        if "fixture 'subtests' not found" not in done.stdout:  # pytest 9 has it
            # The first order that fails is the last one, and is not run again out of sight.
            self.assertEqual(found["test_subtests[all1]"], ["FAILED", "SUBFAILED"])


class OptionsTest(unittest.TestCase):
    def test_a_call_that_never_came_is_named(self) -> None:
        done = run_pytest(SAMPLES, "-k", "test_all_pass or test_case", ASYNC_TEST_ORDER="close.1.2-after-close.7.1")
        self.assertIn("::test_all_pass: passed, but close.7.1 never came: the test has changed\n", done.stdout)

    def test_the_number_of_orders(self) -> None:
        done = run_pytest(SAMPLES, "-v", "-k", "test_all_pass")
        self.assertRegex(done.stdout, r"::test_all_pass\[all1\]: all \d+ orders with at most 1 deviation\n")
        self.assertNotIn("with at most", run_pytest(SAMPLES, "-k", "test_all_pass").stdout)

    def test_workers(self) -> None:
        done = run_pytest(SAMPLES, "-v", "-n", "2", "-k", "test_function or test_all")
        self.assertRegex(done.stdout, SHRUNK)
        self.assertRegex(done.stdout, r"::test_all_pass\[all1\]: all \d+ orders with at most 1 deviation\n")
        self.assertEqual(verdicts(done)["test_all[all1]"], ["FAILED"])

    def test_stop_at_the_first_failure(self) -> None:
        done = run_pytest(SAMPLES, "-x", "-k", "test_function")
        self.assertRegex(done.stdout, SHRUNK)
        self.assertRegex(done.stdout, r"\b1 failed, \d passed")
        self.assertIn("session 1, module 1", done.stdout)

    def test_the_last_failures(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            options = ("-p", "cacheprovider", "-o", f"cache_dir={folder}", "-k", "test_all or test_function")
            first = verdicts(run_pytest(SAMPLES, *options))
            again = verdicts(run_pytest(SAMPLES, "--lf", *options))
        self.assertEqual(again, {name: found for name, found in first.items() if found == ["FAILED"]})

    def test_junit(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "junit.xml"
            run_pytest(SAMPLES, f"--junit-xml={path}", "-k", "test_all or test_function")
            cases = list(ET.parse(path).getroot().iter("testcase"))
        self.assertEqual(len(cases), 10)
        self.assertTrue(all(len(case.findall("failure")) <= 1 for case in cases))

    def test_no_rerun_for_those_who_watch(self) -> None:
        done = run_pytest(SAMPLES, "--setup-show", "-k", "test_function")
        self.assertNotRegex(done.stdout, SHRUNK)
        self.assertEqual(done.stdout.count("SETUP    F closed"), 8)

    def test_a_debugger_stops_at_the_order_of_the_seed(self) -> None:
        done = run_pytest(SAMPLES, "--pdb", "-x", "-k", "test_function", typed="p closed\nq\n")
        self.assertIn("['close', 'on_error']", done.stdout)
        self.assertNotRegex(done.stdout, SHRUNK)

    def test_an_interrupted_search_loses_no_failure(self) -> None:
        source = (
            "import asyncio, pytest\n"
            "from tests.samples import functions_in_orders as samples\n"
            "FAILED = []\n"
            "@pytest.mark.gen_test(schedules=8)\n"
            "async def test():\n"
            "    if FAILED:\n"
            "        raise KeyboardInterrupt\n"
            "    closed = []\n"
            "    await samples.close_twice(closed)\n"
            "    FAILED.extend(closed[1:])\n"
            "    assert closed == ['close']\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "interrupted_test.py"
            path.write_text(source)
            done = run_pytest(str(path))
        self.assertRegex(done.stdout, r"FAILED \S+::test\[seed\d\]")
        self.assertIn("KeyboardInterrupt", done.stdout)
        self.assertEqual(done.returncode, 2)


class HypothesisTest(unittest.TestCase):
    def test_the_input_and_the_order_are_shrunk(self) -> None:
        done = run_pytest(SAMPLES, "-k", "test_property")
        self.assertRegex(done.stdout, SHRUNK)
        self.assertRegex(done.stdout, r"(?:Failing test case|Falsifying example): test_property\(")
        self.assertNotIn("Flaky", done.stdout)
        self.assertNotIn("in run_example", done.stdout)


class CasesTest(unittest.TestCase):
    def test_test_cases_are_shrunk_as_well(self) -> None:
        done = run_pytest(SAMPLES, "-k", "CaseTest or AllTest")
        self.assertEqual(verdicts(done), {"CaseTest::test_case": ["FAILED"], "AllTest::test_case": ["FAILED"]})
        self.assertRegex(done.stdout, SHRUNK)
        self.assertIn("and does not with fewer", done.stdout)
        self.assertEqual(len(re.findall(EXPLAINED, done.stdout)), 2)
