import asyncio
import concurrent.futures
import contextlib
import functools
import os
import queue
import socket
import tempfile
import threading
import unittest
from collections.abc import AsyncGenerator, Iterator
from typing import Any, ClassVar
from unittest import mock

from tornado import gen, netutil
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.iostream import BaseIOStream, IOStream
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectLog, HTTPTestServer, VirtualClock, gen_test
from tests.support import RecordingResult, run_body, run_case


class Tidy(AsyncTestCase):
    """Tests that must not leave anything."""

    leaks = "fail"


async def forever() -> None:
    await asyncio.Event().wait()


TASKS: list[asyncio.Task[None]] = []


def stop_all() -> None:
    while TASKS:
        TASKS.pop().cancel()


class Handler(RequestHandler):
    async def get(self) -> None:
        self.write("fine")


class LeftTest(AsyncTestCase):
    """Each leak has a name, and the line of the test that made it."""

    def check(self, body: Any, *lines: str, base: type[AsyncTestCase] = Tidy) -> None:
        result = run_body(base, body)
        self.assertEqual(result.verdicts, ["addFailure"], result.report)
        for line in lines:
            self.assertRegex(result.report, line)
        code = body.__code__
        places = [f"test_search.py:{number} in {code.co_name}" for _, _, number in code.co_lines() if number]
        self.assertTrue(any(place in result.report for place in places), result.report)

    def test_in_a_folder_that_is_gone_or_a_mock(self) -> None:
        def body(case: Tidy) -> None:
            case.io_loop.call_later(60, case.stop)

        def removes(case: Tidy) -> None:
            os.rmdir(os.getcwd())
            body(case)

        with contextlib.chdir(tempfile.mkdtemp()):
            self.assertRegex(run_body(Tidy, removes).report, r"made at .*test_search\.py:\d+ in body: ")
        with mock.patch("os.getcwd"):
            self.check(body)

    def test_tasks(self) -> None:
        async def body(case: Tidy) -> None:
            case.task = asyncio.ensure_future(forever())  # type: ignore[attr-defined]
            await asyncio.sleep(0)

        self.check(body, r"pending task forever <Task-\d+>")

    def test_tasks_of_a_test_with_cleanups_that_do_not_end_them(self) -> None:
        async def body(case: Tidy) -> None:
            case.enterContext(case.assertNoLogs())
            case.enterContext(mock.patch("tests.leaks.test_search.TASKS"))
            case.task = asyncio.ensure_future(forever())  # type: ignore[attr-defined]
            await asyncio.sleep(0)

        self.check(body, "pending task forever")

    def test_tasks_of_library_functions(self) -> None:
        async def body(case: Tidy) -> None:
            case.task = asyncio.ensure_future(asyncio.Event().wait())  # type: ignore[attr-defined]
            await asyncio.sleep(0)

        self.check(body, "pending task Event.wait")

    def test_of_tasks_that_wait_for_each_other_the_first_one(self) -> None:
        async def inner() -> None:
            await asyncio.Event().wait()

        async def outer() -> None:
            await asyncio.gather(inner(), inner())

        async def body(case: Tidy) -> None:
            case.task = asyncio.ensure_future(outer())  # type: ignore[attr-defined]
            for _ in range(3):
                await asyncio.sleep(0)

        self.check(body, r"left these resources open:\n  pending task .*outer <.*\n.*\nThe test ended, and this was")

    def test_a_timer_is_reported_with_the_ways_to_wait_for_it(self) -> None:
        def later(case: Tidy) -> None:
            case.io_loop.call_later(60, stop_all)

        def body(case: Tidy) -> None:
            later(case)

        lines = (
            r"pending timer stop_all, due in 60 s\n +made at .*test_search.py:\d+ in later: case.io_loop.*\n"
            r" +called at .*test_search.py:\d+ in body: later\(case\)\n"
            r"The test ended, and this was still to come\. .* await it, call self\.wait\(\) until it calls"
        )
        self.check(body, lines)
        self.assertNotIn("End open resources", run_body(Tidy, body).report)

    def test_a_coroutine_has_no_advice_to_call_wait(self) -> None:
        def later(case: Tidy) -> None:
            case.io_loop.call_later(60, stop_all)

        async def body(case: Tidy) -> None:
            later(case)

        self.check(
            body, r"The test ended, and this was still to come\. .* await it, or all by self\.settle\(\)\. If not"
        )

    def test_a_coroutine_of_set_up_has_the_advice_to_use_run_sync(self) -> None:
        class Sample(Tidy):
            def setUp(self) -> None:
                super().setUp()
                self.task = self.io_loop.asyncio_loop.create_task(forever())  # type: ignore[attr-defined]

        report = run_body(Sample, lambda case: None).report
        self.assertRegex(report, r"in setUp: [^$]*In setUp\(\), self\.run_sync\(forever\) waits for it\.")

    def test_a_resource_has_the_other_advice(self) -> None:
        def body(case: Tidy) -> None:
            case.server = TCPServer()  # type: ignore[attr-defined]
            case.server.listen(0, "127.0.0.1")  # type: ignore[attr-defined]
            case.io_loop.call_later(60, stop_all)

        self.check(body, r"this was still to come\..* in allowed_leaks\. End open resources in the test")

    def test_coroutines_of_tornado(self) -> None:
        @gen.coroutine
        def work() -> Any:
            yield gen.sleep(60)

        @gen_test
        def body(case: Tidy) -> Any:
            work()
            yield gen.moment

        result = run_body(Tidy, body)
        self.assertRegex(result.report, "pending coroutine .*work\n.*made at .*: work()")

    def test_timers(self) -> None:
        def body(case: Tidy) -> None:
            case.io_loop.call_later(60, case.id)

        self.check(body, r"pending timer TestCase.id, due in 60 s")

    def test_timers_in_virtual_time(self) -> None:
        async def body(case: Any) -> None:
            await asyncio.sleep(1)
            asyncio.get_running_loop().call_later(60, case.id)

        self.check(
            body,
            "pending timer TestCase.id, due in 60 s",
            base=type("Virtual", (Tidy,), {"clock_factory": VirtualClock}),
        )

    def test_periodic_callbacks(self) -> None:
        async def body(case: Any) -> None:
            case.periodic = PeriodicCallback(case.id, 10)
            case.periodic.start()

        self.check(body, "running PeriodicCallback TestCase.id, every 0.01 s")

    def test_callbacks(self) -> None:
        def callback() -> None:
            raise AssertionError("this is lost")

        def body(case: Tidy) -> None:
            case.io_loop.add_callback(callback)

        result = run_body(Tidy, body)
        self.assertRegex(
            result.report, r"callback .*callback, which was still to run\n +defined at .*test_search.py:\d+"
        )

    def test_streams(self) -> None:
        async def body(case: Any) -> None:
            with contextlib.closing(netutil.bind_sockets(0, "127.0.0.1")[0]) as sock:
                case.stream = IOStream(socket.socket())
                await case.stream.connect(sock.getsockname())
                case.address = sock.getsockname()

        self.check(body, "unclosed stream IOStream")

    def test_streams_of_clients(self) -> None:
        async def body(case: Any) -> None:
            case.stream = await TCPClient().connect("127.0.0.1", case.port)

        with contextlib.closing(netutil.bind_sockets(0, "127.0.0.1")[0]) as sock:
            port = sock.getsockname()[1]
            self.check(
                body,
                f"unclosed stream IOStream, connected to 127.0.0.1:{port}",
                base=type("Sample", (Tidy,), {"port": port}),
            )

    def test_streams_of_generators(self) -> None:
        @gen_test
        def body(case: Any) -> Any:
            case.stream = yield TCPClient().connect("127.0.0.1", case.port)

        with contextlib.closing(netutil.bind_sockets(0, "127.0.0.1")[0]) as sock:
            result = run_body(type("Sample", (Tidy,), {"port": sock.getsockname()[1]}), body)
        self.assertRegex(result.report, "unclosed stream IOStream")

    def test_servers(self) -> None:
        async def body(case: Any) -> None:
            case.server = TCPServer()
            case.server.listen(0, "127.0.0.1")

        self.check(body, r"unclosed server TCPServer, listening on 127.0.0.1:\d+")

    def test_servers_and_transports_of_asyncio(self) -> None:
        async def body(case: Any) -> None:
            case.server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
            case.reader, case.writer = await asyncio.open_connection(*case.server.sockets[0].getsockname())

        self.check(
            body,
            r"unclosed server asyncio.Server, listening on 127.0.0.1:\d+",
            r"unclosed transport of StreamReaderProtocol, connected to 127.0.0.1:\d+",
        )

    def test_a_fetch_that_is_not_awaited(self) -> None:
        """tearDown closes the client that it waits for; that does not count as an end."""

        class Served(AsyncHTTPTestCase):
            leaks = "fail"

            def get_app(self) -> Application:
                class Slow(RequestHandler):
                    async def get(self) -> None:
                        await forever()

                return Application([("/", Slow)])

        async def body(case: Any) -> None:
            case.task = asyncio.ensure_future(case.async_fetch("/"))
            await asyncio.sleep(0)

        with ExpectLog("tornado.access", ".*", required=False):
            self.check(body, "pending task", base=Served)

    def test_clients(self) -> None:
        def body(case: Any) -> None:
            case.client = AsyncHTTPClient(force_instance=True)

        self.check(body, "unclosed HTTP client SimpleAsyncHTTPClient")

    def test_requests_of_a_client_that_all_share(self) -> None:
        async def body(case: Any) -> None:
            case.response = AsyncHTTPClient().fetch(case.url)
            await asyncio.sleep(0)

        with contextlib.closing(netutil.bind_sockets(0, "127.0.0.1")[0]) as sock:
            url = f"http://127.0.0.1:{sock.getsockname()[1]}/"
            expected = f"HTTP client SimpleAsyncHTTPClient with unfinished requests: GET {url}"
            self.check(body, expected, base=type("Sample", (Tidy,), {"url": url}))

    def test_handlers_of_files(self) -> None:
        def handle() -> None:
            pass

        def body(case: Any) -> None:
            case.io_loop.add_handler(sock, lambda fd, events: None, IOLoop.READ)
            case.io_loop.asyncio_loop.add_writer(sock, handle)

        sock = self.enterContext(socket.socket())
        self.check(body, r"handler .*<lambda> of file descriptor \d+", r"handler .*handle of file descriptor \d+")

    def test_jobs(self) -> None:
        go = threading.Event()
        executor = concurrent.futures.ThreadPoolExecutor()
        self.addCleanup(executor.shutdown)
        self.addCleanup(go.set)

        def job() -> None:
            go.wait()

        def of_tornado(case: Any) -> None:
            case.job = case.io_loop.run_in_executor(case.executor, job)

        def of_asyncio(case: Any) -> None:
            case.job = case.io_loop.asyncio_loop.run_in_executor(case.executor, job)

        for body in of_tornado, of_asyncio:
            with self.subTest(body.__name__):
                self.check(
                    body, "executor job .*job, which still runs", base=type("Sample", (Tidy,), {"executor": executor})
                )

    def test_a_task_that_is_made_by_code_of_no_module(self) -> None:
        for name in None, 42:
            space: dict[str, Any] = {"__name__": name, "asyncio": asyncio, "forever": forever}
            exec("def begin():\n    return asyncio.ensure_future(forever())", space)

            async def body(case: Any, begin: Any = space["begin"]) -> None:
                case.task = begin()
                await asyncio.sleep(0)

            result = run_body(Tidy, body)
            self.assertRegex(result.report, r"pending task forever .*\n    made at <string>:2 in begin")

    def test_threads(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)

        def body(case: Tidy) -> None:
            threading.Thread(target=go.wait, name="worker", daemon=True).start()

        self.check(body, "running thread Event.wait <worker>\n")

    def test_threads_that_keep_the_process_alive(self) -> None:
        go = threading.Event()
        self.addCleanup(go.set)

        def body(case: Tidy) -> None:
            threading.Thread(target=go.wait, name="worker").start()

        self.check(body, "running thread Event.wait <worker>, for which Python waits when it ends\n")

    def test_asynchronous_generators(self) -> None:
        async def numbers() -> AsyncGenerator[int, None]:
            for number in range(3):
                yield number

        async def body(case: Any) -> None:
            case.numbers = numbers()
            await anext(case.numbers)

        self.check(
            body, r"unfinished asynchronous generator .*numbers, at .*test_search.py:\d+ in numbers: yield number"
        )


class SpawnedTest(unittest.TestCase):
    """The line of ``spawn_callback``."""

    def test_the_line_that_has_spawned_it(self) -> None:
        class Spawns(RequestHandler):
            def get(self) -> None:
                IOLoop.current().spawn_callback(self.work, 1)
                IOLoop.current().spawn_callback(len, ())

            async def work(self, number: int) -> None:
                await asyncio.sleep(3600)

        async def body(case: AsyncHTTPTestCase) -> None:
            await case.fetch("/")
            await asyncio.sleep(0.01)

        attributes = {"leaks": "fail", "get_app": lambda case: Application([("/", Spawns)])}
        report = run_body(type("Sample", (AsyncHTTPTestCase,), attributes), body).report
        self.assertRegex(
            report, r"pending task .*work <.*\n +made at .* in get: IOLoop.current\(\).spawn_callback\(self.work, 1\)"
        )

    def test_a_partial(self) -> None:
        async def work(number: int) -> None:
            await asyncio.sleep(3600)

        async def body(case: AsyncTestCase) -> None:
            case.io_loop.spawn_callback(functools.partial(work, 1))
            await asyncio.sleep(0.01)

        for schedules in 1, 2:
            attributes = {"leaks": "fail", "schedules": schedules}
            report = run_body(type("Sample", (AsyncTestCase,), attributes), body).report
            self.assertRegex(report, r"made at .* in body: case.io_loop.spawn_callback")


class EndedTest(AsyncTestCase):
    """Resources that are closed, or not the test's, are no leaks. Else each of these tests would fail."""

    leaks = "fail"

    class Served(AsyncHTTPTestCase):
        leaks = "fail"

        def get_app(self) -> Application:
            return Application([("/", Handler)])

    async def test_tasks_that_were_cancelled(self) -> None:
        asyncio.ensure_future(forever()).cancel()
        self.addCleanup(asyncio.ensure_future(forever()).cancel)

    async def test_tasks_that_a_cleanup_ends(self) -> None:
        tasks = [asyncio.ensure_future(forever())]

        def stop() -> None:
            for task in tasks:
                task.cancel()

        self.addCleanup(stop)

    def test_tasks_that_a_method_ends(self) -> None:
        self.task = asyncio.ensure_future(forever(), loop=self.io_loop.asyncio_loop)  # type: ignore[attr-defined]
        self.addCleanup(self.stop_task)

    def stop_task(self) -> None:
        self.task.cancel()

    async def test_tasks_of_a_context_manager(self) -> None:
        @contextlib.contextmanager
        def background() -> Iterator[None]:
            task = asyncio.ensure_future(forever())
            yield
            task.cancel()

        self.enterContext(background())

    async def test_tasks_that_an_asynchronous_cleanup_waits_for(self) -> None:
        """They are not cancelled before, and may end in good order."""
        queue: asyncio.Queue[int] = asyncio.Queue()
        taken: list[int] = []

        async def work() -> None:
            while number := await queue.get():
                taken.append(number)

        worker = asyncio.ensure_future(work())

        async def stop() -> None:
            queue.put_nowait(1)
            queue.put_nowait(0)
            await worker
            self.assertEqual(taken, [1])

        self.addAsyncCleanup(stop)

    async def test_timers_that_were_cancelled_or_have_run(self) -> None:
        asyncio.get_running_loop().call_later(60, self.fail).cancel()
        event = asyncio.Event()
        self.timer = self.io_loop.call_later(0, event.set)
        await event.wait()

    async def test_generators_that_were_left(self) -> None:
        async def numbers() -> AsyncGenerator[int, None]:
            for number in range(3):
                yield number

        async for _ in numbers():
            break

    async def test_connections_that_were_closed(self) -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.close()
        server.close()

    async def test_resources_that_tornado_opens_and_closes(self) -> None:
        await AsyncHTTPClient().fetch(f"http://127.0.0.1:{self.serve()}/")

    def serve(self) -> int:
        sock = netutil.bind_sockets(0, "127.0.0.1")[0]
        server = Application([("/", Handler)]).listen(0, "127.0.0.1")
        server.add_socket(sock)
        self.addCleanup(server.stop)
        return int(sock.getsockname()[1])

    async def test_resources_that_the_library_opens_and_closes(self) -> None:
        async with HTTPTestServer(Application([("/", Handler)])) as server:
            await server.fetch("/")

    def test_resources_that_a_test_case_opens_and_closes(self) -> None:
        async def fetch(case: Any) -> None:
            self.assertEqual((await case.fetch("/")).code, 200)

        self.assertEqual(run_body(self.Served, fetch).verdicts, ["addSuccess"])

    async def test_handlers_that_a_server_has_begun(self) -> None:
        class Echo(TCPServer):
            async def handle_stream(self, stream: IOStream, address: Any) -> None:
                await stream.write(await stream.read_until(b"\n"))
                await stream.read_until_close()

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = Echo()
        sock = netutil.bind_sockets(0, "127.0.0.1")[0]
        server.add_socket(sock)
        self.addCleanup(server.stop)
        other = await asyncio.start_server(echo, "127.0.0.1", 0)
        self.addCleanup(other.close)
        for address in sock.getsockname(), other.sockets[0].getsockname():
            stream = await TCPClient().connect(*address)
            await stream.write(b"a line\n")
            await stream.read_until(b"\n")
            stream.close()

    def test_a_task_that_stops_the_test_in_its_last_steps(self) -> None:
        async def stop_and_end() -> None:
            self.stop()
            await asyncio.sleep(0)

        self.io_loop.add_callback(stop_and_end)
        self.wait()

    def test_tasks_that_a_service_ends(self) -> None:
        class Worker:
            def __init__(self, loop: Any) -> None:
                self.tasks = {asyncio.ensure_future(forever(), loop=loop)}

        class Service:
            def __init__(self, loop: Any) -> None:
                self.worker = Worker(loop)

            def stop(self) -> None:
                for task in self.worker.tasks:
                    task.cancel()

        self.addCleanup(Service(self.io_loop.asyncio_loop).stop)  # type: ignore[attr-defined]

    async def test_tasks_of_a_service_that_is_large(self) -> None:
        service: list[object] = [[number] for number in range(30_000)]
        service.append([asyncio.ensure_future(forever())])
        self.addCleanup(lambda: [task.cancel() for task in service[-1]])  # type: ignore[attr-defined]

    async def test_tasks_of_a_module(self) -> None:
        TASKS.append(asyncio.ensure_future(forever()))
        self.addCleanup(stop_all)

    async def test_tasks_that_the_loop_knows(self) -> None:
        self.task = asyncio.ensure_future(forever())
        loop = asyncio.get_running_loop()
        self.addCleanup(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])

    def test_handlers_of_files_by_number_and_by_file(self) -> None:
        loop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        with socket.socket() as sock:
            loop.add_reader(sock, self.stop)
            loop.remove_reader(sock.fileno())
            loop.add_reader(sock.fileno(), self.stop)
            loop.remove_reader(sock)

    def test_resources_that_a_thread_opens_on_a_loop_of_its_own(self) -> None:
        """It may be there for all tests, and is left alone."""
        ports: queue.SimpleQueue[int] = queue.SimpleQueue()
        end = threading.Event()

        async def serve() -> None:
            server = Application([("/", Handler)]).listen(0, "127.0.0.1")
            (sock,) = server._sockets.values()
            ports.put(sock.getsockname()[1])
            await asyncio.to_thread(end.wait)
            server.stop()

        class First(Tidy):
            allowed_leaks = (threading.Thread,)
            port: ClassVar[int]

            def test(self) -> None:
                threading.Thread(target=asyncio.run, args=[serve()], daemon=True).start()
                type(self).port = ports.get()

            async def test_next(self) -> None:
                self.assertEqual((await AsyncHTTPClient().fetch(f"http://127.0.0.1:{self.port}/")).code, 200)

        self.addCleanup(end.set)
        self.assertEqual(run_case(First).report, "")
        self.assertEqual(run_case(First, "test_next").report, "")

    def test_a_loop_that_the_test_has_closed(self) -> None:
        def body(case: Any) -> None:
            case.timer = threading.Timer(60, case.id)
            case.timer.start()
            case.timer.cancel()
            case.io_loop.asyncio_loop.close()

        self.assertEqual(run_body(Tidy, body).report, "")

    def test_objects_that_cannot_be_looked_at(self) -> None:
        class Odd(BaseIOStream):
            def closed(self) -> bool:
                raise ZeroDivisionError

        class Odder:
            def __call__(self) -> None:
                pass

            def __repr__(self) -> str:
                raise ZeroDivisionError

        async def body(case: Any) -> None:
            case.stream = Odd()
            case.io_loop.call_later(60, Odder())

        self.assertEqual(run_body(Tidy, body).report, "")

    def test_workers_of_a_pool_that_have_nothing_to_do(self) -> None:
        executor = concurrent.futures.ThreadPoolExecutor()
        self.addClassCleanup(executor.shutdown)  # the test itself leaves it as it is
        self.assertEqual(self.run_sync(self.io_loop.run_in_executor, executor, lambda: 42), 42)

    def test_threads_and_jobs_that_are_about_to_end(self) -> None:
        threading.Thread(target=self.stop).start()
        self.wait()
        self.io_loop.run_in_executor(None, self.stop)
        self.wait()


class OtherLoopsTest(AsyncTestCase):
    def test_a_leak_on_a_loop_that_goes_on_is_left_open(self) -> None:
        """It is reported for the test that made it, and stays open for the other users of the loop."""
        io_loop: IOLoop = IOLoop(make_current=False)
        self.addCleanup(io_loop.close)
        called: list[int] = []

        class Sample(Tidy):
            def get_new_ioloop(self) -> IOLoop:
                return io_loop

            def test(self) -> None:
                self.io_loop.call_later(0.01, called.append, 1)

            def test_next(self) -> None:
                self.io_loop.call_later(0.02, self.stop)
                self.wait()

        self.assertRegex(run_case(Sample).report, "pending timer list.append")
        self.assertEqual(run_case(Sample, "test_next").verdicts, ["addSuccess"])
        self.assertEqual(called, [1])

    def test_resources_that_tests_leave_on_a_shared_loop_the_class_may_close(self) -> None:
        """It may be in a pool of the class. The line that made it shows which test did."""

        class Sample(Tidy):
            loop_scope = "class"
            streams: ClassVar[list[Any]] = []
            sock: ClassVar[socket.socket]

            @classmethod
            async def asyncSetUpClass(cls) -> None:
                cls.sock = netutil.bind_sockets(0, "127.0.0.1")[0]
                cls.addClassCleanup(cls.sock.close)
                cls.streams.append(await TCPClient().connect(*cls.sock.getsockname()))

            async def test_1(self) -> None:
                self.streams.append(await TCPClient().connect(*self.sock.getsockname()))

            async def test_2(self) -> None:
                await self.streams[0].write(b"of the class")

            @classmethod
            async def asyncTearDownClass(cls) -> None:
                for stream in cls.streams:
                    stream.close()

        class Careless(Sample):
            @classmethod
            async def asyncTearDownClass(cls) -> None:
                cls.streams[0].close()

        def run(cls: type[AsyncTestCase]) -> RecordingResult:
            result = RecordingResult()
            unittest.defaultTestLoader.loadTestsFromTestCase(cls).run(result)
            return result

        result = run(Sample)
        self.assertEqual(result.verdicts, ["addSuccess", "addSuccess"], result.report)
        Careless.streams = []
        result = run(Careless)
        self.assertEqual(result.verdicts, ["addSuccess", "addSuccess", "addError"], result.report)
        self.assertRegex(result.report, "Careless left these .*\n  unclosed stream .*\n    made at .* in test_1")

    def test_a_periodic_callback_ends_with_its_test(self) -> None:
        """Its next call is a timer of the test. One of the class goes on, and is the leak of the class."""
        ticks: list[str] = []

        class Sample(Tidy):
            loop_scope = "class"
            held: ClassVar[list[PeriodicCallback]] = []

            @classmethod
            async def asyncSetUpClass(cls) -> None:
                cls.held.append(PeriodicCallback(lambda: ticks.append("class"), 1))
                cls.held[0].start()

            async def test_1(self) -> None:
                PeriodicCallback(print, 10_000).start()

            async def test_2(self) -> None:
                self.held.append(PeriodicCallback(print, 10_000))
                self.held[1].start()

            async def test_3(self) -> None:
                begun = [PeriodicCallback(print, 10_000)]
                begun[-1].start()
                self.addCleanup(begun[-1].stop)

            async def test_4(self) -> None:
                ticks.clear()
                while not ticks:
                    await asyncio.sleep(0)

        class Clean(Sample):
            @classmethod
            async def asyncTearDownClass(cls) -> None:
                for each in cls.held:
                    each.stop()

        for cls, end in (Sample, ["addError"]), (Clean, []):
            with self.subTest(cls):
                Sample.held.clear()
                result = RecordingResult()
                unittest.defaultTestLoader.loadTestsFromTestCase(cls).run(result)
                verdicts = ["addFailure", "addFailure", "addSuccess", "addSuccess", *end]
                self.assertEqual(result.verdicts, verdicts, result.report)
                self.assertRegex(result.report, "running PeriodicCallback print, every 10 s\n +made at .* in test_1")
                self.assertEqual(result.report.count("made at"), 2 + len(end), result.report)

    def test_a_stream_that_only_the_loop_knows(self) -> None:
        """No later test can use it. If other code refers to it, to its future or its method, a test may."""

        class Sample(Tidy):
            loop_scope = "class"
            held: ClassVar[list[Any]] = []
            pairs: ClassVar[list[Any]] = []

            def stream(self) -> IOStream:
                pair = socket.socketpair()
                self.pairs.extend(pair)
                stream = IOStream(pair[0])
                stream.set_close_callback(lambda: None)
                return stream

            def test_1_dropped(self) -> None:
                self.stream()
                self.held.append(self.stream())

            def test_2_held(self) -> None:
                self.held.append(self.stream())

            def test_3_in_use(self) -> None:
                self.held.append(self.stream().read_bytes(1))

            def test_4_held_by_a_method(self) -> None:
                self.held.append(self.stream().write)
                stream = self.stream()
                self.held.append(lambda: stream)

            def test_5_closed(self) -> None:
                self.stream().close()

            @classmethod
            async def asyncTearDownClass(cls) -> None:
                cls.held[0].close()
                cls.held[1].close()
                cls.pairs[7].send(b"x")
                assert await cls.held[2] == b"x"
                await cls.held[3](b"y")
                assert cls.pairs[9].recv(1) == b"y"
                cls.held[4]().close()

        result = RecordingResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Sample).run(result)
        for sock in Sample.pairs:
            sock.close()
        self.assertEqual(result.verdicts, ["addFailure", *["addSuccess"] * 4, "addError"], result.report)
        self.assertRegex(result.report, "test_1_dropped left .*\n  unclosed stream IOStream\n    made at .* in stream")
        self.assertEqual(result.report.count("unclosed stream"), 3, result.report)  # two at the end
