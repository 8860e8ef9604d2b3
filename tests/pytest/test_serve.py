"""The fixture ``serve``: pytest runs samples, and its report is read."""

import re
import subprocess
import unittest
from typing import ClassVar

from tests.pytest.test_plugin import run_pytest, verdicts

SERVED = "tests/samples/functions_served.py"
#: Those that do not pass.
VERDICTS = {
    "test_handler_of_session_1": ["FAILED"],
    "test_handler_of_session_2": ["FAILED"],
    "test_wrong_loop": ["FAILED"],
    "test_leak": ["ERROR", "PASSED"],
    "test_request_that_nothing_awaits": ["ERROR", "PASSED"],
    "test_deadlock": ["FAILED"],
    "test_stream_that_stops": ["FAILED"],
    "test_no_application": ["FAILED"],
    "test_not_awaited": ["FAILED"],
    "test_dropped": ["FAILED"],
    "test_port_in_use": ["FAILED"],
    "test_of_another": ["FAILED"],
}


class Reports(unittest.TestCase):
    """Runs samples once, and has the report."""

    arguments: ClassVar[list[str]] = []
    done: "subprocess.CompletedProcess[str]"

    @classmethod
    def setUpClass(cls) -> None:
        cls.done = run_pytest(*cls.arguments)

    def report(self, title: str) -> str:
        """Return the report under a title, which is a name or begins with "ERROR at"."""
        parts = re.split(r"^_{3,} (.*?) _{3,}$", self.done.stdout, flags=re.MULTILINE)
        return parts[parts.index(title) + 1].partition("\n====")[0]


class ServeTest(Reports):
    maxDiff = None
    arguments: ClassVar = [SERVED]

    def test_each_sample_has_its_verdict(self) -> None:
        found = verdicts(self.done)
        self.assertEqual(found, {name: VERDICTS.get(name, ["PASSED"]) for name in found}, self.done.stdout)
        self.assertLessEqual({*VERDICTS, "test_several", "test_each[https]", "TestClass::test_second"}, found.keys())

    def test_an_error_of_a_handler_is_reported_for_the_test_that_runs(self) -> None:
        self.assertRegex(self.report("test_handler_of_session_1"), r"While serving GET /broken by Broken:[\s\S]*tea")
        report = self.report("test_handler_of_session_2")
        self.assertRegex(report, r"E +ValueError: planted\nE +That was while serving GET /finished by Finished")
        self.assertNotIn("asynctest_tornado/_", report)

    def test_leaks_are_those_of_the_test(self) -> None:
        self.assertIn("pending timer print", self.report("ERROR at teardown of test_leak"))
        report = self.report("ERROR at teardown of test_request_that_nothing_awaits")
        self.assertRegex(report, r"pending task .*fetch[\s\S]*in begun[\s\S]*in test_request_that_nothing_awaits")
        self.assertIn("If the test should wait for it: await it, or all by the fixture settle. If not", report)
        self.assertNotRegex(report, r"self\.|tearDown|asynctest_tornado/_|entries are hidden")
        self.assertNotIn("left these resources open", self.done.stdout.partition("warnings summary")[2])

    def test_a_deadlock_is_found_beside_a_server_of_the_session(self) -> None:
        self.assertIn("this is a deadlock", self.report("test_deadlock"))

    def test_a_deadlock_shows_the_stream(self) -> None:
        report = self.report("test_stream_that_stops")
        self.assertRegex(report, r"would have timed out[^$]*this is a deadlock")
        self.assertRegex(report, r"in flight:\nE +GET https://\S+/ticker \(a stream: 200 OK, 1 chunk of 11 bytes")

    def test_mistakes_say_how_to_mend_them(self) -> None:
        self.assertIn("It has to be the tornado.web.Application to test", self.report("test_no_application"))
        self.assertIn("so that it shares the loop", self.report("test_wrong_loop"))
        ways = "Write 'server = await serve(app)', or 'async with serve(app) as server'."
        self.assertIn(f"The server does not run yet, and has no 'fetch'. {ways}", self.report("test_not_awaited"))
        self.assertRegex(
            self.report("test_dropped"), r"made at .* in test_dropped: .* nothing of it ran. " + re.escape(ways)
        )
        self.assertIn("end the program that uses this one", self.report("test_port_in_use"))
        for name in "test_not_awaited", "test_dropped", "test_port_in_use", "test_no_application":
            self.assertNotIn("asynctest_tornado/_", self.report(name))
        self.assertIn("Use 'async with HTTPTestServer(app) as server:'", self.report("test_of_another"))

    def test_workers_come_to_the_same_verdicts(self) -> None:
        done = run_pytest("-n", "2", "-k", "not leak and not deadlock and not loop", SERVED)
        found = verdicts(done)
        self.assertEqual(found, {name: VERDICTS.get(name, ["PASSED"]) for name in found}, done.stdout)
