"""The MongoDB example: its suite passes, and each test that goes wrong reports what is in its folder ``reports``.

Where a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_example_motor_find_one --record
"""

import os
import re
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from examples.motor_find_one import mongodb

ROOT = Path(__file__).resolve().parent.parent
SUITE = "examples/motor_find_one"
REPORTS = ROOT / SUITE / "reports"
GOING_WRONG = "examples.motor_find_one.going_wrong"

TESTS = ("UndecoratedTest.test_find_one", "NobodyWaitsTest.test_find_one", "NeverAwaitedTest.test_find_one")

#: The environment that a reader of the example does not have, and what begins like it.
NOT_THE_READERS = ("PYTHON", "ASYNC_TEST", "FORCE_COLOR", "MOTOR_")


def run_python(*args: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the interpreter as a reader would; neither colours nor our environment reach it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(NOT_THE_READERS)}
    env.update(PYTHON_COLORS="0", **environment)
    return subprocess.run([sys.executable, *args], env=env, cwd=ROOT, capture_output=True, text=True)


def run_suite(**environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the suite of the example, with warnings as errors."""
    return run_python("-W", "error", "-m", "unittest", "discover", "-t", ".", "-s", SUITE, **environment)


def run_going_wrong(name: str) -> str:
    """Return what unittest says to one of the tests, with paths as seen from the project root."""
    done = run_python("-m", "unittest", f"{GOING_WRONG}.{name}", MOTOR_MAX_WORKERS="1")
    return done.stderr.replace(f"{ROOT}{os.sep}", "")


def read(name: str) -> str:
    """Return the recorded report."""
    path = REPORTS / f"{name}.txt"
    return path.read_text() if path.exists() else ""


def normalise(report: str) -> str:
    """Leave out of a report what may differ: durations, and the carets, which Python 3.13 draws and 3.11 does not."""
    report = re.sub(r"in \d+\.\d{3}s", "in N.NNNs", report)
    return re.sub(r"^ *[~^]+\n", "", report, flags=re.MULTILINE)


def record() -> None:
    """Write the reports that changed."""
    REPORTS.mkdir(exist_ok=True)
    for name in TESTS:
        report = run_going_wrong(name)
        if normalise(report) != normalise(read(name)):
            (REPORTS / f"{name}.txt").write_text(report)


def names(suite: unittest.TestSuite) -> Iterator[str]:
    """Return the full name of each test."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from names(test)
        else:
            yield test.id()


class MotorExampleTest(unittest.TestCase):
    maxDiff = None

    def test_suite_passes(self) -> None:
        """The suite of the example passes as a whole, and warns of nothing."""
        done = run_suite()
        self.assertRegex(done.stderr, r"\A\.{5}\n-+\nRan 5 tests in [\d.]+s\n\nOK\n\Z")
        self.assertEqual(done.returncode, 0)

    def test_server_of_the_reader(self) -> None:
        """The suite runs on the server that MONGODB_URI names, and leaves no database there."""
        with mongodb.embedded_server() as uri, mongodb.connect(mongodb.Database(uri, "")) as client:
            before = client.list_database_names()
            done = run_suite(MONGODB_URI=uri)
            self.assertRegex(done.stderr, r"\nRan 5 tests in [\d.]+s\n\nOK\n\Z")
            self.assertEqual(client.list_database_names(), before)

    def test_malformed_uri(self) -> None:
        """A MONGODB_URI that is none is an error, and no reason to start a server instead."""
        done = run_suite(MONGODB_URI="mongodb://")
        self.assertRegex(done.stderr, r"\AE\n=+\nERROR: setUpModule .*\n-+\nTraceback ")
        self.assertRegex(
            done.stderr, r"\npymongo\.errors\.InvalidURI: .*\n\n-+\nRan 0 tests in [\d.]+s\n\nFAILED \(errors=1\)\n\Z"
        )

    def test_going_wrong_is_as_recorded(self) -> None:
        """Each test that goes wrong reports what was recorded, as a reader of the example will see it."""
        for name in TESTS:
            with self.subTest(name):
                self.assertEqual(normalise(run_going_wrong(name)), normalise(read(name)))

    def test_going_wrong_is_complete(self) -> None:
        """There is one report for each of the tests, and it ends with the failure of that one test."""
        tests = names(unittest.defaultTestLoader.loadTestsFromName(GOING_WRONG))
        self.assertEqual(set(tests), {f"{GOING_WRONG}.{name}" for name in TESTS})
        self.assertEqual({path.name for path in REPORTS.iterdir()}, {f"{name}.txt" for name in TESTS})
        for name in TESTS:
            with self.subTest(name):
                self.assertRegex(read(name), r"\nRan 1 test in .*\n\nFAILED \((errors|failures)=1\)\n\Z")


class TemporaryDatabaseTest(unittest.TestCase):
    def test_is_dropped(self) -> None:
        """A database on a server that goes on is dropped after the block, also when that fails."""
        with mongodb.embedded_server() as uri, mongodb.connect(mongodb.Database(uri, "")) as client:
            with self.assertRaises(ZeroDivisionError), mongodb.temporary_database(uri) as database:
                client[database.name].documents.insert_one({"_id": 1})
                self.assertIn(database.name, client.list_database_names())
                raise ZeroDivisionError
            self.assertNotIn(database.name, client.list_database_names())

    def test_server_that_ends(self) -> None:
        """A server that ends before it can be reached is an error, with all that the server said."""
        with (
            mock.patch.object(mongodb, "PROGRAM", "raise SystemExit('out of order')"),
            self.assertRaisesRegex(RuntimeError, r"with exit status 1, .*\nout of order\n\Z"),
            mongodb.embedded_server(),
        ):
            self.fail("There is no server.")

    def test_server_that_hangs(self) -> None:
        """A server that says nothing is killed, and is an error."""
        with (
            mock.patch.object(mongodb, "PROGRAM", "import threading; threading.Event().wait()"),
            mock.patch.object(mongodb, "PATIENCE", 0),
            self.assertRaisesRegex(RuntimeError, r"it ended, with exit status -?\d+, before it listened"),
            mongodb.embedded_server(),
        ):
            self.fail("There is no server.")


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        record()
    else:
        unittest.main()
