"""Virtual time."""

import asyncio
import concurrent.futures
import contextlib
import datetime
import functools
import gc
import heapq
import math
import socket
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable
from typing import Any, ClassVar

import freezegun
import time_machine
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado import gen, locks, queues, web
from tornado.httpclient import HTTPClientError
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.process import Subprocess
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketHandler

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    VirtualClock,
    gen_test,
)
from asynctest_tornado._clock.feature import VIRTUAL_TIME
from tests.limits import after_turns, limit_clock
from tests.support import RecordingResult, run_body


class VirtualCase(AsyncTestCase):
    clock_factory = VirtualClock


class ByHandCase(AsyncTestCase):
    clock_factory = lambda: VirtualClock(autojump=False)  # noqa: E731


class TimersTest(VirtualCase):
    """Sleeps, timers and timeouts end exactly at their time."""

    async def test_sleeping(self) -> None:
        for seconds, now in (3600, 3600.0), (0.5, 3600.5), (86400 * 1000, 86403600.5):
            await asyncio.sleep(seconds)
            await gen.sleep(0)
            self.assertEqual(self.clock.time(), now)
            self.assertEqual(asyncio.get_running_loop().time(), now)
            self.assertEqual(IOLoop.current().time(), now)
        await gen.sleep(0.5)
        self.assertEqual(self.clock.time(), 86403601)

    def test_callbacks(self) -> None:
        loop = self.io_loop
        loop.call_later(3600, self.stop)
        self.wait()
        loop.add_timeout(datetime.timedelta(hours=1), self.stop)
        self.wait()
        loop.add_timeout(loop.time() + 3600, self.stop)
        self.wait()
        loop.call_at(loop.time() + 3600, self.stop)
        self.wait()
        loop.asyncio_loop.call_later(3600, self.stop)  # type: ignore[attr-defined]
        self.wait()
        loop.asyncio_loop.call_at(loop.time() + 3600, self.stop)  # type: ignore[attr-defined]
        self.wait()
        self.assertEqual(self.clock.time(), 6 * 3600)

    async def test_timeouts(self) -> None:
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        with self.assertRaises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 60)
        with self.assertRaises(TimeoutError):
            await gen.with_timeout(datetime.timedelta(seconds=60), asyncio.Future[None]())
        with self.assertRaises(TimeoutError):
            await locks.Event().wait(timeout=IOLoop.current().time() + 60)
        with self.assertRaises(TimeoutError):
            await queues.Queue[int]().get(timeout=datetime.timedelta(seconds=60))
        self.assertEqual(self.clock.time(), 300)

    async def test_a_periodic_callback_comes_as_often_as_it_should(self) -> None:
        times: list[float] = []
        for period in 1000, datetime.timedelta(seconds=1):
            times.clear()
            began = self.clock.time()
            callback = PeriodicCallback(lambda: times.append(self.clock.time()), period)
            callback.start()
            await asyncio.sleep(5.5)
            callback.stop()
            self.assertEqual([when - began for when in times], [1, 2, 3, 4, 5])

    @gen_test
    def test_a_generator_sleeps(self) -> Any:
        yield gen.sleep(3600)
        self.assertEqual(self.clock.time(), 3600)

    async def test_the_time_of_the_computer_is_none_of_its_business(self) -> None:
        before = time.time(), time.monotonic()
        await asyncio.sleep(86400)
        after = time.time(), time.monotonic()
        for one, other in zip(before, after, strict=True):
            self.assertLess(other - one, 86400)
            self.assertGreaterEqual(other, one)

    async def test_timers_that_are_due_at_once_do_not_make_time_pass(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
            await asyncio.sleep(-1)
            await gen.sleep(0)
        self.assertEqual(self.clock.time(), 0)


class OrderTest(VirtualCase):
    """Timers for the same time come in the order of their registration, as in real time."""

    async def test_sleeps(self) -> None:
        woken: list[int] = []

        async def sleep(number: int, seconds: float) -> None:
            await asyncio.sleep(seconds)
            woken.append(number)

        for seconds in 1, 0.1, 0, 3600:
            woken.clear()
            now = self.clock.time()
            await asyncio.gather(*(sleep(number, seconds) for number in range(100)))
            self.assertEqual(woken, list(range(100)))
            self.assertEqual(self.clock.time(), now + seconds)

    def test_callbacks(self) -> None:
        called: list[int] = []
        for number in range(10):
            self.io_loop.call_later(1, called.append, number)
        self.io_loop.remove_timeout(self.io_loop.call_later(1, called.append, -1))
        self.clock.advance(1)
        self.assertEqual(called, list(range(10)))
        self.assertEqual(self.clock.time(), 1)

    async def test_one_that_is_cancelled_leaves_the_others_on_time(self) -> None:
        loop = asyncio.get_running_loop()
        times: list[float] = []
        handles = [loop.call_later(1, lambda: times.append(self.clock.time())) for _ in range(3)]
        handles[0].cancel()
        await asyncio.sleep(2)
        self.assertEqual(times, [1, 1])


class LongTimeTest(unittest.TestCase):
    """There is no time at which the loop spins because floats are not exact."""

    def test_sleeps_come_to_an_end(self) -> None:
        class Sample(VirtualCase):
            async def test(self) -> None:
                for power in range(0, 60, 3):
                    await asyncio.sleep(2.0**power + 0.1)
                    for seconds in 1e-9, 1e-6, 0.1, 0.3, 1 / 3, math.ulp(self.clock.time()):
                        before = self.clock.time()
                        await asyncio.sleep(seconds)
                        await gen.sleep(seconds)
                        assert self.clock.time() >= before

        result = run_body(Sample, Sample.test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_an_epoch_does_not_matter(self) -> None:
        for epoch in 0, 1_700_000_000.123456789, 4e9, datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC):

            class Sample(AsyncTestCase):
                clock_factory = staticmethod(lambda epoch=epoch: VirtualClock(epoch=epoch))

                async def test(self) -> None:
                    began = self.io_loop.time()
                    times: list[float] = []
                    callback = PeriodicCallback(lambda: times.append(self.clock.time()), 100)
                    callback.start()
                    await asyncio.sleep(100.05)
                    callback.stop()
                    self.assertAlmostEqual(self.io_loop.time() - began, 100.05, places=4)
                    self.assertIn(len(times), (1000, 1001))

            result = run_body(Sample, Sample.test)
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_for_ever_is_no_time_to_jump_to(self) -> None:
        async def test(case: AsyncTestCase) -> None:
            task = asyncio.ensure_future(asyncio.sleep(math.inf))
            await asyncio.sleep(1)
            case.assertEqual(case.clock.time(), 1)
            await task

        self.assertIn("this is a deadlock", run_body(VirtualCase, test).report)


class RealThingsTest(VirtualCase):
    """Time does not pass while something works in real time for the test."""

    def work(self) -> None:
        # Nothing that a test could wait for: a job takes some time, during which the loop has nothing to do.
        for _ in range(100):
            sum(range(10_000))

    async def test_a_job_of_an_executor(self) -> None:
        async with asyncio.timeout(1):
            await asyncio.to_thread(self.work)
        await asyncio.wait_for(self.io_loop.run_in_executor(None, self.work), 1)
        self.assertEqual(self.clock.time(), 0)

    async def test_a_subprocess(self) -> None:
        command = [sys.executable, "-c", "print('done')"]
        async with asyncio.timeout(1):
            process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            out, _ = await process.communicate()
            self.assertEqual((out, await process.wait()), (b"done\n", 0))
            process = await asyncio.create_subprocess_shell("exit 7")
            self.assertEqual(await process.wait(), 7)
        self.assertEqual(self.clock.time(), 0)

    async def test_a_subprocess_of_tornado(self) -> None:
        process = Subprocess([sys.executable, "-c", "print('done')"], stdout=Subprocess.STREAM)
        async with asyncio.timeout(1):
            self.assertEqual(await process.wait_for_exit(), 0)
            self.assertEqual(await process.stdout.read_until_close(), b"done\n")
        self.assertEqual(self.clock.time(), 0)

    async def hear_from_a_thread(self) -> None:
        """Wait for a thread that answers as soon as the loop has nothing else to do."""
        loop, answered, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
        thread = threading.Thread(target=lambda: (go_on.wait(), loop.call_soon_threadsafe(answered.set)))
        thread.start()
        self.addCleanup(thread.join)
        self.clock.autojump_threshold = 60
        async with asyncio.timeout(1):
            loop.call_soon(go_on.set)
            await answered.wait()
        self.assertEqual(self.clock.time(), 0)

    async def test_a_thread_that_answers_soon(self) -> None:
        await self.hear_from_a_thread()

    async def test_a_thread_that_has_answered_and_is_gone(self) -> None:
        """As if it had done both after the loop has looked for events, and before it looks for threads."""
        loop: Any = asyncio.get_running_loop()
        answered = asyncio.Event()
        async with asyncio.timeout(1):
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(answered.set,))
            thread.start()
            thread.join()
            passing = loop._asynctest.trap.data[VIRTUAL_TIME].passing
            self.assertEqual(passing(), 0)
            await answered.wait()
        self.assertEqual(self.clock.time(), 0)

    async def test_a_job_that_the_loop_knows_nothing_of(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            self.assertEqual(await asyncio.get_running_loop().run_in_executor(pool, int), 0)
            async with asyncio.timeout(1):
                await asyncio.wrap_future(pool.submit(self.work))
            await gen.with_timeout(datetime.timedelta(seconds=1), pool.submit(self.work))
        self.assertEqual(self.clock.time(), 0)

    async def test_a_thread_beside_a_pool_that_is_gone(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            await asyncio.get_running_loop().run_in_executor(pool, int)
        await self.hear_from_a_thread()

    async def test_a_child_process_that_is_none_of_the_loop(self) -> None:
        lines: asyncio.Queue[bytes] = asyncio.Queue()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lines.put_nowait(await reader.readline())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port})).sendall(b'hello\\n')"
        self.clock.autojump_threshold = 60
        with subprocess.Popen([sys.executable, "-c", code]):
            async with asyncio.timeout(1):
                self.assertEqual(await lines.get(), b"hello\n")
        server.close()

    async def test_a_foreign_connection_that_answers_soon(self) -> None:
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        self.clock.autojump_threshold = 60
        reader, writer = await asyncio.open_connection(sock=ours)
        thread = threading.Thread(target=lambda: theirs.sendall(theirs.recv(10)))
        thread.start()
        self.addCleanup(thread.join)
        async with asyncio.timeout(1):
            writer.write(b"hello")
            self.assertEqual(await reader.readexactly(5), b"hello")
        writer.close()
        self.assertEqual(self.clock.time(), 0)

    async def test_a_foreign_connection_that_is_quiet(self) -> None:
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        self.clock.autojump_threshold = 0.01
        reader, writer = await asyncio.open_connection(sock=ours)
        with self.assertRaises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(5), 3600)
        writer.close()
        self.assertEqual(self.clock.time(), 3600)


class StandstillTest(unittest.TestCase):
    def test_a_report_says_what_keeps_time_from_passing(self) -> None:
        async def job(case: AsyncTestCase) -> None:
            go_on = threading.Event()
            case.addCleanup(go_on.set)
            asyncio.get_running_loop().run_in_executor(None, go_on.wait)
            limit_clock.advance()
            await asyncio.sleep(1)

        async def process(case: AsyncTestCase) -> None:
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
            case.addAsyncCleanup(process.communicate)
            case.addCleanup(process.kill)
            limit_clock.advance()
            await asyncio.sleep(1)

        for test, name in (job, "Event.wait in an executor"), (process, r"the subprocess \d+"):
            cls = type("Sample", (VirtualCase,), {"async_test_timeout": 0.2})
            with limit_clock.stopped():
                report = run_body(cls, test).report
            self.assertRegex(report, f"Virtual time: 0 s .*; it does not pass while .*: {name}")

    def test_a_subprocess_of_an_earlier_test_does_not(self) -> None:
        class Sample(VirtualCase):
            def test_1(self) -> None:
                process = Subprocess([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
                process.set_exit_callback(lambda code: None)
                process.proc.kill()
                process.proc.communicate()

            async def test_2(self) -> None:
                await asyncio.sleep(1)

        result = RecordingResult()
        unittest.TestSuite([Sample("test_1"), Sample("test_2")]).run(result)
        self.assertEqual(result.verdicts, ["addSuccess"] * 2, result.report)

    def test_a_limit_that_comes_first_does_not_let_it_jump(self) -> None:
        class Sample(AsyncTestCase):
            clock_factory = lambda: VirtualClock(autojump_threshold=60)  # noqa: E731
            async_test_timeout = 0.1

            def test(self) -> None:
                ours, theirs = socket.socketpair()
                self.addCleanup(theirs.close)
                self.io_loop.add_handler(ours, lambda *args: None, IOLoop.READ)
                self.addCleanup(ours.close)
                self.io_loop.call_later(3600, self.stop)
                self.wait()

        report = run_body(Sample, Sample.test).report
        self.assertIn("timed out after 0.1 seconds", report)
        self.assertIn("Virtual time: 0 s", report)


class Handler(web.RequestHandler):
    async def get(self) -> None:
        await gen.sleep(5)
        self.write("x" * 100_000)


@web.stream_request_body
class SlowHandler(web.RequestHandler):
    """Reads slower than the client writes."""

    received = 0

    async def data_received(self, chunk: bytes) -> None:
        self.received += len(chunk)
        await asyncio.sleep(0.01)

    def post(self) -> None:
        self.write(str(self.received))


class SocketHandler(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await asyncio.sleep(5)
        await self.write_message(message)


class ServerTest(AsyncHTTPTestCase):
    clock_factory = VirtualClock
    # Connections that are dropped are tried again by the system, in real time: after 1, 3, 7, 15... seconds.
    async_test_timeout = 600

    def get_app(self) -> web.Application:
        handlers: Any = [("/socket", SocketHandler), ("/slow", SlowHandler), ("/.*", Handler)]
        settings: dict[str, Any] = {"websocket_ping_interval": 30, "websocket_ping_timeout": 30}
        return web.Application(handlers, log_function=lambda handler: None, **settings)

    def test_requests_to_the_test_itself(self) -> None:
        for number in range(1, 301):
            self.assertEqual(self.fetch("/").code, 200)
            self.assertEqual(self.clock.time(), 5 * number)

    async def test_many_at_a_time(self) -> None:
        responses = await asyncio.gather(*(self.async_fetch("/") for _ in range(10)))
        self.assertEqual({len(response.body) for response in responses}, {100_000})
        self.assertEqual(self.clock.time(), 5)

    async def test_more_connections_than_a_server_accepts_at_once(self) -> None:
        client = SimpleAsyncHTTPClient(force_instance=True, max_clients=1000, defaults=self.http_client.defaults)
        self.addCleanup(client.close)
        url = self.get_url("/socket")  # to which the handler says no, at once
        fetch = functools.partial(client.fetch, url, raise_error=False, connect_timeout=10, request_timeout=10)
        responses = await asyncio.gather(*(fetch() for _ in range(150)))
        self.assertEqual({response.code for response in responses}, {400})

    async def test_an_upload_to_a_slow_reader(self) -> None:
        response = await self.async_fetch("/slow", method="POST", body=b"x" * 3_000_000, request_timeout=60)
        self.assertEqual(response.body, b"3000000")

    def test_a_client_that_gives_up(self) -> None:
        with self.assertRaisesRegex(HTTPClientError, "Timeout during request"):
            self.fetch("/", request_timeout=3)
        self.assertEqual(self.clock.time(), 3)

    async def test_websockets(self) -> None:
        async with self.ws_connect("/socket") as socket:
            for number in range(1, 21):
                await socket.write_message("hello")
                self.assertEqual(await socket.read_message(), "hello")
                self.assertEqual(self.clock.time(), 5 * number)
            await asyncio.sleep(3600)  # and is kept alive by pings, all the time
            await socket.write_message("hello")
            self.assertEqual(await socket.read_message(), "hello")

    async def test_a_timeout_of_a_websocket(self) -> None:
        async with self.ws_connect("/socket") as socket:
            with self.assertRaises(TimeoutError):
                await socket.read_message(timeout=7)
            self.assertEqual(self.clock.time(), 7)


class SecureServerTest(ServerTest, AsyncHTTPSTestCase):
    pass


class AdvanceTest(ByHandCase):
    """Time that is moved by hand."""

    def setUp(self) -> None:
        super().setUp()
        self.log: list[tuple[str, float]] = []

    def note(self, name: str) -> None:
        self.log.append((name, self.clock.time()))

    async def tick(self, times: int = 3) -> None:
        for _ in range(times):
            await asyncio.sleep(1)
            self.note("tick")

    def test_each_deadline_comes_at_its_own_time(self) -> None:
        self.io_loop.add_callback(self.tick)
        self.io_loop.call_later(2.5, self.io_loop.call_later, 0.25, self.note, "nested")
        self.clock.advance(3)
        self.assertEqual(self.log, [("tick", 1), ("tick", 2), ("nested", 2.75), ("tick", 3)])
        self.assertEqual(self.clock.time(), 3)
        self.clock.advance(datetime.timedelta(milliseconds=500))
        self.assertEqual(self.clock.time(), 3.5)
        self.assertEqual(len(self.log), 4)

    def test_without_deadlines_time_passes_all_the_same(self) -> None:
        self.clock.advance(0)
        self.assertEqual(self.clock.time(), 0)
        self.clock.advance(7)
        self.assertEqual((self.clock.time(), self.io_loop.time()), (7, 7))

    async def test_in_a_coroutine_it_is_awaited(self) -> None:
        task = asyncio.ensure_future(asyncio.sleep(5))
        await self.clock.advance(4.5)
        self.assertFalse(task.done())
        await self.clock.advance(0.5)
        self.assertTrue(task.done())

    async def test_what_is_to_be_done_now_is_done_first(self) -> None:
        asyncio.get_running_loop().call_soon(self.note, "now")
        await self.clock.advance(1)
        self.assertEqual(self.log, [("now", 0)])

    def test_what_is_due_then_comes_in_spite_of_rounding(self) -> None:
        async def tick() -> None:
            for _ in range(3):
                await asyncio.sleep(0.1)
                self.note("tick")

        self.io_loop.add_callback(tick)
        self.clock.advance(0.3)
        self.assertEqual(len(self.log), 3)

    async def test_several_at_a_time(self) -> None:
        async def advance(seconds: float) -> None:
            await self.clock.advance(seconds)
            self.note(f"advanced {seconds}")

        asyncio.get_running_loop().call_later(3, self.note, "timer")
        await asyncio.gather(advance(5), advance(2))
        self.assertEqual(self.log, [("advanced 2", 2), ("timer", 3), ("advanced 5", 5)])

    async def test_one_that_is_cancelled_moves_nothing(self) -> None:
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(2):
                self.io_loop.add_callback(self.clock.advance, 3)
                await self.clock.advance(10)
        await self.clock.advance(1)
        self.assertEqual(self.clock.time(), 3)

    def test_an_error_on_the_way_is_raised(self) -> None:
        self.io_loop.call_later(1, lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.clock.advance(2)

    async def test_it_waits_for_real_things(self) -> None:
        job = asyncio.ensure_future(asyncio.to_thread(sum, range(100_000)))
        await asyncio.sleep(0)
        await self.clock.advance(1)
        self.assertTrue(job.done())

    def test_nobody_else_moves_it(self) -> None:
        async def test(case: AsyncTestCase) -> None:
            await asyncio.sleep(5)

        report = run_body(ByHandCase, test).report
        self.assertIn("this is a deadlock", report)
        self.assertIn("the clock stands still until advance() is called", report)

    def test_bad_input_is_an_error(self) -> None:
        for wrong, error in (-1, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError):
            with self.assertRaisesRegex(error, r"advance\(\) .*Give "):
                self.clock.advance(wrong)  # type: ignore[arg-type]
        self.assertEqual(self.clock.time(), 0)


class AdvanceFromEpochTest(AsyncTestCase):
    clock_factory = lambda: VirtualClock(autojump=False, epoch=1.75e9)  # noqa: E731

    async def test_deadlines_from_the_epoch_are_reached(self) -> None:
        for seconds in range(100):
            called: list[int] = []
            self.io_loop.add_timeout(datetime.timedelta(seconds=seconds), called.append, seconds)
            await self.clock.advance(seconds)
            self.assertEqual(called, [seconds])


class AdvanceWithoutAwaitTest(unittest.TestCase):
    """A call that nothing awaits moves no time, so that the next assertions of the test prove nothing."""

    def check(self, result: RecordingResult, verb: str) -> None:
        self.assertEqual(result.verdicts, ["addError"])
        self.assertIn("# the line", result.report)
        message = rf"coroutine 'VirtualClock.advance' was never awaited \(made at .*:\d+ .*\), so that .*\. {verb} it"
        self.assertRegex(result.report, f"RuntimeWarning: {message}")
        self.assertNotIn("/virtual_clock.py", result.report)

    def test_in_a_coroutine(self) -> None:
        async def test(case: ByHandCase) -> None:
            case.clock.advance(9)  # the line
            case.assertEqual(case.clock.time(), 0)

        self.check(run_body(ByHandCase, test), "Await")

    def test_in_a_generator(self) -> None:
        @gen_test
        def test(case: ByHandCase) -> Any:
            case.clock.advance(9)  # the line
            yield gen.moment

        self.check(run_body(ByHandCase, test), "Yield")

    def test_in_a_callback(self) -> None:
        def callback(case: ByHandCase) -> None:
            case.clock.advance(9)  # the line
            case.stop()

        def test(case: ByHandCase) -> None:
            case.io_loop.add_callback(callback, case)
            case.wait()

        self.check(run_body(ByHandCase, test), "Await")

    def test_where_time_jumps(self) -> None:
        async def test(case: VirtualCase) -> None:
            case.clock.advance(9)  # the line
            await asyncio.sleep(1)

        self.check(run_body(VirtualCase, test), "Await")

    def test_one_that_is_kept(self) -> None:
        async def test(case: ByHandCase) -> None:
            unused = case.clock.advance(9)
            del unused  # the line

        self.check(run_body(ByHandCase, test), "Await")

    def test_it_moves_no_time_of_another_test(self) -> None:
        class Sample(ByHandCase):
            loop_scope = "class"

            async def test_1(self) -> None:
                kept.append(self.clock.advance(100))

            async def test_2(self) -> None:
                await asyncio.sleep(50)

        kept: list[Any] = []
        result = RecordingResult()
        unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(Sample)]).run(result)
        kept.pop().close()
        self.assertEqual(result.verdicts, ["addSuccess", "addError"], result.report)
        self.assertIn("this is a deadlock", result.report)


class AdvanceInTheBackgroundTest(ByHandCase):
    """Time passes as well if something else than the caller awaits it."""

    async def test_a_task(self) -> None:
        task = asyncio.create_task(self.clock.advance(9))
        await asyncio.sleep(5)
        self.assertEqual(self.clock.time(), 5)
        await task
        self.assertEqual(self.clock.time(), 9)

    def test_a_task_that_nothing_refers_to(self) -> None:
        async def advance() -> None:
            await self.clock.advance(9)
            self.stop()

        asyncio_loop: Any = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        asyncio_loop.create_task(advance())
        after_turns(self.io_loop, 3, gc.collect)
        self.wait()
        self.assertEqual(self.clock.time(), 9)

    async def test_a_coroutine_that_is_awaited_later(self) -> None:
        advancing = self.clock.advance(9)
        await asyncio.sleep(5)
        await advancing
        self.assertEqual(self.clock.time(), 9)

    @gen_test
    def test_a_generator(self) -> Any:
        yield self.clock.advance(4)
        yield [self.clock.advance(5), gen.sleep(1)]
        self.assertEqual(self.clock.time(), 9)


class AdvanceAndJumpTest(VirtualCase):
    async def test_time_that_jumps_can_be_moved_too(self) -> None:
        done: list[int] = []
        asyncio.get_running_loop().call_later(10, done.append, 10)
        await self.clock.advance(10)
        self.assertEqual((self.clock.time(), done), (10, [10]))
        await asyncio.sleep(5)
        self.assertEqual(self.clock.time(), 15)


class LimitsTest(unittest.TestCase):
    """The library's own limits are in real time."""

    def test_an_endless_loop_times_out_and_tells_how_far_it_came(self) -> None:
        class Sample(VirtualCase):
            @gen_test(timeout=0.1)
            async def test(self) -> None:
                while True:
                    await asyncio.sleep(1)
                    if self.clock.time() == 1000:
                        limit_clock.advance()

        with limit_clock.stopped():
            report = run_body(Sample, Sample.test).report
        self.assertIn("Operation timed out after 0.1 seconds", report)
        self.assertIn("Virtual time: 1000 s have passed in this test.", report)

    def test_a_virtual_day_does_not(self) -> None:
        class Sample(VirtualCase):
            async_test_timeout = 60

            def test(self) -> None:
                self.io_loop.call_later(86400, self.stop)
                self.wait()
                self.run_sync(asyncio.sleep, 86400)

        self.assertEqual(run_body(Sample, Sample.test).verdicts, ["addSuccess"])

    def test_what_refuses_to_end_is_abandoned(self) -> None:
        for base in VirtualCase, ByHandCase:

            class Sample(base):  # type: ignore[valid-type,misc]
                async def refuse(self) -> None:
                    while True:
                        with contextlib.suppress(asyncio.CancelledError):
                            await asyncio.Event().wait()

                async def test(self) -> None:
                    self.task = asyncio.ensure_future(self.refuse())
                    await asyncio.sleep(0)

            self.assertIn("was cancelled twice", run_body(Sample, Sample.test).report)


class Endless(VirtualCase):
    async def go_on(self) -> None:
        while True:
            await asyncio.sleep(1)


class OtherClocksTest(VirtualCase):
    """Libraries that patch the module ``time`` are about code that asks it, and do not meddle with the loop."""

    async_test_timeout = 60

    def moment(self, seconds: int) -> datetime.datetime:
        return datetime.datetime(2030, 1, 1, 0, 0, seconds)

    async def test_freezegun(self) -> None:
        with freezegun.freeze_time(self.moment(0)) as frozen:
            await asyncio.sleep(10)
            frozen.tick(10)
            self.assertEqual(datetime.datetime.now(), self.moment(10))
        self.assertEqual(self.clock.time(), 10)

    async def test_time_machine(self) -> None:
        with time_machine.travel(self.moment(0), tick=False) as traveller:
            await asyncio.sleep(10)
            traveller.shift(10)
            self.assertEqual(datetime.datetime.now(), self.moment(10))
        self.assertEqual(self.clock.time(), 10)

    def test_the_limits_of_the_library_are_as_ever(self) -> None:
        freezes: tuple[Any, ...] = (freezegun.freeze_time, time_machine.travel)
        for freeze in freezes:
            # Around the test: freezegun looks through all modules first, which can take longer than the limit.
            with freeze(datetime.datetime(2030, 1, 1)):
                report, limit = "Virtual time: 0 s", 0.05
                while "Virtual time: 0 s" in report:  # a busy computer may take longer to get anywhere
                    limit *= 2
                    report = run_body(Endless, gen_test(timeout=limit)(Endless.go_on)).report
            self.assertIn(f"timed out after {limit:g} seconds", report)


class FactoryTest(unittest.TestCase):
    def test_each_test_begins_at_the_beginning(self) -> None:
        class Sample(VirtualCase):
            clocks: ClassVar[list[VirtualClock]] = []

            async def test(self) -> None:
                self.assertEqual(self.clock.time(), 0)
                self.clocks.append(self.clock)
                await asyncio.sleep(1)

        for _ in range(2):
            result = RecordingResult()
            Sample("test").run(result)
            self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        self.assertIsNot(*Sample.clocks)

    def test_a_class_may_have_one_for_all_its_tests(self) -> None:
        class Sample(VirtualCase):
            loop_scope = "class"

            @classmethod
            async def asyncSetUpClass(cls) -> None:
                await asyncio.sleep(10)

            async def test_1(self) -> None:
                self.assertEqual(self.clock.time(), 10)
                await asyncio.sleep(10)

            def test_2(self) -> None:
                self.assertEqual(self.clock.time(), 20)
                self.clock.advance(10)
                self.assertEqual(self.clock.time(), 30)

        result = RecordingResult()
        unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(Sample)]).run(result)
        self.assertEqual(result.verdicts, ["addSuccess"] * 2, result.report)

    def test_without_one_there_is_no_clock(self) -> None:
        report = run_body(AsyncTestCase, lambda case: case.clock).report
        self.assertIn("run in real time, without a clock. Set clock_factory = VirtualClock.", report)

    def test_what_makes_no_clock_is_an_error(self) -> None:
        for wrong in VirtualClock(), 7, dict:
            cls = type("Sample", (AsyncTestCase,), {"clock_factory": wrong})
            report = run_body(cls, lambda case: None).report
            self.assertIn("TypeError: The class attribute clock_factory cannot be ", report)

    def test_a_loop_of_another_make_is_an_error(self) -> None:
        class Sample(VirtualCase):
            loop_factory = uvloop.new_event_loop

        report = run_body(Sample, lambda case: None).report
        self.assertRegex(report, "TypeError: A VirtualClock cannot pass time on uvloop.Loop: .* Leave out loop_factory")

    def test_arguments_that_are_no_times_are_errors(self) -> None:
        for arguments in (
            {"autojump": 0.1},
            {"autojump_threshold": -1},
            {"autojump_threshold": "1"},
            {"epoch": math.nan},
            {"epoch": "2030-01-01"},
        ):
            with self.assertRaisesRegex((TypeError, ValueError), f"{next(iter(arguments))} of VirtualClock .*Give "):
                VirtualClock(**arguments)

    def test_a_clock_of_no_test_cannot_advance(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "belongs to no test that runs. Set clock_factory"):
            VirtualClock().advance(1)


# Programs: actors that sleep, wait with a limit, and cancel each other; and periodic callbacks. All times of one actor
# have a fraction of their own, so that no two events are at the same time: their order is not promised.

Actor = tuple[str, list[tuple[str, int, int]]]

_steps = st.one_of(
    st.tuples(st.just("sleep"), st.integers(1, 50), st.just(0)),
    st.tuples(st.just("limit"), st.integers(1, 50), st.integers(1, 50)),
    st.tuples(st.just("cancel"), st.integers(1, 50), st.integers(0, 7)),
)
_actors = st.lists(
    st.one_of(
        st.tuples(st.just("steps"), st.lists(_steps, max_size=6)),
        st.tuples(st.just("periodic"), st.tuples(st.integers(1, 9), st.integers(1, 60)).map(lambda p: [("", *p)])),
    ),
    min_size=1,
    max_size=8,
)


def offset(number: int) -> float:
    return (number + 1) / 64


def model(actors: list[Actor]) -> list[tuple[float, int, str]]:
    """Compute the events, in the order of their times."""
    log: list[tuple[float, int, str]] = []
    over: set[int] = set()
    events: list[tuple[float, int, int]] = [(offset(number), number, -1) for number in range(len(actors))]
    heapq.heapify(events)
    while events:
        now, number, step = heapq.heappop(events)
        if number in over:
            continue
        kind, steps = actors[number]
        if kind == "periodic":
            _, period, length = steps[0]
            count = int(length / period)
            log += [(offset(number) + period * each, number, "tick") for each in range(1, count + 1)]
            over.add(number)
            continue
        cancelled: list[tuple[float, int, str]] = []
        if step >= 0:
            name, length, other = steps[step]
            if name == "cancel":
                target = other % len(actors)
                log.append((now, number, f"cancels {target}"))
                if target != number and target not in over and actors[target][0] == "steps":
                    over.add(target)
                    cancelled = [(now, target, "cancelled")]
            else:
                log.append((now, number, "limit" if name == "limit" and other + 0.5 < length else "slept"))
        if step + 1 < len(steps):
            name, length, other = steps[step + 1]
            pause = min(length, other + 0.5) if name == "limit" else length
            heapq.heappush(events, (now + pause, number, step + 1))
        else:
            over.add(number)
            log.append((now, number, "ends"))
        log += cancelled  # it runs when the other one waits again
    return sorted(log, key=lambda entry: entry[0])


async def play(actors: list[Actor], log: Callable[[int, str], None]) -> None:
    """Do it."""
    tasks: list[asyncio.Task[None]] = []

    async def act(number: int, steps: list[tuple[str, int, int]]) -> None:
        try:
            await asyncio.sleep(offset(number))
            for name, length, other in steps:
                if name == "limit":
                    try:
                        async with asyncio.timeout(other + 0.5):
                            await gen.sleep(length)
                        log(number, "slept")
                    except TimeoutError:
                        log(number, "limit")
                    continue
                await asyncio.sleep(length)
                if name == "cancel":
                    target = other % len(actors)
                    log(number, f"cancels {target}")
                    if target != number and actors[target][0] == "steps":
                        tasks[target].cancel()
                else:
                    log(number, "slept")
        except asyncio.CancelledError:
            log(number, "cancelled")
        else:
            log(number, "ends")

    async def repeat(number: int, period: int, length: int) -> None:
        await asyncio.sleep(offset(number))
        callback = PeriodicCallback(lambda: log(number, "tick"), period * 1000)
        callback.start()
        await asyncio.sleep(length + 1 / 1024)
        callback.stop()

    for number, (kind, steps) in enumerate(actors):
        coro = act(number, steps) if kind == "steps" else repeat(number, *steps[0][1:])
        tasks.append(asyncio.ensure_future(coro))
    await asyncio.gather(*tasks, return_exceptions=True)


class ProgramsTest(unittest.TestCase):
    def run_program(self, actors: list[Actor]) -> list[tuple[float, int, str]]:
        log: list[tuple[float, int, str]] = []

        class Sample(VirtualCase):
            async def test(self) -> None:
                await play(actors, lambda number, what: log.append((self.clock.time(), number, what)))

        result = run_body(Sample, Sample.test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)
        return log

    @given(_actors)
    @settings(max_examples=200, deadline=None)
    def test_a_program_does_what_the_model_says(self, actors: list[Actor]) -> None:
        self.assertEqual(self.run_program(actors), model(actors))

    @given(_actors)
    @settings(max_examples=50, deadline=None)
    def test_the_same_program_does_the_same_again(self, actors: list[Actor]) -> None:
        logs = {repr(self.run_program(actors)).encode() for _ in range(2)}
        self.assertEqual(len(logs), 1)
