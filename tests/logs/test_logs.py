import logging
import threading
import unittest

from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectLog, gen_test
from tests.samples.untouched import APPLICATION
from tests.support import run_body

NAME = "tests.logs.shop"
log = logging.getLogger(NAME)
other = logging.getLogger("tests.logs.other")


def setUpModule() -> None:
    for each in log, other:
        each.propagate = False
        each.addHandler(logging.NullHandler())


def tearDownModule() -> None:
    for each in log, other:
        each.propagate = True
        each.handlers.clear()


class LogsTest(AsyncTestCase):
    def test_it_has_the_records_of_the_test(self) -> None:
        self.assertEqual((list(self.logs), repr(self.logs), self.logs.text), ([], "<no log records>", ""))
        log.warning("low on %s", "milk")
        other.error("closed")
        self.assertEqual(self.logs.messages, ["low on milk", "closed"])
        self.assertEqual([each.levelname for each in self.logs], ["WARNING", "ERROR"])
        self.assertEqual(
            self.logs.record_tuples, [(NAME, logging.WARNING, "low on milk"), (other.name, logging.ERROR, "closed")]
        )
        self.assertEqual((len(self.logs), self.logs[-1].name, self.logs[:1]), (2, other.name, self.logs.records[:1]))
        self.assertRegex(
            self.logs.text, r"\AWARNING  tests\.logs\.shop:test_logs\.py:\d+ low on milk\nERROR .* closed\n\Z"
        )
        self.assertIn("low on milk", repr(self.logs))

    def test_records_are_filtered_by_logger_and_level(self) -> None:
        logging.getLogger(f"{NAME}.orders").error("below")
        logging.getLogger(f"{NAME}ping").propagate = False
        log.warning("here")
        other.error("elsewhere")
        self.assertEqual(self.logs.filter(NAME).messages, ["below", "here"])
        self.assertEqual(self.logs.filter(level="ERROR").messages, ["below", "elsewhere"])
        self.assertEqual(self.logs.filter(NAME, logging.ERROR).messages, ["below"])
        with self.assertRaisesRegex(ValueError, "There is no level 'LOUD' of logging. Give one of .*WARNING"):
            self.logs.filter(level="LOUD")

    def test_the_levels_of_loggers_decide(self) -> None:
        log.info("too low")
        with self.logs.at_level("INFO", NAME):
            log.info("in the block")
        log.info("too low again")
        self.assertEqual(self.logs.messages, ["in the block"])

    def test_it_can_be_cleared(self) -> None:
        log.warning("first")
        self.logs.clear()
        log.warning("second")
        self.assertEqual(self.logs.messages, ["second"])

    def test_an_exception_is_there_as_text(self) -> None:
        try:
            raise KeyError("planted")
        except KeyError:
            log.exception("failed")
        [record] = self.logs
        assert record.exc_info is not None
        self.assertIs(record.exc_info[0], KeyError)
        self.assertIn("KeyError: 'planted'", record.exc_text or "")
        self.assertIn("KeyError: 'planted'", self.logs.text)

    def test_threads_and_callbacks_count(self) -> None:
        thread = threading.Thread(target=log.warning, args=["in a thread"])
        thread.start()
        thread.join()
        self.io_loop.add_callback(log.warning, "in a callback")
        self.io_loop.add_callback(self.stop)
        self.wait()
        self.assertEqual(self.logs.messages, ["in a thread", "in a callback"])

    def test_expected_records_are_not_there(self) -> None:
        with ExpectLog(NAME, "expected"):
            log.warning("expected")
        with self.assertLogs(NAME):
            log.warning("expected too")
        self.assertEqual(self.logs.messages, [])

    def test_setUp_can_use_it(self) -> None:
        self.assertEqual(self.setup_messages, ["in setUp"])

    def setUp(self) -> None:
        super().setUp()
        if self._testMethodName == "test_setUp_can_use_it":
            log.warning("in setUp")
            self.setup_messages = self.logs.messages


class LevelTest(unittest.TestCase):
    def test_a_level_is_restored_at_the_end_of_the_test(self) -> None:
        def test(case: AsyncTestCase) -> None:
            case.logs.set_level(logging.DEBUG)
            case.logs.set_level("DEBUG", NAME)
            case.logs.set_level("INFO", NAME)
            log.debug("too low")
            log.info("seen")
            case.assertEqual(case.logs.messages, ["seen"])
            case.assertEqual(logging.getLogger().level, logging.DEBUG)

        before = logging.getLogger().level, log.level
        result = run_body(AsyncTestCase, test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertEqual((logging.getLogger().level, log.level), before)

    def test_a_level_that_does_not_exist_is_an_error(self) -> None:
        def test(case: AsyncTestCase) -> None:
            case.logs.set_level("LOUD")

        self.assertIn("ValueError: There is no level 'LOUD'", run_body(AsyncTestCase, test).report)


class NextTest(unittest.TestCase):
    def test_another_test_has_its_own_records(self) -> None:
        def test(case: AsyncTestCase) -> None:
            case.assertEqual(case.logs.messages, [])
            log.warning("mine")

        for _ in range(2):
            self.assertEqual(run_body(AsyncTestCase, test).verdicts, ["addSuccess"])

    def test_tests_of_one_loop_have_their_own_records(self) -> None:
        class Sample(AsyncTestCase):
            loop_scope = "class"

            async def test_1(self) -> None:
                log.warning("first")
                self.assertEqual(self.logs.messages, ["first"])

            async def test_2(self) -> None:
                log.warning("second")
                self.assertEqual(self.logs.messages, ["second"])

        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Sample).run(result)
        self.assertTrue(result.wasSuccessful(), result.errors + result.failures)

    def test_a_suite_may_have_an_attribute_of_that_name(self) -> None:
        def test(case: AsyncTestCase) -> None:
            case.logs = ["own"]  # type: ignore[misc,assignment]
            log.warning("planted")
            case.assertEqual(case.logs, ["own"])

        self.assertEqual(run_body(AsyncTestCase, test).verdicts, ["addSuccess"])

    def test_it_is_there_while_the_test_runs(self) -> None:
        class Sample(AsyncTestCase):
            def test(self) -> None: ...

        with self.assertRaisesRegex(RuntimeError, r"self\.logs is there while a test runs"):
            _ = Sample("test").logs


class HandlerTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return APPLICATION

    @gen_test
    async def test_records_of_request_handlers_count(self) -> None:
        with self.logs.at_level("INFO", "tornado"):
            await self.fetch("/missing")
        self.assertEqual(len(self.logs.filter("tornado.access")), 0, "the application has no log function")
        logging.getLogger(NAME).warning("here")
        self.assertEqual(self.logs.messages, ["here"])
