import asyncio
import unittest
import unittest.mock
from typing import Any

from tornado import web
from tornado.simple_httpclient import HTTPTimeoutError

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock
from asynctest_tornado._util import debuggers
from tests.support import run_body


class AtBreakpoint(web.RequestHandler):
    async def get(self) -> None:
        self.settings["clock"]._now += 30  # pdb waits for a command, and the loop does not run
        await asyncio.sleep(0)
        self.write("done")


class Silent(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.get_running_loop().create_future()


class Served(AsyncHTTPTestCase):
    clock_factory = VirtualClock

    def get_app(self) -> web.Application:
        return web.Application([("/", AtBreakpoint), ("/silent", Silent)], clock=self.clock)


async def fetch(case: Any) -> None:
    """Fetch with the limit of Tornado's client, 20 seconds."""
    case.assertEqual((await case.fetch("/")).body, b"done")


class DebuggedRequestTest(unittest.TestCase):
    def setUp(self) -> None:
        self.attached = self.enterContext(unittest.mock.patch.object(debuggers, "are_attached", return_value=True))

    def test_a_request_goes_on_after_a_stop(self) -> None:
        result = run_body(Served, fetch)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_without_a_debugger_it_ends(self) -> None:
        self.attached.return_value = False
        self.assertIn("HTTPTimeoutError: Timeout during request", run_body(Served, fetch).report)

    def test_without_a_stop_it_ends_at_its_limit(self) -> None:
        async def body(case: Any) -> None:
            with case.assertRaises(HTTPTimeoutError):
                await case.fetch("/silent")
            case.assertEqual(case.clock.time(), 20)

        result = run_body(Served, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_it_goes_on_for_its_time(self) -> None:
        """The limit begins anew: a handler that goes on and does not answer does not keep the test."""

        class StopsAndIsSilent(AtBreakpoint):
            async def get(self) -> None:
                await super().get()
                await asyncio.get_running_loop().create_future()

        class Sample(Served):
            def get_app(self) -> web.Application:
                return web.Application([("/", StopsAndIsSilent)], clock=self.clock)

        async def body(case: Any) -> None:
            with case.assertRaises(HTTPTimeoutError):
                await case.fetch("/")
            case.assertEqual(case.clock.time(), 50)

        result = run_body(Sample, body)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


if __name__ == "__main__":
    unittest.main()
