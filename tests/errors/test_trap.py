import unittest
from unittest import mock

from asynctest_tornado import AsyncTestCase
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.feature import NO_FEATURES, Features
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._util import tracebacks
from tests.samples import cases


class TrapTest(unittest.TestCase):
    def setUp(self) -> None:
        self.trap = Trap(lambda: "my test", NO_FEATURES)

    def test_one_error_is_handed_over_as_itself(self) -> None:
        error = ValueError()
        self.trap.add(error)
        self.assertIs(self.trap.take(), error)
        self.assertIsNone(self.trap.take())

    def test_several_errors_are_a_group_in_order_that_names_the_test(self) -> None:
        errors = [ValueError(), KeyError(), OSError()]
        for error in errors:
            self.trap.add(error)
        group = self.trap.take()
        assert isinstance(group, ExceptionGroup)
        self.assertEqual(list(group.exceptions), errors)
        self.assertIn("3 errors in my test", str(group))
        self.assertNotIsInstance(group, AssertionError)

    def test_several_failures_are_a_failure(self) -> None:
        self.trap.add(AssertionError())
        self.trap.add(AssertionError())
        self.assertIsInstance(self.trap.take(), AssertionError)

    def test_a_failure_among_errors_is_an_error(self) -> None:
        self.trap.add(AssertionError())
        self.trap.add(ValueError())
        self.assertNotIsInstance(self.trap.take(), AssertionError)

    def test_no_group_is_wider_than_what_a_traceback_prints(self) -> None:
        for number in range(40):
            self.trap.add(ValueError(number))
        group = self.trap.take()
        assert isinstance(group, ExceptionGroup)
        self.assertEqual([len(inner.exceptions) for inner in group.exceptions], [15, 15, 10])

    def test_an_error_that_is_reported_twice_is_taken_once(self) -> None:
        error = ValueError()
        self.trap.add(error)
        self.trap.add(error)
        self.assertIs(self.trap.take(), error)
        self.assertIsNone(self.trap.take())

    def test_an_exception_that_is_raised_again_after_it_was_taken_is_another_error(self) -> None:
        error = ValueError()
        self.trap.add(error)
        self.trap.take()
        self.assertTrue(self.trap.knows(error))
        self.trap.add(error)
        self.assertIs(self.trap.take(), error)

    def test_what_the_test_fails_of_by_itself_is_not_taken_as_well(self) -> None:
        error = ValueError()
        self.trap.add(error)
        self.trap.record_failure(error)
        self.assertIsNone(self.trap.take())

    def test_a_skip_counts_only_where_nothing_went_wrong(self) -> None:
        skip, error = unittest.SkipTest("planted"), ValueError()
        self.trap.add(skip)
        self.assertIs(self.trap.take(), skip)
        self.trap.add(unittest.SkipTest("planted"))
        self.trap.add(error)
        self.assertIs(self.trap.take(), error)

    def test_each_error_interrupts_what_waits(self) -> None:
        outer, inner = mock.Mock(), mock.Mock()
        self.trap.waits += outer, inner
        self.trap.add(ValueError())
        self.trap.add(ValueError())
        self.assertEqual((outer.interrupt.call_count, inner.interrupt.call_count), (0, 2))

    def test_what_is_held_is_not_raised_before_it_is_released(self) -> None:
        first, second = ValueError(1), ValueError(2)
        self.trap.add(first)
        self.trap.hold()
        self.trap.raise_errors()
        self.trap.add(second)
        self.trap.release()
        group = self.trap.take()
        assert isinstance(group, ExceptionGroup)
        self.assertEqual(group.exceptions, (first, second))

    def test_a_late_error_is_reported_unless_closed_connections_may_explain_it(self) -> None:
        for closes in False, True:
            with (
                self.subTest(closes=closes),
                HarnessByHand(lambda: "it", features=Features([CLOSED_CONNECTIONS])) as harness,
            ):
                harness.trap.reporter = reporter = mock.Mock()
                if closes:
                    CLOSED_CONNECTIONS.begin(harness)
            error = ConnectionResetError()
            self.assertEqual(bool(harness.trap.add(error)), not closes)
            self.assertEqual(reporter.mock_calls, [] if closes else [mock.call.late(error, None)])

    def test_a_closed_trap_takes_nothing(self) -> None:
        self.trap.close()
        self.assertFalse(self.trap.add(ValueError()))
        self.assertIsNone(self.trap.take())


class StripTest(AsyncTestCase):
    def test_a_traceback_has_the_lines_of_the_user_only(self) -> None:
        self.io_loop.add_callback(cases.boom)
        try:
            self.wait()
        except ValueError as error:
            names, tb = [], tracebacks.strip(error).__traceback__
            while tb is not None:
                names.append(tb.tb_frame.f_code.co_name)
                tb = tb.tb_next
        self.assertEqual(names, ["test_a_traceback_has_the_lines_of_the_user_only", "boom"])
