import io
import logging
import re
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from asynctest_tornado import AsyncTestCase
from tests.support import run_body, run_code, run_python, without_handlers

NAME = "tests.logs.quiet"
log = logging.getLogger(NAME)


def setUpModule() -> None:
    # Whatever runs these tests, nothing prints the records.
    log.propagate = False
    log.addHandler(logging.NullHandler())


def tearDownModule() -> None:
    log.propagate = True
    log.handlers.clear()


def run_samples(*names: str, runner: str = "unittest", options: tuple[str, ...] = (), **environment: str) -> str:
    """Run samples by a runner, and return all that it says."""
    tests = [f"tests.samples.logged.{name}" for name in names]
    if runner == "pytest":
        tests = [f"tests/samples/logged.py::{name.replace('.', '::')}" for name in names]
        options = ("-m", "pytest", "-p", "no:cacheprovider", *options)
    else:
        options = ("-W", "error", "-m", runner, *options)
    done = run_python(*options, *tests, **environment)
    return done.stdout + done.stderr


def dots_of(said: str) -> str:
    """Return all that was printed while the tests ran."""
    return re.split(r"^(?:=|-){20,}$", said, maxsplit=1, flags=re.MULTILINE)[0].strip()


RUNNERS = ("unittest", "asynctest_tornado")


class ReportTest(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.enterContext(without_handlers(log))

    def test_a_failure_has_the_logs_of_its_test_and_nothing_is_printed_amid_the_dots(self) -> None:
        for runner in RUNNERS:
            with self.subTest(runner):
                said = run_samples("Outcomes", runner=runner)
                self.assertRegex(dots_of(said), r"\A[.FxsS]{4}\Z")
                section = (
                    r"AssertionError: planted\nLogged by the test:\n  WARNING  shop:logged.py:\d+ low on milk\n\n---"
                )
                self.assertRegex(said, section)
                self.assertEqual(said.count("shop:"), 1)

    def test_all_phases_of_a_failed_test_are_in_its_report(self) -> None:
        said = run_samples("Fixtures")
        self.assertEqual(dots_of(said), "in setUpClass\nF")
        self.assertRegex(said, r"Logged by the test:\n.*\.py:\d+ in setUp\n.*\.py:\d+ in the test\n")
        self.assertRegex(said, r"Logged by the test:\n.*\.py:\d+ in tearDown\n  WARNING  shop in a cleanup\n\n")
        self.assertEqual(run_samples("OnOneLoop").count("in tearDown"), 1)

    def test_each_subtest_has_its_own(self) -> None:
        said = run_samples("Subtests")
        for number in 1, 2:
            self.assertRegex(said, rf"planted {number}\nLogged by the test:\n  \S+ +\S+ in subtest {number}\n\n")

    def test_code_that_the_test_has_set_off_counts(self) -> None:
        said = run_samples("Elsewhere", "Handlers.test_fails")
        self.assertRegex(said, r"Logged by the test:\n.* in a thread\n.* in a timer\n\n")
        self.assertRegex(said, r"Logged by the test:\n.* in a handler\n\n")
        self.assertEqual(dots_of(said), "FF")

    def test_an_error_is_reported_once(self) -> None:
        said = run_samples("Raises", "Handlers.test_fails_of_an_error")
        self.assertEqual(said.count("ValueError: planted, logged and raised"), 1)
        self.assertEqual(said.count("before it is raised"), 1)
        self.assertEqual(said.count("ValueError: planted and handled"), 1)
        self.assertEqual(said.count("ValueError: planted in a task"), 1)
        self.assertEqual(said.count("ValueError: planted in a handler"), 1)
        self.assertNotIn("Uncaught exception", said)
        self.assertEqual(dots_of(said), "FFEE" if "FFEE" in said else "EFEF")

    def test_an_error_of_a_handler_that_no_report_has_is_printed_when_the_tests_have_ended(self) -> None:
        for runner in RUNNERS:
            with self.subTest(runner):
                said = run_samples("Handlers.test_passes", "Outcomes.test_passes", runner=runner)
                self.assertRegex(
                    said, r"\A\.\.\n.*In tests\.samples\.logged\.Handlers\.test_passes: Uncaught exception"
                )
                self.assertEqual(said.count("ValueError: planted in a handler"), 1)
                self.assertIn("\nOK\n", said)

    def test_such_an_error_is_printed_also_if_the_runner_does_not_say_when_the_tests_have_ended(self) -> None:
        code = (
            "import unittest; from tests.samples.logged import Handlers; Handlers('test_passes')(unittest.TestResult())"
        )
        self.assertEqual(run_code(code).stderr.count("ValueError: planted in a handler"), 1)

    def test_a_handler_that_the_end_of_the_test_cancels_leaves_no_line(self) -> None:
        for runner in RUNNERS:
            said = run_samples("Endless", runner=runner)
            self.assertEqual(dots_of(said), "F")
            self.assertNotIn("GET", said)
        self.assertNotIn("GET", run_samples("Endless", runner="pytest"))
        code = "import logging, unittest; logging.basicConfig(level=10); unittest.main('tests.samples.logged')"
        self.assertNotIn("500 GET", run_code(code, "Endless").stderr)

    def test_records_that_a_block_of_unittest_has_are_not_shown_again(self) -> None:
        said = run_samples("ExpectsLogs")
        self.assertNotIn("expected by assertLogs", said)
        self.assertEqual(said.count("not expected by assertNoLogs"), 1, said)

    def test_a_test_of_another_class_prints_as_ever(self) -> None:
        self.assertIn("in a plain test", dots_of(run_samples("Plain", "Outcomes.test_passes")))

    def test_the_last_records_of_many_are_shown(self) -> None:
        def test(case: AsyncTestCase) -> None:
            for number in range(150):
                log.warning("number %d", number)
            case.fail("planted")

        report = run_body(AsyncTestCase, test).report
        self.assertIn("  (50 earlier records are not shown)\n", report)
        self.assertRegex(report, r"shown\)\n.* number 50\n")
        self.assertNotIn("number 49\n", report)

    def test_a_test_under_several_orders_shows_the_order_that_fails(self) -> None:
        class Sample(AsyncTestCase):
            schedules = 5
            numbers: ClassVar[list[int]] = []

            def test(self) -> None:
                self.numbers.append(0)
                log.warning("run %d", len(self.numbers))
                self.assertLess(len(self.numbers), 3)

        report = run_body(Sample, Sample.test).report
        self.assertEqual(re.findall(r"run \d", report), ["run 3"])

    def test_a_record_that_cannot_be_formatted_fails_nothing(self) -> None:
        def test(case: AsyncTestCase) -> None:
            log.warning("%d", "no number")

        self.assertEqual(run_body(AsyncTestCase, test).verdicts, ["addSuccess"])

    def test_a_record_of_any_class_is_logged(self) -> None:
        class Unhashable(logging.LogRecord):
            def __eq__(self, other: object) -> bool:
                return self is other

        class WithoutReferences:
            __slots__ = ("__dict__",)

            def __init__(self, *args: Any) -> None:
                vars(self).update(vars(logging.LogRecord(*args)))

            getMessage = logging.LogRecord.getMessage  # noqa: N815  # the name of logging

        def test(case: AsyncTestCase) -> None:
            factory = logging.getLogRecordFactory()
            log.propagate = False
            terminal = io.StringIO()
            try:
                classes: tuple[Any, ...] = (Unhashable, WithoutReferences)
                for each in classes:
                    logging.setLogRecordFactory(each)
                    log.warning("planted")
                    # No handler is configured for it.
                    with mock.patch("sys.stderr", terminal), mock.patch.object(log, "handlers", []):
                        log.warning("planted")
            finally:
                logging.setLogRecordFactory(factory)
            case.assertEqual(terminal.getvalue(), "planted\n" * 2)

        result = run_body(AsyncTestCase, test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_handler_finds_the_line_that_logs(self) -> None:
        found = []

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                frame: Any = sys._getframe(1)
                while frame.f_code.co_filename == logging.__file__:
                    frame = frame.f_back
                found.append(frame.f_code)
                if record.msg == "broken":
                    raise ValueError("planted")

        def test(case: AsyncTestCase) -> None:
            with mock.patch.object(log, "handlers", [Handler()]):
                log.warning("planted")
                log.warning("broken")

        report = run_body(AsyncTestCase, test).report
        self.assertEqual(found, [test.__code__] * 2)
        self.assertIn('raise ValueError("planted")', report)
        self.assertNotIn("_record_and_call", report)

    def test_a_mock_does_not_record_that_it_is_logged(self) -> None:
        def test(case: AsyncTestCase) -> None:
            plain: Any
            named: Any
            plain, named, mapping = mock.MagicMock(), mock.MagicMock(), mock.MagicMock(name="tea")
            named.__str__.return_value = "milk"
            log.warning("%s, %r, %d, %.1f, %x", plain, plain, plain, plain, plain)
            log.warning(named)
            log.warning("%(drink)s", {"drink": mapping})
            plain.sell(1)
            case.assertEqual(plain.mock_calls, [mock.call.sell(1)])
            case.assertEqual(named.mock_calls + mapping.mock_calls, [])
            case.assertEqual(case.logs.messages, [f"{plain!r}, {plain!r}, 1, 1.0, 1", "milk", repr(mapping)])
            plain.__str__ = lambda self: "sugar"
            log.warning("%s", plain)
            case.assertEqual(case.logs.messages[-1], "sugar")

        result = run_body(AsyncTestCase, test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_a_record_keeps_no_object_of_the_test(self) -> None:
        import gc
        import weakref

        class Thing:
            pass

        def test(case: AsyncTestCase) -> None:
            thing = Thing()
            reference = weakref.ref(thing)
            try:
                raise ValueError(thing)
            except ValueError:
                log.exception("of %r", thing)
            del thing
            gc.collect()
            case.assertIsNone(reference())

        result = run_body(AsyncTestCase, test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class ShownAtOnceTest(unittest.TestCase):
    def test_what_the_user_asks_to_see_is_printed_at_once(self) -> None:
        for said in (
            run_samples("Outcomes", runner="asynctest_tornado", options=("--show-logs",)),
            run_samples("Outcomes", runner="asynctest_tornado", options=("--log-to-stderr",)),
            run_samples("Outcomes", ASYNC_TEST_SHOW_LOGS="1"),
        ):
            self.assertIn("in a test that passes", dots_of(said))
            self.assertIn("Logged by the test:\n  WARNING  shop:logged.py:", said)

    def test_a_false_variable_asks_for_nothing(self) -> None:
        self.assertNotIn("passes", dots_of(run_samples("Outcomes", ASYNC_TEST_SHOW_LOGS="0")))

    def test_the_level_is_an_option(self) -> None:
        said = run_samples("Handlers.test_fails", runner="asynctest_tornado", options=("--logging=info",))
        self.assertIn("INFO     tornado.access", said)
        self.assertNotIn("INFO", run_samples("Handlers.test_fails", runner="asynctest_tornado"))
        said = run_samples("Handlers.test_fails", runner="asynctest_tornado", options=("--logging=error",))
        self.assertNotIn("Logged by the test", said)


PROGRAM = """
import logging, logging.config, sys, unittest
from asynctest_tornado import AsyncTestCase, main
import asynctest_tornado
log = logging.getLogger("shop")
{configure}

class Test(AsyncTestCase):
    def test(self):
        {body}

if __name__ == "__main__":
    {main}
"""


def run_program(body: str, configure: str = "", main: str = "unittest.main()") -> str:
    done = run_code(PROGRAM.format(configure=configure, body=body, main=main))
    return done.stdout + done.stderr


class ConfiguredTest(unittest.TestCase):
    """Handlers of a program get all records, as without this library."""

    def test_a_configured_terminal_gets_all(self) -> None:
        for configure in (
            "logging.basicConfig()",
            "import tornado.log; tornado.log.enable_pretty_logging()",
            "logging.config.dictConfig({'version': 1, 'handlers': {'h': {'class': 'logging.StreamHandler'}}, "
            "'disable_existing_loggers': False, "
            "'root': {'handlers': ['h']}})",
            "log.propagate = False; log.addHandler(logging.StreamHandler())",
        ):
            with self.subTest(configure):
                said = run_program("log.warning('seen')", configure)
                self.assertEqual(said.count("seen"), 1)
                self.assertIn("\nOK\n", said)

    def test_a_handler_that_the_test_configures_gets_all(self) -> None:
        said = run_program("logging.basicConfig(stream=sys.stdout); log.warning('seen'); self.fail('planted')")
        self.assertIn("WARNING:shop:seen\n", said)
        self.assertRegex(said, r"Logged by the test:\n  WARNING  shop:<string>:\d+ seen\n")

    def test_a_file_gets_all(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "log")
            run_program("log.warning('seen')", f"logging.basicConfig(filename={str(path)!r})")
            self.assertEqual(path.read_text(), "WARNING:shop:seen\n")

    def test_a_queue_gets_all_once(self) -> None:
        said = run_program(
            "log.warning('seen'); listener.stop(); self.fail('planted')",
            "import logging.handlers, queue; q = queue.Queue(); log.addHandler(logging.handlers.QueueHandler(q))\n"
            "listener = logging.handlers.QueueListener(q, logging.StreamHandler(sys.stdout)); listener.start()",
        )
        self.assertEqual(said.count("seen\n"), 2)
        self.assertEqual(said.count("shop:<string>"), 1)

    def test_handlers_of_the_root_are_as_without_this_library(self) -> None:
        said = run_program("print(logging.getLogger().handlers, logging.lastResort)")
        self.assertIn("[] <_StderrHandler <stderr> (WARNING)>", said)

    def test_setUp_may_replace_handlers(self) -> None:
        said = run_program(
            "root = logging.getLogger(); root.handlers[:] = [logging.StreamHandler(sys.stdout)]; log.warning('seen'); "
            "root.handlers.clear(); log.warning('not seen'); self.fail('planted')",
        )
        self.assertEqual(said.count("seen\n"), 3)
        self.assertTrue(said.startswith("seen\n"), said)

    def test_disabled_logging_stays_disabled(self) -> None:
        said = run_program("logging.disable(); log.warning('seen'); self.fail('planted')")
        self.assertNotIn("shop", said)

    def test_a_redirected_stream_gets_them(self) -> None:
        said = run_program(
            "import contextlib, io\n"
            "        with contextlib.redirect_stderr(io.StringIO()) as stream: log.warning('seen')\n"
            "        self.assertEqual(stream.getvalue(), 'seen\\n')"
        )
        self.assertIn("\nOK\n", said)

    def test_a_patched_terminal_gets_them(self) -> None:
        for target in "sys.stderr.write", "logging.StreamHandler.emit", "logging.lastResort.emit":
            with self.subTest(target):
                said = run_program(
                    "import unittest.mock\n"
                    f"        with unittest.mock.patch({target!r}) as called: log.warning('seen')\n"
                    "        self.assertTrue(called.called)"
                )
                self.assertIn("\nOK\n", said)

    def test_buffered_output_has_them_once(self) -> None:
        said = run_samples("Outcomes.test_fails", options=("--buffer",))
        self.assertIn("\nStderr:\nlow on milk\n", said)
        self.assertNotIn("Logged by the test", said)

    def test_main_of_a_program_shows_them_with_the_failure(self) -> None:
        said = run_program("log.info('seen'); self.fail('planted')", main="sys.argv = ['x', '__main__.Test']; main()")
        self.assertEqual(dots_of(said), "F")
        self.assertRegex(said, r"Logged by the test:\n  INFO     shop:<string>:\d+ seen\n")

    def test_a_test_without_a_result_prints_at_once(self) -> None:
        said = run_program("log.warning('seen')", main="Test('test').debug()")
        self.assertEqual(said, "seen\n")

    def test_after_the_run_all_are_printed(self) -> None:
        said = run_program("log.warning('in')", main="unittest.main(exit=False); log.warning('out')")
        self.assertTrue(said.endswith("OK\nout\n"), said)
        self.assertNotIn("in\n", said)


@unittest.skipIf("pytest" in sys.modules, "it runs pytest itself")
class PytestTest(unittest.TestCase):
    def test_pytest_shows_them_once(self) -> None:
        said = run_samples("Outcomes", "Handlers.test_fails", runner="pytest")
        self.assertNotIn("Logged by the test", said)
        self.assertEqual(said.count("low on milk"), 1)
        self.assertEqual(said.count(" in a handler\n"), 1)

    def test_an_error_is_reported_once(self) -> None:
        names = "Handlers.test_fails_of_an_error", "Handlers.test_passes"
        said = run_samples(*names, runner="pytest")
        self.assertEqual(said.count("ValueError: planted in a handler"), 1)

    def test_an_error_that_no_report_has_is_in_the_log(self) -> None:
        said = run_samples("Handlers.test_passes", runner="pytest", options=("-rP",))
        self.assertEqual(said.count("ValueError: planted in a handler"), 1)
        self.assertIn("Captured log call", said)

    def test_without_its_plugin_for_logs_we_show_them(self) -> None:
        options = ("-s", "-p", "no:logging")
        said = run_samples("Outcomes.test_fails", runner="pytest", options=options)
        self.assertEqual(said.count("low on milk"), 1)
