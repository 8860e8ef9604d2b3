"""The protocol of features: the order of the hooks, an exception in each of them, the core without any feature."""

import asyncio
import os
import unittest
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from tornado.ioloop import IOLoop

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._features.all_features import FEATURES
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import HOOKS, Feature, Features
from asynctest_tornado._harness.harness import Harness, State
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.phase import phase
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._loop.new_loop import new_ioloop
from asynctest_tornado._network.feature import NETWORK
from asynctest_tornado._network.virtual_network import VirtualNetwork
from asynctest_tornado._schedules.feature import ORDER
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._sources import installation
from asynctest_tornado._timeouts.alarms import ALARMS
from asynctest_tornado._timeouts.deadlock import DEADLOCK
from asynctest_tornado._trace.feature import TRACE, Chosen
from tests.support import RecyclingHarness, run_code

LIMIT = Limit(60, "the test")
#: The options of the features that a test has only with an option.
OPTIONS: dict[Feature, Callable[[], Any]] = {
    VIRTUAL_TIME: VirtualClock,
    NETWORK: VirtualNetwork,
    ORDER: lambda: Schedule.of_seed(1),
    TRACE: lambda: Chosen(Path(os.devnull), is_for_all=False),
}


def setUpModule() -> None:
    # No feature of these tests puts the patches in, by which an error of a callback gets into the trap.
    installation.begin(Recorder)


def tearDownModule() -> None:
    installation.discard(Recorder)


class Recorder(Feature):
    """Records each hook that is called."""

    def __init__(self, name: str, events: list[str], failing_hook: str = "") -> None:
        self.name = name
        self.events = events
        self.failing_hook = failing_hook

    def record(self, hook: str) -> None:
        self.events.append(f"{self.name} {hook}")
        if hook == self.failing_hook:
            raise LookupError(hook)

    def made(self, trap: Trap) -> None:
        self.record("made")

    def opened(self, harness: Harness) -> None:
        assert not harness.loop.loop.is_running()
        self.record("opened")

    def wait_began(self, wait: Deadline) -> None:
        self.record("wait_began")

    def run_began(self, wait: Deadline) -> None:
        self.record("run_began")

    def run_ended(self, wait: Deadline) -> None:
        self.record("run_ended")

    def expiring(self, wait: Deadline) -> bool:
        self.record("expiring")
        return False

    def interrupted(self, wait: Deadline, error: BaseException) -> bool:
        self.record("interrupted")
        return False

    def timed_out(self, wait: Deadline, error: BaseException) -> None:
        self.record("timed_out")

    def main_ended(self, loop: LoopOfTest) -> None:
        assert loop.loop.is_running()
        self.record("main_ended")

    def wait_ended(self, wait: Deadline) -> None:
        self.record("wait_ended")

    def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
        # The loop asks as often as it sleeps.
        if not self.events[-1].endswith("before_sleep"):
            self.record("before_sleep")
        return timeout

    def trapped(self, trap: Trap, error: BaseException) -> bool:
        self.record("trapped")
        return self.name == "consumer"

    def recorded(self, trap: Trap, error: BaseException) -> None:
        self.record("recorded")

    def failing(self, trap: Trap, errors: Sequence[BaseException]) -> None:
        self.record("failing")

    def late(self, trap: Trap, error: BaseException) -> bool:
        self.record("late")
        return self.name == "discreet"

    def pending(self, loop: LoopOfTest, tasks: Sequence[Any], main: Any) -> str:
        self.record("pending")
        return f"pending, by {self.name}"

    def notes(self, harness: Harness, error: BaseException) -> None:
        assert harness.trap.failure is error
        self.record("notes")

    def ending(self, harness: Harness, get_held: Callable[[], Collection[int]]) -> None:
        self.record("ending")

    def closing(self, harness: Harness) -> None:
        assert not harness.loop.loop.is_closed()
        self.record("closing")

    def closed(self, harness: Harness) -> None:
        self.record("closed")

    def verdict(self, harness: Harness, error: BaseException | None) -> BaseException | None:
        self.record("verdict")
        return error

    def reported(self, trap: Trap) -> None:
        self.record("reported")


def run_recorded(
    *names: str, failing_hook: str = "", use: Callable[[Harness], object] = lambda harness: None
) -> list[str]:
    """Run a test with a feature of each name, the last one of which fails in a hook; return the calls of the hooks."""
    events: list[str] = []
    hooks = [""] * (len(names) - 1) + [failing_hook]
    recorders = [Recorder(name, events, hook) for name, hook in zip(names, hooks, strict=True)]
    features = Features([ALARMS, *recorders])
    try:
        with HarnessByHand(lambda: "it", features=features) as harness:
            use(harness)
    except (LookupError, AssertionError) as error:
        events.append(repr(error))
    return events


def wait(harness: Harness) -> None:
    """Wait, and leave a callback."""
    harness.waits.run(lambda: asyncio.sleep(0.001), LIMIT)
    IOLoop.current().add_callback(lambda: None)


def fail(harness: Harness) -> None:
    """Wait until a callback fails."""
    IOLoop.current().add_callback(lambda: 1 / 0)
    harness.waits.run(asyncio.Event().wait, LIMIT)


def errors_of(error: BaseException) -> list[str]:
    return [repr(each) for each in (error.exceptions if isinstance(error, BaseExceptionGroup) else [error])]


def both(hook: str) -> list[str]:
    return [f"first {hook}", f"second {hook}"]


class OrderOfHooksTest(unittest.TestCase):
    maxDiff = None

    def test_hooks_that_end_something_are_called_in_the_opposite_order(self) -> None:
        events = run_recorded("first", "second", use=wait)
        began = [*both("made"), *both("opened"), *both("wait_began"), *both("run_began"), *both("before_sleep")[:1]]
        began += both("main_ended")
        ended = [
            *both("run_ended")[::-1],
            *both("wait_ended")[::-1],
            *both("closing")[::-1],
            *both("closed")[::-1],
            *both("verdict")[::-1],
            *both("reported")[::-1],
        ]
        self.assertEqual(events, [*began, *ended])

    def test_a_test_that_leaves_a_task(self) -> None:
        async def leave() -> None:
            self.task = asyncio.ensure_future(asyncio.Event().wait())

        events = run_recorded("first", use=lambda harness: harness.waits.run(leave, LIMIT))
        run = ["run_began", "run_ended"]
        waits = ["wait_began", "run_began", "main_ended", "run_ended", "wait_ended", "ending", "wait_began", *run]
        hooks = ["made", "opened", *waits, "wait_ended", "closed", "verdict", "reported"]
        self.assertEqual(events, [f"first {hook}" for hook in hooks])

    def test_a_wait_that_times_out(self) -> None:
        def wait(harness: Harness) -> None:
            with self.assertRaises(TimeoutError):
                harness.waits.run(lambda: asyncio.sleep(60), Limit(0.001, "the test"))

        events = run_recorded("first", use=wait)
        began = ["made", "opened", "wait_began", "run_began", "before_sleep"]
        end = ["expiring", "pending", "main_ended", "run_ended", "wait_ended", "timed_out", "closed", "verdict"]
        end.append("reported")
        self.assertEqual(events, [f"first {hook}" for hook in began + end])

    def test_a_feature_lets_a_wait_go_on_after_its_limit(self) -> None:
        class Patient(Feature):
            def expiring(self, wait: Deadline) -> bool:
                wait.loop.loop.call_soon(done.set)
                return True

        done = asyncio.Event()
        with HarnessByHand(lambda: "it", features=Features([Patient()])) as harness:
            harness.waits.run(done.wait, Limit(0.001, "the test"))
        self.assertTrue(done.is_set())

    def test_a_feature_ends_a_wait_before_its_limit(self) -> None:
        class Hasty(Feature):
            def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
                return 0 if loop.trap.waits[-1].expire("was too slow for a feature") else timeout

        with (
            HarnessByHand(lambda: "it", features=Features([ALARMS, Hasty()])) as harness,
            self.assertRaisesRegex(TimeoutError, "^Operation was too slow for a feature$"),
        ):
            harness.waits.run(asyncio.Event().wait, LIMIT)

    def test_a_feature_knows_the_interruption_that_it_has_sent(self) -> None:
        class Interrupts(Feature):
            def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
                raise sent

            def interrupted(self, wait: Deadline, error: BaseException) -> bool:
                wait.raised, wait.remark = error, "; a feature has sent it"
                wait.end()
                return error is sent

        sent = KeyboardInterrupt()
        with (
            HarnessByHand(lambda: "it", features=Features([ALARMS, Interrupts()])) as harness,
            self.assertRaisesRegex(TimeoutError, "; a feature has sent it$"),
        ):
            harness.waits.run(asyncio.Event().wait, LIMIT)

    def test_an_interruption_of_the_user_leaves_the_wait(self) -> None:
        def interrupt(harness: Harness) -> None:
            def raise_it() -> None:
                raise KeyboardInterrupt

            with self.assertRaises(KeyboardInterrupt):
                harness.waits.run(raise_it, LIMIT)

        self.assertIn("first interrupted", run_recorded("first", use=interrupt))

    def test_a_timeout_report_has_the_texts_of_all_features(self) -> None:
        with (
            HarnessByHand(
                lambda: "it", features=Features([Recorder("first", [""]), Recorder("second", [""])])
            ) as harness,
            self.assertRaises(TimeoutError) as caught,
        ):
            harness.waits.run(asyncio.Event().wait, Limit(0.001, "the test"))
        self.assertIn("pending, by first\npending, by second", caught.exception.__notes__[0])

    def test_an_error_in_a_callback(self) -> None:
        def use(harness: Harness) -> None:
            self.assertRaises(ZeroDivisionError, fail, harness)

        events = run_recorded("first", "second", use=use)
        trapped = [*both("trapped"), *both("recorded"), *both("run_ended")[::-1], *both("wait_ended")[::-1]]
        place = events.index("first trapped")
        self.assertEqual(events[place : place + 10], [*trapped, *both("failing")])

    def test_an_error_that_a_feature_consumes(self) -> None:
        events = run_recorded("first", "consumer", "last", use=lambda harness: harness.trap.add(ValueError()))
        opened = ["first opened", "consumer opened", "last opened"]
        self.assertEqual(events[3:9], [*opened, "first trapped", "consumer trapped", "last closed"])

    def test_an_error_that_the_test_raises_by_itself(self) -> None:
        events: list[str] = []
        with HarnessByHand(lambda: "it", features=Features([Recorder("first", events)])) as harness:
            harness.trap.record_failure(ValueError())
        self.assertEqual(events[:3], ["first made", "first opened", "first recorded"])

    def test_an_error_after_the_end_of_the_test(self) -> None:
        for name, is_reported in ("first", True), ("discreet", False):
            with self.subTest(name):
                events: list[str] = []
                features = Features([Recorder(name, events)])
                with HarnessByHand(lambda: "it", features=features) as harness:
                    harness.trap.reporter = mock.Mock()
                events.clear()
                self.assertEqual(bool(harness.trap.add(ValueError())), is_reported)
                self.assertEqual(events, [f"{name} trapped", f"{name} late"])

    def test_an_error_of_the_library_is_not_offered(self) -> None:
        events: list[str] = []
        with (
            self.assertRaises(RuntimeError),
            HarnessByHand(lambda: "it", features=Features([Recorder("first", events)])) as harness,
        ):
            harness.trap.add(RuntimeError(), is_own=True)
        self.assertIn("first recorded", events)
        self.assertNotIn("first trapped", events)

    def test_a_phase_that_fails(self) -> None:
        events = run_recorded("first", "second", use=lambda harness: phase(harness, self.fail))
        self.assertEqual(events[4:6], both("notes"))

    def test_a_harness_that_opens_again(self) -> None:
        events = run_recorded("first", use=lambda harness: harness.open())
        hooks = ["made", "opened", "closed", "opened", "closed", "verdict", "reported"]
        self.assertEqual(events, [f"first {hook}" for hook in hooks])

    def test_each_hook_is_recorded(self) -> None:
        """A hook that the protocol gets needs its place in these tests."""
        self.assertEqual([hook for hook in HOOKS if getattr(Recorder, hook) is getattr(Feature, hook)], [])


class ExceptionInHookTest(unittest.TestCase):
    """The first feature is sound, the second one raises an exception."""

    def events_if(self, hook: str) -> list[str]:
        return run_recorded("first", "second", failing_hook=hook, use=wait)

    def test_opened(self) -> None:
        events = self.events_if("opened")
        self.assertEqual(events, [*both("made"), *both("opened"), "first closed", "LookupError('opened')"])
        self.assertIsNone(IOLoop.current(instance=False))

    def test_hooks_of_a_wait(self) -> None:
        for hook in "wait_began", "run_began", "main_ended", "run_ended", "wait_ended":
            with self.subTest(hook):
                events = self.events_if(hook)
                self.assertIn("first wait_ended", events)
                self.assertEqual(events[-1], f"LookupError({hook!r})")
                self.assertIn("first closed", events)

    def test_hooks_of_an_error(self) -> None:
        for hook in "trapped", "recorded", "failing":
            with self.subTest(hook), self.assertRaises(ExceptionGroup) as caught:
                events: list[str] = []
                features = Features([Recorder("second", events, hook), Recorder("last", events)])
                with HarnessByHand(lambda: "it", features=features) as harness:
                    fail(harness)
            self.assertIn(f"last {hook}", events)
            self.assertEqual(
                sorted(errors_of(caught.exception)),
                sorted([repr(LookupError(hook)), "ZeroDivisionError('division by zero')"]),
            )

    def test_hooks_of_a_late_error(self) -> None:
        for hook in "trapped", "late":
            with self.subTest(hook):
                with HarnessByHand(lambda: "it", features=Features([Recorder("first", [""], hook)])) as harness:
                    harness.trap.reporter = reporter = mock.Mock()
                self.assertTrue(harness.trap.add(ValueError()))
                reported = [repr(call.args[0]) for call in reporter.mock_calls]
                self.assertEqual(reported, [repr(LookupError(hook)), "ValueError()"])

    def test_ending(self) -> None:
        async def leave() -> None:
            self.task = asyncio.ensure_future(asyncio.Event().wait())

        def wait(harness: Harness) -> None:
            harness.waits.run(leave, LIMIT)

        events = run_recorded("first", "second", failing_hook="ending", use=wait)
        self.assertIn("first ending", events)
        self.assertIn("first closed", events)
        self.assertEqual(events[-1], "LookupError('ending')")
        self.assertTrue(self.task.cancelled())

    def test_hooks_of_the_end(self) -> None:
        hooks = ("closing", "closed", "verdict", "reported")
        for hook in hooks:
            with self.subTest(hook):
                events = self.events_if(hook)
                closing, closed, verdict, reported = (both(each)[::-1] for each in hooks)
                failing = [] if hook in ("verdict", "reported") else both("failing")
                if hook == "reported":
                    del reported[1:]
                expected = [*closing, *closed, *failing, *verdict, *reported, f"LookupError({hook!r})"]
                ended = [each for each in events if "recorded" not in each]
                self.assertEqual(ended[-len(expected) :], expected)


class FeaturesTest(unittest.TestCase):
    def test_a_test_has_the_optional_ones_that_it_has_an_option_for(self) -> None:
        self.assertNotIn(VIRTUAL_TIME, FEATURES.of_test([]).members)
        chosen = FEATURES.of_test([LEAKS, VIRTUAL_TIME])
        self.assertEqual([each for each in chosen.members if each.is_optional], [VIRTUAL_TIME])
        self.assertIs(FEATURES.of_test([LEAKS, VIRTUAL_TIME]), chosen)


class LoopClassTest(unittest.TestCase):
    """A feature adds methods to the loop."""

    def test_the_methods_of_the_first_feature_come_first(self) -> None:
        events: list[str] = []

        def adding(name: str) -> Feature:
            class Adding(WatchedLoop):
                def ready_calls(self) -> Sequence[asyncio.Handle]:
                    events.append(name)
                    return super().ready_calls()

            feature = Feature()
            feature.loop_class = Adding
            return feature

        features = Features([adding("first"), adding("second")])
        with HarnessByHand(lambda: "it", features=features) as harness:
            self.assertEqual(list(harness.loop.loop.ready_calls()), [])
        self.assertEqual(events, ["first", "second"])

    def test_a_loop_of_the_shells_has_its_class_from_the_start(self) -> None:
        features = FEATURES.of_test(())
        io_loop = new_ioloop(None, features)
        self.addCleanup(io_loop.close)
        before = type(io_loop), type(io_loop.asyncio_loop)  # type: ignore[attr-defined]
        harness = HarnessByHand(lambda: "it", features=features)
        harness.open(lambda: io_loop)
        self.addCleanup(harness.finish)
        self.assertEqual((type(io_loop), type(harness.loop.loop)), before)


class ListTest(unittest.TestCase):
    def test_the_order_is_as_its_comment_says(self) -> None:
        names = [type(each).__name__ for each in FEATURES.members]
        self.assertEqual(names[:2], ["AsyncGenerators", "ClosedConnections"])
        for first, second in (
            ("Garbage", "Hints"),
            ("Hints", "RequestHandlers"),
            ("Hints", "Order"),
            ("Events", "Leaks"),
            ("Alarms", "VirtualTime"),
            ("BlockedWaits", "Pending"),
            ("Pending", "VirtualTime"),
            ("VirtualTime", "Deadlock"),
        ):
            with self.subTest(first=first, second=second):
                self.assertLess(names.index(first), names.index(second))


class CoreTest(unittest.TestCase):
    """The core does its work with no feature, and with each feature alone."""

    def run_alone(self, features: str, *lines: str) -> str:
        """Run a test whose callback fails in a process of its own, and lines after it; return the text they print."""
        code = f"""
import asyncio, logging, sys

from asynctest_tornado._harness.feature import Features
from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.limit import Limit
{features}
try:
    with HarnessByHand(lambda: "it", features=features) as harness:
        harness.loop.loop.call_soon(lambda: 1 / 0)
        harness.waits.run(asyncio.Event().wait, Limit(60, "the test"))
except ZeroDivisionError:
    print("trapped")
"""
        return run_code("\n".join([code, *lines])).stdout

    def test_it_traps_an_error_in_a_process_without_features(self) -> None:
        printed = self.run_alone(
            "features = Features()",
            'names = {name.split(".")[1] for name in sys.modules if name.startswith("asynctest_tornado.")}',
            'print(sorted(names), vars(logging.getLogger("asyncio")).get("handle"))',
        )
        self.assertEqual(printed, "trapped\n['_errors', '_harness', '_loop', '_util'] None\n")

    def test_the_feature_for_loggers_loses_no_error_where_they_are_not_watched(self) -> None:
        feature = "from asynctest_tornado._sources.feature import LOGGERS; features = Features([LOGGERS])"
        self.assertEqual(self.run_alone(feature), "trapped\n")

    def harnesses(self) -> list[tuple[str, HarnessByHand]]:
        found: list[tuple[str, HarnessByHand]] = [("none", HarnessByHand(lambda: "it"))]
        for each in FEATURES.members:
            options = {each: OPTIONS[each]()} if each in OPTIONS else {}
            members = [ALARMS, each] if each in (DEADLOCK, NETWORK, VIRTUAL_TIME) else [each]
            harness = RecyclingHarness(lambda: "it", features=Features(members), options=options)
            found.append((type(each).__name__, harness))
        return found

    def test_a_coroutine_has_its_result(self) -> None:
        for name, harness in self.harnesses():
            with self.subTest(name), harness:
                self.assertEqual(harness.waits.run(lambda: asyncio.sleep(0.001, 42), LIMIT), 42)

    def test_an_error_in_a_callback_ends_the_wait(self) -> None:
        for name, harness in self.harnesses():
            with self.subTest(name), harness, self.assertRaises(ZeroDivisionError):
                IOLoop.current().add_callback(lambda: 1 / 0)
                harness.waits.run(asyncio.Event().wait, LIMIT)

    def test_an_error_at_the_end_is_the_verdict(self) -> None:
        async def fail() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise ZeroDivisionError

        async def begin() -> None:
            self.task = asyncio.ensure_future(fail())
            await asyncio.sleep(0)

        for name, harness in self.harnesses():
            with self.subTest(name), self.assertRaises(ZeroDivisionError), harness:
                harness.waits.run(begin, LIMIT)
            self.assertIs(harness.state, State.CLOSED)

    def test_a_wait_ends_at_its_limit(self) -> None:
        for name, harness in self.harnesses():
            with self.subTest(name), harness, self.assertRaises(TimeoutError):
                harness.waits.run(asyncio.Event().wait, Limit(0.001, "the test"))
