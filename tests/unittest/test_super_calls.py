"""A setUp() that does not call the one of AsyncTestCase: suites for IsolatedAsyncioTestCase, and mistakes."""

import asyncio
import unittest

from asynctest_tornado import AsyncTestCase
from tests.samples import cases, setups
from tests.support import RecordingResult, open_files, run_case


def run_in_suite(cls: type[unittest.TestCase], method: str) -> RecordingResult:
    """Run a test with the set-up of its class."""
    result = RecordingResult()
    unittest.TestSuite([cls(method)]).run(result)
    return result


class NoSuperTest(unittest.TestCase):
    def assert_passes(self, cls: type[unittest.TestCase], method: str = "test") -> None:
        before = open_files()
        result = run_in_suite(cls, method)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertEqual(open_files(), before)

    def test_all_that_waits_works(self) -> None:
        for name in "test_wait", "test_coroutine", "test_gen_test", "test_run_sync", "test_needs_nothing":
            with self.subTest(name):
                self.assert_passes(cases.NoSuperInSetUp, name)

    def test_the_loop_is_there_in_set_up_where_it_is_clear(self) -> None:
        run_case(cases.Passes)  # after which no loop is current
        for cls in setups.UsesLoopInSetUp, setups.GenTestSetUp:
            with self.subTest(cls.__name__):
                self.assert_passes(cls)

    def test_however_set_up_is_written(self) -> None:
        for cls in setups.BehindMixin, setups.HelperCallsSuper, setups.LoopNeedsSetUp, setups.PatchedSetUp:
            with self.subTest(cls.__name__):
                self.assert_passes(cls)

    def test_the_loop_of_the_class_is_there(self) -> None:
        self.assert_passes(type("Sample", (cases.NoSuperInSetUp,), {"loop_scope": "class"}), "test_needs_nothing")

    def test_a_loop_of_its_own_is_the_loop_of_the_test(self) -> None:
        for cls in setups.OwnLoop, setups.OwnLoopInstead:
            for name in "test_wait", "test_gen_test":
                with self.subTest(cls.__name__, name=name):
                    self.assert_passes(cls, name)
            result = run_case(cls, "test_error")
            self.assertEqual(result.verdicts, ["addError"])
            self.assertIn("ValueError: planted", result.report)

    def test_in_debug_mode_as_well(self) -> None:
        cases.NoSuperInSetUp("test_gen_test").debug()


class ForgottenTest(unittest.TestCase):
    def test_a_loop_that_is_used_too_early_is_told_once(self) -> None:
        result = run_case(setups.LoopTooEarly)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(
            result.report, r"LoopTooEarly has no event loop.*\bCall super\(\).setUp\(\) .*LoopTooEarly\.\n"
        )
        self.assertNotIn("During handling", result.report)

    def test_an_error_before_there_is_a_loop_is_the_only_one(self) -> None:
        class Sample(AsyncTestCase):
            def setUp(self) -> None:
                raise ValueError("planted")

            def test(self) -> None: ...

        result = run_case(Sample)
        self.assertRegex(result.report, "ValueError: planted\n$")
        self.assertNotIn("During handling", result.report)

    def test_a_missing_server_is_told_once_where_it_is_used(self) -> None:
        names = [name for name in vars(setups.NoServer) if name.startswith("test_") and name != "test_needs_none"]
        self.assertGreater(len(names), 5)
        for cls in setups.NoServer, setups.NoServerOfTLS, setups.NoServerOfClass:
            for name in names:
                with self.subTest(cls.__name__, name=name):
                    result = run_in_suite(cls, name)
                    self.assertEqual(result.verdicts, ["addError"], result.report)
                    self.assertRegex(
                        result.report,
                        rf"Error: {cls.__name__} has no server.* Call super\(\).setUp\(\) .*{cls.__name__}\.\n\Z",
                    )

    def test_a_test_that_needs_no_server_passes(self) -> None:
        for cls in setups.NoServer, setups.NoServerOfTLS, setups.NoServerOfClass:
            self.assertEqual(run_in_suite(cls, "test_needs_none").verdicts, ["addSuccess"])

    def test_by_hand_it_is_told_as_well(self) -> None:
        case = cases.NoSuperInSetUp("test_wait")
        case.setUp()
        with self.assertRaisesRegex(RuntimeError, r"no event loop.*super\(\).setUp\(\)"):
            case.run_sync(asyncio.sleep, 0)
