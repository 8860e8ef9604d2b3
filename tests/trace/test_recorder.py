import asyncio
import gc
import unittest
import weakref
from collections.abc import Callable
from typing import Any

from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase, gen_test
from asynctest_tornado._trace import actors
from asynctest_tornado._trace.feature import TRACE
from asynctest_tornado._trace.recorder import CALLBACK, FILE, STEP, TIMER, Event, Recorder
from tests.support import run_body

__unittest = True


class Traced(AsyncTestCase):
    trace = "failures"


def events_of(body: Callable[[Any], Any]) -> list[Event]:
    """Return the events of a test, so far as its code can see them."""
    found: list[Event] = []

    async def run(case: AsyncTestCase) -> None:
        await body(case)
        harness: Any = case._asynctest.harness
        found.extend(harness.trap.data[TRACE].recorder.events)

    result = run_body(Traced, run)
    assert result.wasSuccessful(), result.report
    return found


def names(events: list[Event], kind: str) -> list[str]:
    return [event.text if event.lane is None else event.lane.name for event in events if event.kind == kind]


class StepsTest(unittest.TestCase):
    def test_a_task_goes_on_from_its_innermost_line(self) -> None:
        async def inner() -> None:
            await asyncio.sleep(0)

        async def body(case: AsyncTestCase) -> None:
            await asyncio.create_task(inner())

        steps = [event for event in events_of(body) if event.lane and "inner" in event.lane.name]
        self.assertEqual([step.text for step in steps], ["begins", "goes on"])
        self.assertEqual(steps[-1].end, "ends")
        self.assertEqual({step.place and step.place[0] for step in steps}, {inner.__code__})

    def test_a_coroutine_of_tornado_has_steps(self) -> None:
        @gen.coroutine
        def old(name: str) -> Any:
            yield gen.moment
            yield gen.sleep(0.001)
            yield asyncio.sleep(0)

        async def body(case: AsyncTestCase) -> None:
            await old("tea")

        steps = [name for name in names(events_of(body), STEP) if "old" in name]
        self.assertEqual(len(steps), 3)
        self.assertRegex(steps[0], r"old\('tea'\)$")

    def test_a_test_that_is_a_generator_has_its_lines(self) -> None:
        found: list[Event] = []

        @gen_test
        def body(case: Any) -> Any:
            yield asyncio.sleep(0)
            found.extend(case._asynctest.harness.trap.data[TRACE].recorder.events)

        self.assertTrue(run_body(Traced, body).wasSuccessful())
        places = [event.place[0].co_name for event in found if event.place is not None]
        self.assertEqual(places, ["body"])

    def test_callbacks_have_the_names_of_the_users_functions(self) -> None:
        def on_loop() -> None:
            pass

        def on_future(future: object) -> None:
            pass

        async def body(case: AsyncTestCase) -> None:
            IOLoop.current().add_callback(on_loop)
            done: asyncio.Future[None] = asyncio.Future()
            IOLoop.current().add_future(done, on_future)
            done.set_result(None)
            await asyncio.sleep(0.001)

        called = [name.rpartition(".")[2] for name in names(events_of(body), CALLBACK)]
        self.assertIn("on_loop", called)
        self.assertIn("on_future", called)

    def test_timers_and_files_are_known_as_such(self) -> None:
        import socket

        def readable() -> None:
            asyncio.get_running_loop().remove_reader(ends[0])

        ends = socket.socketpair()

        async def body(case: AsyncTestCase) -> None:
            asyncio.get_running_loop().add_reader(ends[0], readable)
            ends[1].send(b"x")
            await asyncio.sleep(0.001)

        with ends[0], ends[1]:
            events = events_of(body)
        self.assertIn("asyncio.sleep", names(events, TIMER))
        self.assertIn("StepsTest.test_timers_and_files_are_known_as_such.readable", names(events, FILE))

    def test_a_call_knows_the_step_that_has_registered_it(self) -> None:
        async def waits(event: asyncio.Event) -> None:
            await event.wait()

        async def sets(event: asyncio.Event) -> None:
            await asyncio.sleep(0)
            event.set()

        async def body(case: AsyncTestCase) -> None:
            event = asyncio.Event()
            await asyncio.gather(waits(event), sets(event))

        events = events_of(body)
        by_number = {event.number: event for event in events}
        woken = [event for event in events if event.lane and "waits" in event.lane.name][-1]
        assert isinstance(woken.cause, int)
        cause = by_number[woken.cause]
        self.assertTrue(cause.lane and "sets" in cause.lane.name)

    def test_a_cancellation_is_no_error(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            task = asyncio.ensure_future(asyncio.sleep(100))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

        self.assertIn("is cancelled", [event.end for event in events_of(body)])


class SideEffectsTest(unittest.TestCase):
    def test_the_order_of_calls_is_the_same(self) -> None:
        def run(trace: str) -> list[str]:
            said: list[str] = []

            async def go_on(name: str) -> None:
                for number in range(3):
                    said.append(f"{name}{number}")
                    await asyncio.sleep(0)

            async def body(case: AsyncTestCase) -> None:
                IOLoop.current().add_callback(said.append, "callback")
                await asyncio.gather(go_on("a"), go_on("b"))

            base = type("Base", (AsyncTestCase,), {"trace": trace, "schedules": 4})
            self.assertTrue(run_body(base, body).wasSuccessful())
            return said

        self.assertEqual(run("failures"), run("off"))

    def test_objects_of_the_test_are_gone_as_early(self) -> None:
        class Thing:
            def act(self) -> None:
                pass

        async def body(case: AsyncTestCase) -> None:
            async def work(thing: Thing) -> None:
                await asyncio.sleep(0)

            thing = Thing()
            IOLoop.current().add_callback(thing.act)
            task = asyncio.create_task(work(thing))
            gone = weakref.ref(thing), weakref.ref(task)
            del thing
            await task
            del task
            await asyncio.sleep(0.001)
            case.assertEqual([each() for each in gone], [None, None])

        gc.disable()
        self.addCleanup(gc.enable)
        events_of(body)

    def test_timers_that_are_cancelled_are_forgotten(self) -> None:
        async def body(case: Any) -> None:
            recorder = case._asynctest.harness.trap.data[TRACE].recorder
            before = len(recorder.timers)
            for _ in range(5):
                asyncio.get_running_loop().call_later(10, print).cancel()
            case.assertEqual(len(recorder.timers), before)

        events_of(body)


class ActorsTest(unittest.TestCase):
    def test_the_label_of_a_task_runs_no_code_of_the_user(self) -> None:
        class Loud:
            def __repr__(self) -> str:
                raise AssertionError("this is code of the user")

        async def work(a: object, b: object, c: object) -> None:
            pass

        async def main() -> str:
            task = asyncio.ensure_future(work(Loud(), "x" * 50, 3))
            label, _ = actors.label_of(task)
            await task
            return label

        self.assertTrue(asyncio.run(main()).endswith(".work(<Loud>, ..., 3)"))

    def test_long_chains_of_coroutines_end(self) -> None:
        async def deep(depth: int) -> None:
            await (deep(depth - 1) if depth else asyncio.sleep(0))

        async def main() -> Any:
            task = asyncio.ensure_future(deep(500))
            await asyncio.sleep(0)
            place = actors.place_of(task.get_coro())
            await task
            return place

        place = asyncio.run(main())
        self.assertIs(place[0], deep.__code__)

    def test_the_events_are_bounded(self) -> None:
        recorder = Recorder(None)
        for _ in range(20_010):
            recorder.add(CALLBACK, 0)
        self.assertEqual((len(recorder.events), recorder.count), (20_000, 20_010))
