import asyncio
import contextlib
import unittest
from collections.abc import AsyncIterator
from typing import Any

from tornado import ioloop, web

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase
from tests.limits import run_past_limit
from tests.support import run_body


class AlikeTest(unittest.TestCase):
    def test_tasks_at_one_line_are_shown_once(self) -> None:
        async def wait() -> None:
            await asyncio.Event().wait()

        async def gather() -> None:
            await asyncio.gather(*[wait() for _ in range(13)], asyncio.sleep(3600))

        async def group() -> None:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(13):
                    tasks.create_task(wait())
                tasks.create_task(asyncio.sleep(3600))

        for func in gather, group:
            report = _pending(func)
            self.assertEqual(report.count("await asyncio.Event().wait()"), 1, report)
            self.assertIn("... and 12 more like this\n", report)
            self.assertIn("sleep() of asyncio.tasks", report)

    def test_many_others_are_counted(self) -> None:
        async def gather() -> None:
            # Each line is another one.
            await asyncio.gather(*[_make_waiter(number)() for number in range(12)])

        report = _pending(gather)
        self.assertEqual(report.count("waits for wait_"), 10, report)
        self.assertIn("    ... and 2 more\n", report)


def _pending(func: Any) -> str:
    """Return the report of a coroutine that does not end, from its pending tasks on."""
    sample = type("Sample", (AsyncTestCase,), {"test": lambda case: case.run_sync(func, timeout=0.01)})
    report = run_past_limit(sample, 5).report  # not before the coroutines have begun
    return report[report.index("Pending tasks:") :]


def _make_waiter(number: int) -> Any:
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(f"async def wait_{number}():\n    await asyncio.Event().wait()", names)
    return names[f"wait_{number}"]


class UnshowableTest(unittest.TestCase):
    """Code of the user does not get in the way of the report."""

    def test_a_callback_that_is_not_complete_yet(self) -> None:
        async def wait() -> None:
            future = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda future: results.append(future))
            await future
            results: list[Any] = []

        report = run_body(AsyncTestCase, lambda case: case.run_sync(wait, timeout=0)).report
        self.assertIn("this is a deadlock", report)
        self.assertNotIn("cannot be shown", report)

    def test_an_object_that_cannot_be_shown(self) -> None:
        class Unshowable(asyncio.Future[None]):
            def __repr__(self) -> str:
                raise ZeroDivisionError

        async def wait() -> None:
            await Unshowable()

        report = run_body(AsyncTestCase, lambda case: case.run_sync(wait, timeout=0)).report
        self.assertIn("this is a deadlock", report)

    def test_an_argument_of_a_job_is_not_shown_before_it_must_be(self) -> None:
        class Unshowable:
            def __repr__(self) -> str:
                raise ZeroDivisionError

        async def work() -> None:
            await asyncio.to_thread(id, Unshowable())

        self.assertEqual(run_body(AsyncTestCase, lambda case: case.run_sync(work)).verdicts, ["addSuccess"])


class Begins(web.RequestHandler):
    """Begins work that goes on after the response."""

    def get(self) -> None:
        ioloop.IOLoop.current().spawn_callback(self.work)

    async def work(self) -> None:
        await asyncio.Event().wait()


class Server(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/", Begins)], log_function=lambda handler: None)


class TimersTest(unittest.TestCase):
    def test_a_periodic_callback_has_the_name_of_its_function(self) -> None:
        async def wait() -> None:
            periodic = ioloop.PeriodicCallback(print, 1_000_000)
            periodic.start()
            await asyncio.sleep(3600)

        self.assertRegex(_pending(wait), r"\n  PeriodicCallback print in \S+ s\n")


class LinesTest(unittest.TestCase):
    def test_lines_of_the_standard_library_are_left_out(self) -> None:
        @contextlib.asynccontextmanager
        async def turn() -> AsyncIterator[None]:
            await asyncio.Event().wait()
            yield

        async def wait() -> None:
            async with turn():
                pass

        report = run_body(AsyncTestCase, lambda case: case.run_sync(wait, timeout=0)).report
        self.assertRegex(report, r"in wait: async with turn\(\):\n +at .* in turn: await asyncio.Event\(\).wait\(\)\n")


class HandlerTest(unittest.TestCase):
    def test_a_method_that_runs_on_its_own_serves_no_request(self) -> None:
        async def body(case: Server) -> None:
            await case.fetch("/")
            await asyncio.Event().wait()

        report = run_body(Server, body).report
        self.assertIn("\n  Begins.work <", report)
        self.assertNotIn("which serves", report)
