import asyncio
import logging
import logging.config
import unittest
from collections.abc import Generator
from typing import Any
from unittest import mock

from tornado import gen, log
from tornado.ioloop import PeriodicCallback

from asynctest_tornado import AsyncTestCase, ExpectError, ExpectLog, gen_test
from tests.samples import cases
from tests.samples.cases import boom
from tests.support import run_body, run_case, run_code


class IndependenceTest(unittest.TestCase):
    """No configuration of logging blinds the trap."""

    def setUp(self) -> None:
        self.addCleanup(logging.disable, logging.NOTSET)
        for name in (
            "tornado.application",
            "tornado.general",
            "asyncio",
            "concurrent.futures",
            "tornado",
            "tornado.access",
            "",
        ):
            logger = logging.getLogger(name)
            names = "level", "propagate", "disabled", "handlers", "filters"
            before = {each: getattr(logger, each) for each in names}
            before.update(handlers=list(logger.handlers), filters=list(logger.filters))
            self.addCleanup(vars(logger).update, before)
            self.addCleanup(logger.setLevel, logger.level)  # empties the cache of enabled levels

    def check_trapped(self) -> None:
        result = run_case(cases.BlindedCallback)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertEqual(result.report.count("ValueError: planted"), 2, result.report)

    def test_levels(self) -> None:
        for name in "tornado.application", "tornado", "asyncio", "":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self.check_trapped()

    def test_disable(self) -> None:
        logging.disable(logging.CRITICAL)
        self.check_trapped()

    def test_disabled_loggers(self) -> None:
        log.app_log.disabled = logging.getLogger("asyncio").disabled = True
        self.check_trapped()

    def test_propagate(self) -> None:
        log.app_log.propagate = logging.getLogger("asyncio").propagate = False
        self.check_trapped()

    def test_handlers_and_filters(self) -> None:
        log.app_log.handlers = [logging.NullHandler()]
        log.app_log.addFilter(lambda record: False)
        self.check_trapped()

    def test_a_configuration_in_the_middle_of_the_test(self) -> None:
        class Sample(cases.BlindedCallback):
            def blind(self) -> None:
                logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})

        result = run_case(Sample)
        self.assertEqual(result.report.count("ValueError: planted"), 2, result.report)


class LoggersTest(AsyncTestCase):
    def test_an_exception_that_an_application_logs_is_not_an_error_of_the_test(self) -> None:
        with self.assertLogs("tornado.application", "ERROR") as logs:
            log.app_log.error("handled", exc_info=ValueError())
        self.assertEqual(len(logs.records), 1)

        def callback() -> None:
            try:
                boom()
            except ValueError:
                log.app_log.exception("handled")
            self.stop()

        with ExpectLog("tornado.application", "handled"):
            self.io_loop.add_callback(callback)
            self.wait()

    def test_what_is_not_enabled_is_not_logged(self) -> None:
        records: list[logging.LogRecord] = []
        handler = logging.Handler()
        handler.emit = records.append  # type: ignore[method-assign,assignment]
        logger = logging.getLogger("tornado.general")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
        logger.error("not enabled")
        self.assertEqual(records, [])
        logger.critical("enabled")
        self.assertEqual(len(records), 1)

    def test_cancellation_is_no_error(self) -> None:
        def cancel() -> None:
            raise asyncio.CancelledError

        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        self.io_loop.add_callback(cancel)
        loop.call_soon(cancel)
        loop.create_task(asyncio.sleep(60)).cancel()
        self.run_sync(asyncio.sleep, 0.001)


class ExpectationTest(unittest.TestCase):
    def test_an_expectation_hides_no_other_error(self) -> None:
        def other() -> None:
            raise KeyError("another")

        def body(case: AsyncTestCase) -> None:
            with ExpectLog("tornado.application", "Exception in callback .*boom"):
                case.io_loop.add_callback(boom)
                case.io_loop.add_callback(other)
                case.wait()

        result = run_body(AsyncTestCase, body)
        self.assertIn("KeyError: 'another'", result.report)
        self.assertNotIn("planted", result.report)

    def test_a_level_that_is_not_captured_is_not_expected(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with case.assertRaises(AssertionError), case.assertLogs("tornado", "CRITICAL"):
                case.io_loop.add_callback(boom)
                case.io_loop.add_callback(case.stop)
                with case.assertRaisesRegex(ValueError, "planted"):
                    case.wait()

        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_the_same_exception_counts_each_time_it_is_raised(self) -> None:
        fail = mock.Mock(side_effect=ValueError("planted"))

        def body(case: AsyncTestCase) -> None:
            with ExpectError(ValueError):
                case.io_loop.add_callback(fail)
                case.run_sync(asyncio.sleep, 0)
            for _ in range(2):
                case.io_loop.add_callback(fail)
                with case.assertRaisesRegex(ValueError, "planted"):
                    case.wait()

        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_what_a_list_of_futures_drops_does_not_fail_a_test_that_handles_the_first(self) -> None:
        async def fail(message: str) -> None:
            raise ValueError(message)

        def handled(case: AsyncTestCase) -> Generator[Any, Any, None]:
            with case.assertRaisesRegex(ValueError, "first"):
                yield [fail("first"), fail("second")]

        def not_handled(case: AsyncTestCase) -> Generator[Any, Any, None]:
            yield [fail("first"), fail("second")]

        with self.assertLogs("tornado.application"):
            self.assertEqual(run_body(AsyncTestCase, gen_test(handled)).verdicts, ["addSuccess"])
            report = run_body(AsyncTestCase, gen_test(not_handled)).report
        self.assertLess(report.index("first"), report.index("second"))

    def test_an_expectation_ends_with_its_block(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with ExpectLog("tornado.application", "Exception in callback"):
                case.io_loop.add_callback(boom)
                case.run_sync(asyncio.sleep, 0)
            case.io_loop.add_callback(boom)
            case.wait()

        self.assertIn("planted", run_body(AsyncTestCase, body).report)

    def test_an_expected_error_does_not_end_wait(self) -> None:
        def body(case: AsyncTestCase) -> None:
            with ExpectLog("tornado", "Exception in callback"):
                case.io_loop.add_callback(boom)
                case.io_loop.call_later(0.001, case.stop, "the end")
                case.assertEqual(case.wait(), "the end")

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_errors_of_asyncio_can_be_expected(self) -> None:
        async def fail() -> None:
            boom()

        async def body(case: AsyncTestCase) -> None:
            with ExpectLog("asyncio", "Task exception was never retrieved"):
                asyncio.ensure_future(fail())  # noqa: RUF006
                await asyncio.sleep(0.001)
            with case.assertLogs("asyncio", "ERROR"):
                asyncio.get_running_loop().call_soon(boom)
                await asyncio.sleep(0.001)

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])


class SourcesTest(unittest.TestCase):
    """Each place where an error can surface."""

    def check_trapped(self, body: Any) -> None:
        result = run_body(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)

    def test_a_dropped_future_of_a_decorated_coroutine(self) -> None:
        @gen.coroutine
        def fail() -> Generator[Any, Any, None]:
            yield gen.moment
            boom()

        @gen.coroutine
        def fail_at_once() -> None:
            boom()

        for function in fail, fail_at_once:

            async def body(case: AsyncTestCase, function: Any = function) -> None:
                function()
                await asyncio.sleep(0.001)

            self.check_trapped(body)

    def test_periodic_callbacks(self) -> None:
        async def fail() -> None:
            await asyncio.sleep(0)
            boom()

        for function in boom, fail:

            def body(case: AsyncTestCase, function: Any = function) -> None:
                def call() -> Any:
                    periodic.stop()
                    return function()

                periodic = PeriodicCallback(call, 1)
                periodic.start()
                case.wait()

            self.check_trapped(body)

    def test_callbacks_of_a_thread(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.run_in_executor(None, case.io_loop.add_callback, boom)
            case.wait()

        self.check_trapped(body)

    def test_a_handler_of_the_user_takes_what_it_does_not_hand_on(self) -> None:
        seen: list[Any] = []

        async def body(case: AsyncTestCase) -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: seen.append(context["exception"]))
            loop.call_soon(boom)
            await asyncio.sleep(0.001)

        self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])
        self.assertIsInstance(seen[0], ValueError)

    def test_a_handler_of_the_user_may_hand_on(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: loop.default_exception_handler(context))
            loop.call_soon(boom)
            await asyncio.sleep(0.001)

        self.check_trapped(body)

    def test_nothing_is_printed_of_what_is_reported(self) -> None:
        done = run_code("import unittest; unittest.main(module=None)", "tests.samples.cases.BlindedCallback")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("ValueError: planted"), 2, done.stderr)
        self.assertTrue(done.stderr.startswith("E\n===="), done.stderr)
