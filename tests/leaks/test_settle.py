import asyncio
import concurrent.futures
import contextlib
import datetime
import functools
import queue
import sys
import threading
import unittest
import warnings
from collections.abc import Callable, Generator
from typing import Any
from unittest import mock

import tornado.locks
import tornado.util
import uvloop
from tornado import gen, queues, web, websocket
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream, StreamClosedError
from tornado.process import Subprocess
from tornado.tcpserver import TCPServer

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectError,
    VirtualClock,
    bind_unused_port,
    gen_test,
)
from asynctest_tornado._leaks import policy
from asynctest_tornado._leaks.going_on import GoingOn
from asynctest_tornado._timeouts import other_threads
from asynctest_tornado._unittest.case_run import harness_of
from tests.limits import limit_clock
from tests.support import RecordingResult, run_body, run_case

#: Seconds of a timer that is due soon.
SOON = 0.01


async def heartbeat_up_to_limit() -> None:
    """Sleep again and again. The time of the test is over once it has slept."""
    while True:
        await asyncio.sleep(SOON)
        limit_clock.advance()


def run_quietly(base: Any, body: Callable[[Any], Any], **attributes: Any) -> RecordingResult:
    """Run a function as the test method of a subclass whose leaks are ignored."""
    return run_body(type("Sample", (base,), {"leaks": "ignore", **attributes}), body)


class WorkTest(AsyncTestCase):
    """settle() waits for each kind of work."""

    async def asyncSetUp(self) -> None:
        self.seen: list[object] = []

    async def test_a_timer(self) -> None:
        self.io_loop.call_later(SOON, self.seen.append, "tornado")
        asyncio.get_running_loop().call_later(SOON, self.seen.append, "asyncio")
        await self.settle()
        self.assertCountEqual(self.seen, ["tornado", "asyncio"])

    async def test_a_callback_that_begins_others(self) -> None:
        def go_on(number: int) -> None:
            self.seen.append(number)
            if number < 20:
                self.io_loop.add_callback(go_on, number + 1)

        go_on(0)
        await self.settle()
        self.assertEqual(self.seen[-1], 20)

    async def test_tasks_and_coroutines(self) -> None:
        async def sleep(number: int) -> None:
            await asyncio.sleep(SOON)
            self.seen.append(number)

        @gen.coroutine
        def generator() -> Generator[Any, Any, None]:
            yield gen.sleep(SOON)
            self.seen.append(1)

        tasks: list[asyncio.Future[Any]] = [asyncio.create_task(sleep(2))]
        tasks += [asyncio.shield(sleep(3)), asyncio.gather(sleep(4), sleep(5))]
        generator()
        self.io_loop.spawn_callback(sleep, 6)
        await self.settle()
        self.assertEqual(sorted(map(int, map(str, self.seen))), [1, 2, 3, 4, 5, 6])
        self.assertTrue(all(task.done() for task in tasks))

    async def test_time_limits_of_idle_tasks(self) -> None:
        async def wait() -> None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Queue().get(), SOON)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SOON):
                    await asyncio.Event().wait()
            with contextlib.suppress(tornado.util.TimeoutError):
                await tornado.locks.Event().wait(datetime.timedelta(seconds=SOON))
            self.seen.append("over")

        self.task = asyncio.create_task(wait())
        await self.settle()
        self.assertEqual(self.seen, ["over"])

    async def test_a_task_that_goes_on_after_its_cancellation(self) -> None:
        async def stubborn() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(SOON)
                self.seen.append("over")

        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        task.cancel()
        await self.settle()
        self.assertEqual(self.seen, ["over"])

    async def test_jobs_of_executors(self) -> None:
        gate = threading.Event()

        def job(name: str) -> None:
            gate.wait()
            self.seen.append(name)

        with concurrent.futures.ThreadPoolExecutor() as pool:
            pool.submit(job, "of a pool")
            self.io_loop.run_in_executor(None, job, "of the loop")
            asyncio.create_task(asyncio.to_thread(job, "to_thread")).add_done_callback(self.seen.append)
            threading.Timer(SOON, gate.set).start()  # virtual time does not pass meanwhile
            await self.settle()
            self.assertEqual(len(self.seen), 4)
            await self.settle()  # the threads of the pools are idle

    async def test_threads(self) -> None:
        gate = threading.Event()

        def run() -> None:
            gate.wait()
            self.io_loop.add_callback(self.seen.append, "from a thread")

        threading.Thread(target=run).start()
        self.io_loop.call_later(SOON, gate.set)
        await self.settle()
        self.assertEqual(self.seen, ["from a thread"])

    async def test_subprocesses(self) -> None:
        async def run() -> None:
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
            self.seen.append(await process.wait())

        self.task = asyncio.create_task(run())
        Subprocess([sys.executable, "-c", ""]).set_exit_callback(self.seen.append)
        await self.settle()
        self.assertEqual(self.seen, [0, 0])

    async def test_work_of_asyncSetUp(self) -> None:
        class Sample(AsyncTestCase):
            def setUp(self) -> None:
                super().setUp()
                self.seen: list[int] = []
                self.io_loop.call_later(SOON, self.seen.append, 1)
                self.run_sync(self.settle)

            def test(self) -> None:
                assert self.seen == [1]

        self.assertEqual(await asyncio.to_thread(lambda: run_case(Sample).report), "")

    def test_synchronous_code(self) -> None:
        self.io_loop.call_later(SOON, self.seen.append, 1)
        self.run_sync(self.settle)
        self.assertEqual(self.seen, [1])

    def test_a_stop_meanwhile_counts_for_the_next_wait(self) -> None:
        self.io_loop.call_later(SOON, self.stop, 1)
        self.run_sync(self.settle)
        self.assertEqual(self.wait(), 1)

    @gen_test
    def test_a_generator(self) -> Generator[Any, Any, None]:
        self.io_loop.call_later(SOON, self.seen.append, 1)
        yield self.settle()
        self.assertEqual(self.seen, [1])


class WorkOfAClassTest(WorkTest):
    loop_scope = "class"


class WorkInOrdersTest(WorkTest):
    schedules = 3


class WorkInVirtualTimeTest(WorkTest):
    clock_factory = VirtualClock


class WorkOnUvloopTest(AsyncTestCase):
    loop_factory = uvloop.new_event_loop

    async def test_tasks_and_jobs(self) -> None:
        async def sleep() -> None:
            await asyncio.sleep(0.03)
            seen.append("task")

        seen: list[str] = []
        self.task = asyncio.create_task(sleep())
        self.io_loop.run_in_executor(None, seen.append, "job")
        await self.settle()
        self.assertEqual(seen, ["job", "task"])

    async def test_a_condition(self) -> None:
        seen: list[int] = []
        self.io_loop.call_later(0.03, seen.append, 1)
        self.assertEqual(await self.eventually(lambda: seen), [1])
        with self.assertRaisesRegex(AssertionError, "its last value was False"):
            await self.eventually(lambda: False, timeout=0.05)


class IdleTest(AsyncTestCase):
    """settle() does not wait for things that nothing is left to resume, or that go on for ever."""

    async def test_workers_that_wait_for_queues_and_locks(self) -> None:
        seen = []
        jobs: asyncio.Queue[int] = asyncio.Queue()
        tornado_jobs: queues.Queue[int] = queues.Queue()

        async def work(queue: Any) -> None:
            while True:
                job = await queue.get()
                await asyncio.sleep(SOON)
                seen.append(job)

        waits = (asyncio.Event().wait, tornado.locks.Event().wait, tornado.locks.Condition().wait)
        tasks = [asyncio.create_task(work(queue)) for queue in (jobs, tornado_jobs)]
        tasks += [asyncio.ensure_future(self.wait_for(wait)) for wait in waits]
        for number in range(3):
            jobs.put_nowait(number)
            tornado_jobs.put_nowait(number)
        # A thread could resume a task that waits for a plain future, but no such task.
        gate = threading.Event()
        thread = threading.Thread(target=gate.wait, daemon=True)
        thread.start()
        await self.settle()
        self.assertEqual(sorted(seen), [0, 0, 1, 1, 2, 2])
        gate.set()
        thread.join()
        for task in tasks:
            task.cancel()

    async def wait_for(self, func: Callable[[], Any]) -> None:
        await func()

    @unittest.skipUnless(other_threads._FUTEX, "the system does not say what threads wait for")
    async def test_an_idle_thread(self) -> None:
        """A thread that waits for a job is idle, and can resume no task. It counts as soon as it has a job."""
        jobs: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        seen = []

        def run() -> None:
            while (job := jobs.get()) is not None:
                job()

        async def work() -> None:
            future = asyncio.get_running_loop().create_future()
            jobs.put(functools.partial(asyncio.get_running_loop().call_soon_threadsafe, future.set_result, 1))
            seen.append(await future)

        thread = threading.Thread(target=run)
        thread.start()
        stuck = asyncio.create_task(self.wait_for(asyncio.get_running_loop().create_future))
        for number in range(1, 20):
            self.task = asyncio.create_task(work())
            await self.settle()
            self.assertEqual(len(seen), number)
        jobs.put(None)
        thread.join()
        stuck.cancel()

    async def test_a_future_that_nothing_can_resolve(self) -> None:
        task = asyncio.create_task(self.wait_for(asyncio.get_running_loop().create_future))
        await self.settle()
        gate = threading.Event()
        thread = threading.Thread(target=gate.wait, args=(60,), daemon=True)
        thread.start()
        with self.assertRaisesRegex(TimeoutError, r"this still goes on:\n  IdleTest\.wait_for"):
            await self.settle(timeout=SOON)
        gate.set()
        thread.join()
        task.cancel()

    async def test_a_periodic_callback(self) -> None:
        seen = []

        async def tick() -> None:
            await asyncio.sleep(SOON)
            seen.append(1)

        periodic = PeriodicCallback(tick, 1)
        periodic.start()
        await self.eventually(lambda: seen)
        await self.settle()
        periodic.stop()

    async def test_a_timer_that_is_due_after_the_limit(self) -> None:
        timers = [self.io_loop.call_later(3600, self.fail)]
        task = asyncio.create_task(asyncio.sleep(3600))
        await self.settle()
        for timer in timers:
            self.io_loop.remove_timeout(timer)
        task.cancel()

    async def test_connections(self) -> None:
        class Echo(TCPServer):
            async def handle_stream(self, stream: IOStream, address: object) -> None:
                with contextlib.suppress(StreamClosedError):
                    while True:
                        await stream.write(await stream.read_until(b"\n"))

        sock, port = bind_unused_port()
        server = Echo()
        server.add_socket(sock)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"tea\n")
        await self.settle()
        self.assertEqual(await reader.readline(), b"tea\n")
        await self.settle()
        writer.close()
        server.stop()
        await self.settle()

    async def test_allowed_leaks(self) -> None:
        async def heartbeat() -> None:
            while True:
                await asyncio.sleep(SOON)

        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(heartbeat)
            case.run_sync(case.settle)

        for leaks in "ignore", "fail":
            attributes = {"leaks": leaks, "allowed_leaks": (r"\bheartbeat$",)}
            result = await asyncio.to_thread(run_quietly, AsyncTestCase, body, **attributes)
            self.assertEqual(result.report, "")

    async def test_objects_that_refuse_to_be_looked_at(self) -> None:
        class Refuses:
            def __call__(self, *args: object) -> None:
                seen.append(1)

            def __getattr__(self, name: str) -> object:
                raise RuntimeError(name)

        seen: list[int] = []
        callbacks: list[Any] = [Refuses()]
        callbacks += [make(side_effect=seen.append) for make in (mock.Mock, mock.MagicMock)]
        for callback in callbacks:
            self.io_loop.call_later(SOON, callback, 1)
        task = asyncio.create_task(self.settle())
        task.add_done_callback(mock.Mock())
        await self.settle()
        await task
        self.assertEqual(sum(seen), 3)

    async def test_settle_beside_settle(self) -> None:
        async def settle_in(seconds: float) -> None:
            await asyncio.wait_for(self.settle(), seconds)

        task = asyncio.create_task(settle_in(3600))
        await asyncio.gather(self.settle(), self.settle(), asyncio.sleep(SOON))
        async with asyncio.timeout(3600):
            await self.settle()
        await task
        await settle_in(3600)


class IdleInVirtualTimeTest(IdleTest):
    clock_factory = VirtualClock
    test_a_timer_that_is_due_after_the_limit = None  # type: ignore[assignment]

    async def test_time_jumps_to_timers(self) -> None:
        self.io_loop.call_later(3600, self.assertEqual, 1, 1)
        await self.settle()
        self.assertEqual(self.clock.time(), 3600)

    async def test_time_does_not_pass_for_a_periodic_callback(self) -> None:
        periodic = PeriodicCallback(self.fail, 1000)
        periodic.start()
        await self.settle()
        self.assertEqual(self.clock.time(), 0)
        periodic.stop()

    def test_an_endless_task_ends_at_the_limit(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            async def heartbeat() -> None:
                while True:
                    await asyncio.sleep(60)

            case.io_loop.add_callback(heartbeat)
            await case.settle(timeout=SOON)

        report = run_quietly(AsyncTestCase, body, clock_factory=VirtualClock).report
        self.assertRegex(report, r"settle\(\) timed out after 0\.01 seconds.*:\n  .*heartbeat <Task-\d+>, which sleeps")
        self.assertIn("Virtual time:", report)

    def test_a_clock_that_stands_still(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            seen: list[int] = []
            case.io_loop.call_later(60, seen.append, 1)
            await case.settle()
            await case.clock.advance(60)
            await case.settle()
            assert seen == [1]

        factory = staticmethod(lambda: VirtualClock(autojump=False))
        self.assertEqual(run_quietly(AsyncTestCase, body, clock_factory=factory).report, "")


class AppTest(AsyncHTTPTestCase):
    """settle() waits for the work of the test's server."""

    def get_app(self) -> web.Application:
        case = self
        self.seen: list[object] = []
        self.event = asyncio.Event()

        class Mail(web.RequestHandler):
            async def get(self) -> None:
                await self.finish("sent")
                await asyncio.sleep(SOON)
                case.seen.append("mail")

        class Poll(web.RequestHandler):
            async def get(self) -> None:
                await case.event.wait()
                self.write("polled")

        class Chat(websocket.WebSocketHandler):
            async def on_message(self, message: str | bytes) -> None:
                await asyncio.sleep(SOON)
                case.seen.append(message)
                await self.write_message(message)

        class Events(web.RequestHandler):
            async def get(self) -> None:
                self.set_header("Content-Type", "text/event-stream")
                while True:
                    self.write("data: tea\n\n")
                    await self.flush()
                    await case.event.wait()
                    case.event.clear()

        return web.Application([("/mail", Mail), ("/poll", Poll), ("/chat", Chat), ("/events", Events)])

    async def test_work_after_the_response(self) -> None:
        await self.fetch("/mail")
        await self.settle()
        self.assertEqual(self.seen, ["mail"])

    def test_work_after_the_response_to_synchronous_code(self) -> None:
        self.fetch("/mail")
        self.run_sync(self.settle)
        self.assertEqual(self.seen, ["mail"])

    async def test_a_request_that_nothing_waits_for(self) -> None:
        future = self.http_client.fetch(self.get_url("/mail"))
        await self.settle()
        self.assertEqual(self.seen, ["mail"])
        self.assertEqual((await future).body, b"sent")

    async def test_a_long_poll_is_idle(self) -> None:
        poll = asyncio.ensure_future(self.fetch("/poll"))
        await self.settle()
        self.assertFalse(poll.done())
        self.event.set()
        await self.settle()
        self.assertTrue(poll.done())

    async def test_a_stream_that_waits_for_an_event_is_idle(self) -> None:
        async with self.stream("/events") as response:
            events = []

            async def read() -> None:
                async for event in response.aiter_sse():
                    events.append(event.data)

            task = asyncio.create_task(read())
            await self.settle()
            self.assertEqual(events, ["tea"])
            self.event.set()
            await self.settle()
            self.assertEqual(events, ["tea", "tea"])
            task.cancel()

    async def test_an_open_websocket_is_idle(self) -> None:
        async with self.ws_connect("/chat") as ws:
            answers = []

            async def read() -> None:
                while (message := await ws.read_message()) is not None:
                    answers.append(message)

            task = asyncio.create_task(read())
            await ws.write_message("hello")
            await self.settle()
            self.assertEqual((self.seen, answers), (["hello"], ["hello"]))
        await task


class SecureAppTest(AppTest, AsyncHTTPSTestCase):
    pass


class AppInVirtualTimeTest(AppTest):
    clock_factory = VirtualClock


class ErrorTest(unittest.TestCase):
    def test_an_error_in_a_callback_fails_the_test(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            case.io_loop.call_later(SOON, case.fail, "planted")
            case.io_loop.call_later(3, case.fail, "too late")
            await case.settle()

        result = run_quietly(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addFailure"])
        self.assertRegex(result.report, r"AssertionError: planted\n$")

    def test_a_timeout_names_the_work(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            async def spin() -> None:
                while True:
                    await asyncio.sleep(0)

            task = asyncio.create_task(spin())
            await case.settle(timeout=0.05)
            del task

        result = run_quietly(AsyncTestCase, body)
        self.assertEqual(result.verdicts, ["addError"])
        self.assertRegex(
            result.report,
            r"in body\n.*await case.settle\(timeout=0.05\)\n(.*\^\n)?TimeoutError: settle\(\) timed out after 0.05 "
            r"seconds \(the argument timeout\): this still goes on:\n  .*spin <Task-\d+>, which is about to go on\n",
        )
        self.assertRegex(result.report, r"at .* in spin: await asyncio.sleep\(0\)")

    def test_the_work_is_described(self) -> None:
        async def heartbeat() -> None:
            while True:
                await asyncio.sleep(10)

        async def body(case: AsyncTestCase) -> None:
            case.io_loop.call_later(3600, case.fail)
            case.io_loop.call_later(10, case.fail)
            task = asyncio.create_task(heartbeat())
            await asyncio.sleep(0)
            lines = GoingOn(harness_of(case), policy.IGNORE, horizon=11).describe()
            task.cancel()
            raise AssertionError("\n".join(lines))

        self.assertRegex(
            run_quietly(AsyncTestCase, body).report,
            r"AssertionError: +pending timer .*fail, due in (10|9.\d+) s\n +made at .* in body: case.io_loop."
            r"call_later\(10, case.fail\)\n.*heartbeat <Task-\d+>, which sleeps or waits for another (10|9.\d+) s at "
            r"most\n$",
        )

    def test_by_default_it_ends_with_the_wait_that_it_is_a_part_of(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.call_later(SOON, case.fail)
            case.run_sync(case.settle, timeout=3600)

        def endless(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(heartbeat_up_to_limit)
            case.run_sync(case.settle, timeout=0.05)

        self.assertEqual(run_quietly(AsyncTestCase, body).verdicts, ["addFailure"])
        with limit_clock.stopped():
            result = run_quietly(AsyncTestCase, endless)
        self.assertRegex(
            result.report, r"in endless\n.*\n(.*\^\n)?TimeoutError: settle\(\) timed out after 0.05 seconds"
        )
        self.assertEqual(result.report.count("timed out"), 1)

    def test_a_timeout_that_the_test_expects(self) -> None:
        async def body(case: AsyncTestCase) -> None:
            timer = case.io_loop.call_later(1, case.fail)
            with case.assertRaises(TimeoutError):
                await case.settle(timeout=1.5 * SOON)
            case.io_loop.remove_timeout(timer)
            await case.settle()

        def never() -> None:
            raise AssertionError

        async def expect(case: AsyncTestCase) -> None:
            case.io_loop.call_later(SOON, never)
            with ExpectError(AssertionError):
                await case.settle()

        # The timer is due after the limit, so that nothing is left to wait for.
        self.assertRegex(run_quietly(AsyncTestCase, body).report, "TimeoutError not raised")
        self.assertEqual(run_quietly(AsyncTestCase, expect).report, "")

    def test_without_await_it_fails_the_test(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.settle()  # type: ignore[unused-coroutine]

        report = run_quietly(AsyncTestCase, body).report
        self.assertIn("coroutine 'AsyncTestCase.settle' was never awaited", report)

    def test_in_a_cleanup(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.call_later(SOON, case.fail, "planted")
            case.addAsyncCleanup(case.settle)

        self.assertRegex(run_quietly(AsyncTestCase, body).report, r"AssertionError: planted\n$")


class AtEndTest(unittest.TestCase):
    """``settle_at_end``."""

    def test_it_waits_before_tearDown(self) -> None:
        class Sample(AsyncTestCase):
            settle_at_end: Any = True
            leaks = "fail"

            def setUp(self) -> None:
                super().setUp()
                self.seen: list[str] = []

            def begin(self) -> None:
                self.io_loop.call_later(SOON, self.seen.append, "timer")

            def test_function(self) -> None:
                self.begin()

            async def test_coroutine(self) -> None:
                self.begin()

            @gen_test
            def test_generator(self) -> Generator[Any, Any, None]:
                yield gen.moment
                self.begin()

            async def asyncTearDown(self) -> None:
                assert self.seen == ["timer"]

        for value in True, 5, 0.5:
            for name in "test_function", "test_coroutine", "test_generator":
                with self.subTest(name, value=value):
                    Sample.settle_at_end = value
                    self.assertEqual(run_case(Sample, name).report, "")

    def test_an_error_after_the_response_fails_each_time(self) -> None:
        class Sample(AsyncHTTPTestCase):
            settle_at_end = True

            def get_app(self) -> web.Application:
                case = self

                class Spawns(web.RequestHandler):
                    def get(self) -> None:
                        case.io_loop.call_later(0.001, case.fail, "planted")

                return web.Application([("/", Spawns)])

            def test(self) -> None:
                self.fetch("/")

        for _ in range(5):
            result = run_case(Sample)
            self.assertEqual(result.verdicts, ["addFailure"])
            self.assertIn("planted", result.report)

    def test_not_after_a_failure_or_skip(self) -> None:
        def fail(case: AsyncTestCase) -> None:
            case.io_loop.call_later(SOON, case.fail, "too late")
            case.fail("planted")

        def fail_in_subtest(case: AsyncTestCase) -> None:
            with case.subTest("first"):
                fail(case)

        def skip(case: AsyncTestCase) -> None:
            case.io_loop.call_later(SOON, case.fail, "too late")
            case.skipTest("for a reason")

        for body, verdicts in (fail, ["addFailure"]), (fail_in_subtest, []), (skip, ["addSkip"]):
            with self.subTest(body.__name__):
                result = run_quietly(AsyncTestCase, body, settle_at_end=True)
                self.assertEqual(result.verdicts, verdicts)
                self.assertNotIn("too late", result.report)

    def test_the_limit(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(heartbeat_up_to_limit)

        with limit_clock.stopped():
            report = run_quietly(AsyncTestCase, body, settle_at_end=0.05).report
        self.assertRegex(
            report, r"settle_at_end timed out after 0.05 seconds \(the class attribute settle_at_end\): this"
        )
        with limit_clock.stopped():
            report = run_quietly(AsyncTestCase, body, settle_at_end=True, async_test_timeout=0.06).report
        self.assertIn("settle_at_end timed out after 0.06 seconds (the class attribute async_test_timeout)", report)

    def test_the_report_of_a_leak_says_why_it_did_not_wait(self) -> None:
        async def sleep(case: AsyncTestCase) -> None:
            case.io_loop.call_later(3600, case.fail)
            case.task = asyncio.create_task(asyncio.sleep(3600))  # type: ignore[attr-defined]

        async def wait(case: AsyncTestCase) -> None:
            case.task = asyncio.create_task(asyncio.Event().wait())  # type: ignore[attr-defined]
            await case.settle()

        report = run_quietly(AsyncTestCase, sleep, leaks="fail", settle_at_end=0.2).report
        late = (
            r"settle_at_end did not wait for it: it was due later than 0.2 seconds \(the class attribute settle_at_en"
        )
        self.assertRegex(report, rf"pending task sleep.*\n.*made at.*\n    {late}")
        self.assertRegex(report, rf"pending timer .*fail, .*\n.*made at.*\n    {late}")
        self.assertNotIn("self.settle()", report)
        report = run_quietly(AsyncTestCase, wait, leaks="fail").report
        self.assertIn("    settle() did not wait for it: nothing was left that could resume it\n", report)
        self.assertRegex(
            report, "also after it had settled. If the test should wait for it: await it, or let it end bef"
        )

    def test_a_leak_in_virtual_time_that_stands_still(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.call_later(1, case.fail)
            case.run_sync(case.settle)

        make = functools.partial(VirtualClock, autojump=False)
        report = run_quietly(AsyncTestCase, body, leaks="fail", clock_factory=make).report
        self.assertIn("settle() did not wait for it: the virtual clock stood still\n", report)

    def test_the_name_of_the_wait(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(heartbeat_up_to_limit)

        with limit_clock.stopped():
            report = run_quietly(AsyncTestCase, body, settle_at_end=0.05).report
        self.assertRegex(report, r"\n  settle_at_end <Task-\d+> \(the test\)\n")

    def test_wrong_values(self) -> None:
        for value in "yes", 0, -1, float("nan"):
            with self.subTest(value):
                report = run_quietly(AsyncTestCase, lambda case: None, settle_at_end=value).report
                self.assertRegex(
                    report, rf"The class attribute settle_at_end cannot be '?{value}.*\. Set it to True, F"
                )

    def test_the_warning_of_a_leak_names_it(self) -> None:
        def body(case: AsyncTestCase) -> None:
            case.io_loop.call_later(2, case.fail)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run_body(AsyncTestCase, body)
        text = str(caught[0].message)
        self.assertRegex(text, r"The test ended, and this was still to come\. .*\bself\.wait\(\).*\bself\.settle\(\)\.")

    def test_a_coroutine_of_setUp(self) -> None:
        class Sample(AsyncTestCase):
            leaks = "fail"

            def setUp(self) -> None:
                super().setUp()
                self.io_loop.asyncio_loop.create_task(self.prepare())  # type: ignore[attr-defined]

            async def prepare(self) -> None:
                await asyncio.sleep(3600)

            async def test(self) -> None:
                pass

        self.assertIn("In setUp(), self.run_sync(self.prepare) waits for it.", run_case(Sample).report)


if __name__ == "__main__":
    unittest.main()
