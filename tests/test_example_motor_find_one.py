"""The MongoDB example: its suite passes, and tests that go wrong have the reports in the folder ``reports``.

Where a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_example_motor_find_one --record
"""

import unittest
from typing import ClassVar
from unittest import mock

from examples.motor_find_one import mongodb
from tests.recorded import RecordedReports
from tests.support import run_example


class MotorExampleTest(RecordedReports, unittest.TestCase):
    example = "examples/motor_find_one"
    outcomes: ClassVar = {
        "UndecoratedTest.test_find_one": "FAILED (errors=1)",
        "SetUpIsNotAwaitedTest.test_find_one": "FAILED (failures=1)",
        "NeverAwaitedTest.test_find_one": "FAILED (errors=1)",
    }
    # The task that is not awaited may have ended a moment after the test.
    by_chance = r"(?m)^\S+ left these resources open:\n(  .*\n)+"
    environment: ClassVar = {"MOTOR_MAX_WORKERS": "1"}

    def test_suite_passes(self) -> None:
        """The suite of the example passes as a whole, and warns of nothing."""
        done = run_example(self.example)
        self.assertRegex(done.stderr, r"\A\.{5}\n-+\nRan 5 tests in [\d.]+s\n\nOK\n\Z")
        self.assertEqual(done.returncode, 0)

    def test_server_of_the_reader(self) -> None:
        """The suite runs on the server that MONGODB_URI names, and leaves no database there."""
        with mongodb.embedded_server() as uri, mongodb.connect(mongodb.Database(uri, "")) as client:
            before = client.list_database_names()
            done = run_example(self.example, MONGODB_URI=uri)
            self.assertRegex(done.stderr, r"\nRan 5 tests in [\d.]+s\n\nOK\n\Z")
            self.assertEqual(client.list_database_names(), before)

    def test_malformed_uri(self) -> None:
        """A MONGODB_URI that is none is an error, and no reason to start a server instead."""
        done = run_example(self.example, MONGODB_URI="mongodb://")
        self.assertRegex(done.stderr, r"\AE\n=+\nERROR: setUpModule .*\n-+\nTraceback ")
        self.assertRegex(
            done.stderr, r"\npymongo\.errors\.InvalidURI: .*\n\n-+\nRan 0 tests in [\d.]+s\n\nFAILED \(errors=1\)\n\Z"
        )


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
            mock.patch.object(mongodb, "START_SECONDS", 0),
            self.assertRaisesRegex(RuntimeError, r"it ended, with exit status -?\d+, before it listened"),
            mongodb.embedded_server(),
        ):
            self.fail("There is no server.")


if __name__ == "__main__":
    MotorExampleTest.main()
