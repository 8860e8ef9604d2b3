"""Tests that share the loop of their class, and the server."""

import asyncio
import contextvars
import gc
import os
import unittest
from typing import Any, ClassVar

from tornado import gen, web
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.tcpclient import TCPClient

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    HTTPTestServer,
    VirtualClock,
    gen_test,
)
from tests.limits import limit_clock
from tests.support import RecordingResult


def run_class(cls: type[unittest.TestCase]) -> RecordingResult:
    """Run all tests of a class, in a suite."""
    result = RecordingResult()
    unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(cls)]).run(result)
    return result


async def turn_a_few_times() -> None:
    """Let the loop run all that is ready."""
    for _ in range(5):
        await asyncio.sleep(0)


class Shared(AsyncTestCase):
    loop_scope = "class"
    #: The events, in order.
    events: ClassVar[list[Any]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.events = []
        super().setUpClass()


class LifeTest(unittest.TestCase):
    def test_all_tests_of_the_class_run_on_one_loop(self) -> None:
        class Sample(Shared):
            def test_sync(self) -> None:
                self.events.append(self.io_loop)
                self.assertIs(IOLoop.current(), self.io_loop)
                self.io_loop.add_callback(self.stop, 7)
                self.assertEqual(self.wait(), 7)
                self.assertEqual(self.run_sync(asyncio.sleep, 0, 7), 7)

            async def test_async(self) -> None:
                self.events.append(IOLoop.current())

            @gen_test
            def test_gen(self) -> Any:
                yield gen.moment
                self.events.append(IOLoop.current())

        result = run_class(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"] * 3, result.report)
        self.assertEqual(len(set(Sample.events)), 1)
        self.assertTrue(Sample.events[0].asyncio_loop.is_closed())
        with self.assertRaises(AttributeError):
            Sample("test_sync").io_loop  # noqa: B018

    def test_hooks_are_called_in_order(self) -> None:
        class Sample(Shared):
            @classmethod
            async def asyncSetUpClass(cls) -> None:
                cls.events.append("asyncSetUpClass")
                cls.addClassCleanup(cls.events.append, "cleanup")
                assert asyncio.get_running_loop() is cls.io_loop.asyncio_loop  # type: ignore[attr-defined]

            @classmethod
            async def asyncTearDownClass(cls) -> None:
                cls.events.append("asyncTearDownClass")
                assert asyncio.get_running_loop() is cls.io_loop.asyncio_loop  # type: ignore[attr-defined]

            async def asyncSetUp(self) -> None:
                self.events.append("asyncSetUp")

            async def asyncTearDown(self) -> None:
                self.events.append("asyncTearDown")

            async def test_one(self) -> None:
                self.events.append("test")

            test_two = test_one

        class Forgetful(Sample):
            @classmethod
            def tearDownClass(cls) -> None:
                cls.events.append("tearDownClass")

        each = ["asyncSetUp", "test", "asyncTearDown"]
        self.assertEqual(run_class(Sample).report, "")
        self.assertEqual(Sample.events, ["asyncSetUpClass", *each, *each, "asyncTearDownClass", "cleanup"])
        self.assertEqual(run_class(Forgetful).report, "")
        self.assertEqual(Forgetful.events[7:], ["tearDownClass", "asyncTearDownClass", "cleanup"])

    def test_what_the_class_has_set_up_goes_on_between_its_tests(self) -> None:
        class Sample(Shared):
            leaks = "ignore"
            queue: asyncio.Queue[int]
            worker: asyncio.Task[None]
            variable: ClassVar[contextvars.ContextVar[int]] = contextvars.ContextVar("variable", default=0)

            @classmethod
            async def asyncSetUpClass(cls) -> None:
                cls.queue = asyncio.Queue()
                cls.worker = asyncio.ensure_future(cls.work())
                cls.variable.set(1)

            @classmethod
            async def work(cls) -> None:
                while True:
                    cls.events.append(await cls.queue.get())
                    cls.queue.task_done()

            async def test_one(self) -> None:
                self.assertEqual(self.variable.get(), 1)
                self.variable.set(2)
                self.queue.put_nowait(1)
                await self.queue.join()

            test_two = test_one

        self.assertEqual(run_class(Sample).report, "")
        self.assertEqual(Sample.events, [1, 1])
        self.assertTrue(Sample.worker.cancelled())

    def test_each_class_has_its_own(self) -> None:
        class Sample(Shared):
            async def test(self) -> None:
                self.events.append(self.io_loop)

        class Other(Sample):
            pass

        suite = unittest.TestSuite([Sample("test"), Other("test"), Sample("test")])
        result = RecordingResult()
        suite.run(result)
        self.assertEqual(result.verdicts, ["addSuccess"] * 3, result.report)
        self.assertIsNot(Sample.events[0], Other.events[0])

    def test_nothing_is_left_open(self) -> None:
        class Sample(AsyncHTTPTestCase):
            loop_scope = "class"

            def get_app(self) -> web.Application:
                return web.Application(log_function=lambda handler: None)

            def test(self) -> None:
                self.assertEqual(self.fetch("/").code, 404)

        class Failing(Shared):
            @classmethod
            async def asyncSetUpClass(cls) -> None:
                raise ValueError("planted")

            def test(self) -> None:
                self.fail("not reached")

        before = len(os.listdir("/proc/self/fd"))
        self.assertEqual(run_class(Sample).report, "")
        report = run_class(Failing).report
        self.assertEqual(report.count("ValueError: planted"), 1)
        self.assertNotIn("not reached", report)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)


class AttributionTest(unittest.TestCase):
    """Errors, tasks and timers belong to the test that set them off."""

    def failures(self, result: RecordingResult) -> list[str]:
        return [test.id().rpartition(".")[2] for test, _ in result.errors + result.failures]

    def test_an_error_fails_the_test_that_set_it_off(self) -> None:
        class Sample(Shared):
            def test_1(self) -> None:
                self.io_loop.add_callback(lambda: 1 / 0)

            async def test_2(self) -> None:
                await turn_a_few_times()

            async def test_3(self) -> None:
                self.task = asyncio.ensure_future(self.fail_later())
                await asyncio.Event().wait()

            async def fail_later(self) -> None:
                raise ValueError("planted")

            async def test_4(self) -> None:
                await turn_a_few_times()

        result = run_class(Sample)
        self.assertEqual(self.failures(result), ["test_1", "test_3"], result.report)

    def test_tasks_and_timers_of_a_test_end_with_it(self) -> None:
        class Sample(Shared):
            clock_factory = VirtualClock
            leaks = "ignore"
            task: ClassVar[asyncio.Task[None]]

            async def test_1(self) -> None:
                self.io_loop.call_later(10, self.events.append, "timer")
                type(self).task = asyncio.ensure_future(self.go_on())
                await asyncio.sleep(0)

            async def go_on(self) -> None:
                while True:
                    await asyncio.sleep(10)
                    self.events.append("task")

            async def test_2(self) -> None:
                self.assertTrue(self.task.cancelled())
                await asyncio.sleep(100)
                self.assertEqual(self.events, [])

        self.assertEqual(run_class(Sample).report, "")

    def test_what_a_thread_of_an_earlier_test_does_is_not_blamed_on_a_later_one(self) -> None:
        class Sample(Shared):
            callback: ClassVar[Any]

            def test_1(self) -> None:
                context = contextvars.copy_context()
                call_later = self.io_loop.add_callback
                type(self).callback = staticmethod(lambda: context.run(call_later, lambda: 1 / 0))

            async def test_2(self) -> None:
                self.callback()
                await turn_a_few_times()

        result = run_class(Sample)
        self.assertEqual(self.failures(result), ["test_1"], result.report)

    def test_an_error_of_the_class_is_told_for_the_class(self) -> None:
        class Sample(Shared):
            @classmethod
            async def asyncSetUpClass(cls) -> None:
                cls.event = asyncio.Event()
                cls.task = asyncio.ensure_future(cls.wait_and_fail())

            event: ClassVar[asyncio.Event]
            task: ClassVar[asyncio.Task[None]]

            @classmethod
            async def wait_and_fail(cls) -> None:
                await cls.event.wait()
                raise ValueError("planted")

            async def test_1(self) -> None:
                self.event.set()
                await turn_a_few_times()

            def test_2(self) -> None:
                gc.collect()

        result = run_class(Sample)
        (failed, report), *others = result.errors
        self.assertEqual(others, [])
        self.assertIn("tearDownClass", str(failed))
        self.assertEqual(report.count("ValueError: planted"), 1)
        self.assertEqual(result.verdicts.count("addSuccess"), 2)

    def test_a_timeout_shows_the_tasks_of_the_class_too(self) -> None:
        class Sample(Shared):
            task: ClassVar[asyncio.Task[None]]

            @classmethod
            async def asyncSetUpClass(cls) -> None:
                cls.task = asyncio.ensure_future(cls.work_for_the_class())

            @classmethod
            async def work_for_the_class(cls) -> None:
                await asyncio.Event().wait()

            @gen_test(timeout=0.1)
            async def test(self) -> None:
                await asyncio.sleep(0)
                limit_clock.advance()
                await asyncio.sleep(10)

        with limit_clock.stopped():
            self.assertIn("work_for_the_class", run_class(Sample).report)


class Handler(web.RequestHandler):
    async def get(self) -> None:
        if self.request.path == "/raise":
            raise ValueError("planted")
        if self.request.path == "/late":
            self.finish("fine")
            raise ValueError("planted")
        if self.request.path == "/wait":
            await asyncio.Event().wait()
        self.set_cookie("name", "value")
        self.write("fine")


class Served(AsyncHTTPTestCase):
    loop_scope = "class"
    apps: ClassVar[list[web.Application]] = []

    def get_app(self) -> web.Application:
        self.apps.append(web.Application([("/.*", Handler)], log_function=lambda handler: None))
        return self.apps[-1]


class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        Served.apps = []

    def test_all_tests_of_the_class_have_one_server_and_client(self) -> None:
        seen: list[Any] = []

        class Sample(Served):
            def test_1(self) -> None:
                self.assertEqual(len(self.cookies), 0)
                self.assertEqual(self.fetch("/").body, b"fine")
                self.assertEqual(len(self.cookies), 1)
                seen.append((self.get_url("/"), self.http_client, self.http_server, self._app))

            async def test_2(self) -> None:
                self.assertEqual((await self.async_fetch("/")).body, b"fine")
                seen.append((self.get_url("/"), self.http_client, self.http_server, self._app))

            test_3 = test_1

        result = run_class(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"] * 3, result.report)
        self.assertEqual(len(Served.apps), 1)
        self.assertEqual(len(set(seen)), 1)

    def test_it_works_with_https(self) -> None:
        class Sample(Served, AsyncHTTPSTestCase):
            def test_1(self) -> None:
                self.assertEqual(self.fetch("/").body, b"fine")

            test_2 = test_1

        self.assertEqual(run_class(Sample).report, "")

    def test_errors_of_handlers_belong_to_the_test_that_asked(self) -> None:
        class Sample(Served):
            def test_1(self) -> None:
                self.assertEqual(self.fetch("/raise").code, 200)

            def test_2(self) -> None:
                self.assertEqual(self.server_errors, [])
                self.assertEqual(self.fetch("/").code, 404)

            def test_3(self) -> None:
                self.fetch("/late")

            def test_4(self) -> None:
                self.assertEqual(self.fetch("/").code, 200)

        result = run_class(Sample)
        told = {test.id().rpartition(".")[2]: report for test, report in result.errors + result.failures}
        self.assertEqual(sorted(told), ["test_1", "test_2", "test_3"])
        self.assertEqual([told[name].count("ValueError: planted") for name in sorted(told)], [1, 0, 1], result.report)

    def test_a_request_that_is_not_answered_ends_with_its_test(self) -> None:
        class Sample(Served):
            leaks = "ignore"

            async def test_1(self) -> None:
                self.pending = self.async_fetch("/wait")
                await self.async_fetch("/")

            async def test_2(self) -> None:
                self.assertEqual((await self.async_fetch("/")).code, 200)
                self.assertEqual(len(asyncio.all_tasks()), 1 + len(self.server_tasks()))

            def server_tasks(self) -> list[Any]:
                return [task for task in asyncio.all_tasks() if "_server_request_loop" in repr(task)]

        self.assertEqual(run_class(Sample).report, "")

    def test_a_connection_that_is_kept_serves_each_test_in_its_own_name(self) -> None:
        class Sample(Served):
            leaks = "ignore"
            stream: ClassVar[Any]

            async def ask(self, path: str) -> None:
                await self.stream.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                await self.stream.read_until(b"fine")

            async def test_1(self) -> None:
                type(self).stream = await TCPClient().connect("127.0.0.1", self.get_http_port())
                await self.ask("/")

            async def test_2(self) -> None:
                await self.ask("/late")
                await asyncio.Event().wait()

            async def test_3(self) -> None:
                await self.ask("/")
                self.stream.close()

        result = run_class(Sample)
        self.assertEqual(result.verdicts, ["addSuccess", "addError", "addSuccess"], result.report)
        self.assertEqual(result.report.count("ValueError: planted"), 1, result.report)

    def test_a_server_of_the_class_serves_each_test_in_its_own_name(self) -> None:
        class Sample(Shared):
            server: ClassVar[HTTPTestServer]

            @classmethod
            async def asyncSetUpClass(cls) -> None:
                app = web.Application([("/.*", Handler)], log_function=lambda handler: None)
                cls.server = await HTTPTestServer(app).__aenter__()

            @classmethod
            async def asyncTearDownClass(cls) -> None:
                await cls.server.__aexit__()

            async def test_1(self) -> None:
                self.assertEqual((await self.server.fetch("/raise")).code, 200)

            async def test_2(self) -> None:
                await self.server.fetch("/late")
                await asyncio.Event().wait()

        result = run_class(Sample)
        self.assertEqual(result.verdicts, ["addFailure", "addError"], result.report)
        self.assertEqual(result.report.count("ValueError: planted"), 2, result.report)

    def test_requests_in_flight_do_not_use_up_the_client(self) -> None:
        class Sample(Served):
            leaks = "ignore"

            async def test(self) -> None:
                self.pending = self.http_client.fetch(self.get_url("/wait"))
                self.assertEqual((await self.async_fetch("/")).code, 200)

        tests = {f"test_{number}": Sample.test for number in range(12)}
        result = run_class(type("Sample", (Sample,), {"test": None, **tests}))
        self.assertEqual(result.verdicts, ["addSuccess"] * 12, result.report)

    def test_a_client_that_a_test_has_closed_is_renewed(self) -> None:
        class Sample(Served):
            def test_1(self) -> None:
                self.http_client.close()

            def test_2(self) -> None:
                self.assertEqual(self.fetch("/").code, 200)
                AsyncHTTPClient().close()  # the one that all code on the loop shares

            def test_3(self) -> None:
                self.assertEqual(self.fetch("/").code, 200)
                self.http_client = AsyncHTTPClient(force_instance=True)
                self.http_client.close()

            def test_4(self) -> None:
                self.assertEqual(self.fetch("/").code, 200)

        result = run_class(Sample)
        self.assertEqual(result.verdicts, ["addSuccess"] * 4, result.report)

    def test_get_app_that_fails_is_asked_again(self) -> None:
        class Sample(Served):
            attempts: ClassVar[list[int]] = []

            def get_app(self) -> web.Application:
                self.attempts.append(1)
                if len(self.attempts) == 1:
                    raise ValueError("planted")
                return super().get_app()

            def test_1(self) -> None:
                self.assertEqual(self.fetch("/").code, 200)

            test_2 = test_1

        self.assertEqual(run_class(Sample).verdicts, ["addError", "addSuccess"])


class BadInputTest(unittest.TestCase):
    def test_a_scope_that_is_none(self) -> None:
        class Sample(AsyncTestCase):
            loop_scope = "module"

            def test(self) -> None: ...

        with self.assertRaisesRegex(ValueError, "loop_scope of .*Sample cannot be 'module'. Set it to 'test'"):
            Sample.setUpClass()
        result = RecordingResult()
        Sample("test").run(result)
        self.assertIn("cannot be 'module'", result.report)

    def test_a_set_up_that_does_not_call_its_base(self) -> None:
        class Sample(AsyncTestCase):
            loop_scope = "class"

            @classmethod
            def setUpClass(cls) -> None: ...

            def test(self) -> None: ...

        report = run_class(Sample).report
        self.assertRegex(report, r"Sample has no event loop: AsyncTestCase.setUpClass.*Call super\(\).setUpClass")

    def test_hooks_that_nobody_calls(self) -> None:
        class Sample(AsyncTestCase):
            @classmethod
            async def asyncSetUpClass(cls) -> None: ...

        with self.assertRaisesRegex(
            TypeError, r"Sample has asyncSetUpClass\(\), and no loop.*Set loop_scope = 'class'"
        ):
            Sample.setUpClass()

    def test_a_hook_that_is_no_class_method(self) -> None:
        class Sample(Shared):
            async def asyncTearDownClass(self) -> None: ...  # type: ignore[override]

        with self.assertRaisesRegex(TypeError, r"Sample.asyncTearDownClass\(\) is a method of.*Write @classmethod"):
            Sample.setUpClass()

    def test_a_method_of_that_name_that_is_no_hook(self) -> None:
        class Sample(AsyncTestCase):
            def asyncSetUpClass(self) -> None:  # type: ignore[override]
                pass

        Sample.setUpClass()

    def test_get_new_ioloop_is_for_the_other_scope(self) -> None:
        class Sample(Shared):
            def get_new_ioloop(self) -> IOLoop:
                return IOLoop.current()

        with self.assertRaisesRegex(TypeError, r"overrides get_new_ioloop\(\).*Set loop_factory instead"):
            Sample.setUpClass()

    def test_a_factory_makes_the_loop_of_the_class(self) -> None:
        class Loop(asyncio.SelectorEventLoop):
            pass

        class Sample(Shared):
            loop_factory = Loop

            def test(self) -> None:
                self.assertIsInstance(self.io_loop.asyncio_loop, Loop)  # type: ignore[attr-defined]

        self.assertEqual(run_class(Sample).verdicts, ["addSuccess"])
