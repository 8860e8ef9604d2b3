import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.support import ROOT, run_python

__unittest = True

SAMPLE = ROOT / "tests/samples/functions_traced.py"


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_module(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return run_python(*arguments, cwd=self.folder, PYTHONPATH=str(ROOT), **environment)

    def names(self, folder: str) -> list[str]:
        """Return the names of the pages in a folder, without checksums."""
        return sorted(
            re.sub(r"(?<=-)[0-9a-f]{8}\b", "SUM", path.name) for path in (self.folder / folder).glob("*.html")
        )


class CommandLineTest(RunTest):
    def test_the_option_names_the_folder(self) -> None:
        done = self.run_module("-m", "asynctest_tornado", "--trace=new/traces", "tests.samples.cases.ErrorInCallback")
        self.assertEqual(self.names("new/traces"), ["tests.samples.cases.ErrorInCallback.test.html"])
        self.assertIn("\nTrace: new/traces/tests.samples.cases.ErrorInCallback.test.html", done.stderr)

    def test_without_a_folder_there_is_a_default(self) -> None:
        self.run_module("-m", "unittest", "tests.samples.cases.ErrorInCallback", ASYNC_TEST_TRACE="failures")
        self.assertEqual(len(self.names("asynctest-traces")), 1)

    def test_the_variable_has_all_words(self) -> None:
        for word, count in {"off": 0, "all": 1}.items():
            self.run_module("-m", "unittest", "tests.samples.cases.Passes", ASYNC_TEST_TRACE=word)
            self.assertEqual(len(self.names("asynctest-traces")), count)


class PytestTest(RunTest):
    def run_pytest(self, *arguments: str) -> str:
        done = self.run_module(
            *("-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir", str(ROOT), "-c", "/dev/null"),
            *(*arguments, str(SAMPLE)),
        )
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stdout

    def test_functions_have_traces(self) -> None:
        said = self.run_pytest("--asynctest-tornado-trace=traces")
        self.assertEqual(
            [name.rpartition("functions_traced.py.")[2] for name in self.names("traces")],
            [
                *("test_fixture-SUM.html", "test_in_folder_of_run.a.b-SUM.html", "test_in_folder_of_run.a.b-SUM.html"),
                *("test_orders.seed0-SUM.html", "test_orders.seed1-SUM-seed1.html", "test_plain-SUM.html"),
            ],
        )
        self.assertEqual(len(self.names("folder_of_marker")), 1)
        self.assertEqual(said.count("Trace: "), 7)
        self.assertIn("> ", said)

    def test_workers_write_files_of_their_own(self) -> None:
        self.run_pytest("--asynctest-tornado-trace=traces", "-n2")
        names = self.names("traces")
        self.assertEqual(len(names), 6)
        for name in names:
            self.assertRegex(name, r"-gw[01]\.html$")
