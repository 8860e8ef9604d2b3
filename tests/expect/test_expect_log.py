import logging
import unittest
import warnings

from asynctest_tornado import ExpectLog


class ExpectLogTest(unittest.TestCase):
    def setUp(self) -> None:
        # A logger of its own for each test; the messages that it lets through land in self.logged.
        self.name = f"tests.{self.id()}"
        self.logger = logging.getLogger(self.name)
        self.logged: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: self.logged.append(record.getMessage())  # type: ignore[method-assign]
        self.logger.addHandler(handler)
        self.logger.propagate = False
        self.addCleanup(self.logger.removeHandler, handler)

    def test_a_match_is_suppressed_and_all_else_is_logged(self) -> None:
        with ExpectLog(self.name, "expected") as expectation:
            self.logger.warning("expected %s", 1)
            self.logger.warning("not expected")
        self.assertEqual(self.logged, ["not expected"])
        self.assertEqual(expectation.matched, 1)

    def test_it_takes_a_logger_as_well_as_a_name(self) -> None:
        with ExpectLog(self.logger, "expected"):
            self.logger.warning("expected")

    def test_the_root_logger_has_the_empty_name(self) -> None:
        with ExpectLog("", "expected"):
            logging.getLogger().warning("expected")

    def test_the_regex_matches_from_the_start(self) -> None:
        with self.assertRaises(AssertionError), ExpectLog(self.name, "expected"):
            self.logger.warning("this was expected")

    def test_nothing_is_suppressed_after_the_block(self) -> None:
        with ExpectLog(self.name, "expected"):
            self.logger.warning("expected")
        self.logger.warning("expected")
        self.assertEqual(self.logged, ["expected"])

    def test_the_error_says_what_was_expected_and_what_was_logged_instead(self) -> None:
        with self.assertRaises(AssertionError) as caught, ExpectLog(self.name, "exp.*ted", level=logging.ERROR):
            self.logger.error("quite another thing")
        message = str(caught.exception)
        for part in self.name, "exp.*ted", "ERROR", "quite another thing", "did not get expected log message":
            self.assertIn(part, message)

    def test_the_error_says_that_nothing_was_logged(self) -> None:
        with self.assertRaisesRegex(AssertionError, "Nothing was logged"), ExpectLog(self.name, "expected"):
            pass

    def test_a_long_list_of_other_messages_is_cut_with_a_count(self) -> None:
        with self.assertRaises(AssertionError) as caught, ExpectLog(self.name, "expected"):
            for number in range(25):
                self.logger.warning("message %d", number)
        self.assertIn("message 9", str(caught.exception))
        self.assertNotIn("message 10", str(caught.exception))
        self.assertIn("15 more", str(caught.exception))

    def test_the_message_need_not_come_where_it_is_not_required(self) -> None:
        with ExpectLog(self.name, "expected", required=False):
            pass

    def test_an_error_in_the_block_is_not_replaced(self) -> None:
        with self.assertRaises(KeyError), ExpectLog(self.name, "expected"):
            raise KeyError("the body's own")

    def test_records_of_loggers_below_match(self) -> None:
        child = logging.getLogger(self.name + ".child")
        with ExpectLog(self.name, "expected"):
            child.warning("expected")
        self.assertEqual(self.logged, [])

    def test_records_of_a_logger_that_is_made_in_the_block_match(self) -> None:
        with ExpectLog(self.name, "expected"):
            logging.getLogger(self.name + ".new.made.now").warning("expected")
        self.assertEqual(self.logged, [])

    def test_a_logger_below_that_logs_elsewhere_is_seen_too(self) -> None:
        child = logging.getLogger(self.name + ".proud")
        child.propagate = False
        with ExpectLog(self.name, "expected"):
            child.warning("expected")

    def test_loggers_beside_and_above_do_not_match(self) -> None:
        beside = logging.getLogger(self.name + "beside")
        beside.addHandler(logging.NullHandler())
        beside.propagate = False
        with self.assertRaises(AssertionError), ExpectLog(self.name, "expected"):
            beside.warning("expected")
        with self.assertRaises(AssertionError), ExpectLog(self.name + ".child", "expected"):
            self.logger.warning("expected")

    def test_a_misspelled_logger_is_named(self) -> None:
        self.logger.addHandler(logging.NullHandler())
        with self.assertRaises(AssertionError) as caught, ExpectLog(self.name.replace("e", "", 1), "expected"):
            self.logger.warning("expected")
        last = str(caught.exception).splitlines()[-1]
        self.assertEqual(last, f"The logger {self.name!r} has logged meanwhile. Did you mean that one?")

    def test_a_similar_logger_that_has_not_logged_is_not_named(self) -> None:
        logging.getLogger(self.name + "x")
        with self.assertRaises(AssertionError) as caught, ExpectLog(self.name, "expected"):
            pass
        self.assertNotIn("Did you mean", str(caught.exception))

    def test_blocks_nest(self) -> None:
        with ExpectLog(self.name, "outer") as outer, ExpectLog(self.name + ".child", "inner") as inner:
            logging.getLogger(self.name + ".child").warning("inner")
            logging.getLogger(self.name + ".child").warning("outer")
            self.logger.warning("outer")
        self.assertEqual((outer.matched, inner.matched, self.logged), (2, 1, []))

    def test_blocks_need_not_end_in_order(self) -> None:
        factory = logging.getLogRecordFactory()
        first, second = ExpectLog(self.name, "first"), ExpectLog(self.name, "second")
        first.__enter__()
        second.__enter__()
        self.logger.warning("first")
        first.__exit__(None, None, None)
        logging.getLogger(self.name + ".late").warning("second")
        second.__exit__(None, None, None)
        self.assertIs(logging.getLogRecordFactory(), factory)

    def test_a_record_factory_of_the_user_stays(self) -> None:
        factory = logging.getLogRecordFactory()
        self.addCleanup(logging.setLogRecordFactory, factory)
        with ExpectLog(self.name, "expected"):
            before = logging.getLogRecordFactory()

            def make(*args: object, **kwargs: object) -> logging.LogRecord:
                return before(*args, **kwargs)

            logging.setLogRecordFactory(make)
            with ExpectLog(self.name, "also this"):
                self.logger.warning("also this")
            self.logger.warning("expected")
        self.assertIs(logging.getLogRecordFactory(), make)

    def test_a_level_enables_the_logger_for_the_block(self) -> None:
        self.logger.setLevel(logging.ERROR)
        with ExpectLog(self.name, "expected", level=logging.DEBUG):
            self.logger.debug("expected")
        self.assertEqual(self.logger.level, logging.ERROR)

    def test_another_level_than_the_one_given_does_not_match(self) -> None:
        with self.assertRaises(AssertionError), ExpectLog(self.name, "expected", level=logging.WARNING):
            self.logger.error("expected")
        self.assertEqual(self.logged, ["expected"])

    def test_a_low_level_without_the_argument_is_deprecated(self) -> None:
        self.logger.setLevel(logging.INFO)
        with self.assertWarnsRegex(DeprecationWarning, "level"), ExpectLog(self.name, "expected"):
            self.logger.info("expected")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with ExpectLog(self.name, "expected", level=logging.INFO):
                self.logger.info("expected")

    def test_the_report_says_how_to_mend_it(self) -> None:
        for regex, level, hint in (
            ("bad thing", None, r"has to match from the start of the message: '\.\*bad thing' would\."),
            ("thing|other", None, r"from the start of the message: '\.\*\(\?:thing\|other\)' would\."),
            ("(?i)BAD", None, r"The regex has to match from the start of the message\.$"),
            ("second", None, r"The regex has to match from the start of the message\.$"),
            ("a bad", logging.ERROR, "The regex matches a message of the level WARNING, and another level is expected"),
            ("another", None, "Correct the logger, regex or level, or give required=False"),
        ):
            error = self.assertRaisesRegex(AssertionError, hint)
            with self.subTest(regex), error, ExpectLog(self.name, regex, level=level):
                self.logger.warning("a bad thing\nand a second line")

    def test_the_report_says_what_the_logger_drops(self) -> None:
        self.logger.setLevel(logging.WARNING)
        error = self.assertRaisesRegex(AssertionError, "drops messages below WARNING: level=logging.INFO, or another")
        with error, ExpectLog(self.name, "expected"):
            self.logger.info("expected")
        error = self.assertRaisesRegex(AssertionError, r"Nothing was logged there\.\nCorrect the logger")
        with error, ExpectLog(self.name, "expected", level=logging.DEBUG):
            pass

    def test_it_records_whether_a_stack_was_logged(self) -> None:
        with ExpectLog(self.name, "expected") as expectation:
            self.logger.warning("expected")
            self.assertFalse(expectation.logged_stack)
            self.logger.error("expected", exc_info=ValueError())
            self.assertTrue(expectation.logged_stack)
