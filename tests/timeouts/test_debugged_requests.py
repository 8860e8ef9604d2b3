import asyncio
import time
import unittest
import unittest.mock
from typing import Any

from tornado import web

from asynctest_tornado import AsyncHTTPTestCase
from asynctest_tornado._timeouts import debugged_requests
from asynctest_tornado._util import debuggers
from tests.support import run_body


class AtBreakpoint(web.RequestHandler):
    async def get(self) -> None:
        time.sleep(0.05)  # for example, pdb waits for a command
        await asyncio.sleep(0)
        self.write("done")


class Silent(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.get_running_loop().create_future()


class Served(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/", AtBreakpoint), ("/silent", Silent)])


async def fetch(case: Any) -> None:
    response = await case.fetch("/", request_timeout=0.01)
    case.assertEqual(response.body, b"done")


async def fetch_nothing(case: Any) -> None:
    with case.assertRaisesRegex(Exception, "Timeout during request"):
        await case.fetch("/silent", request_timeout=0.01)


class DebuggedRequestTest(unittest.TestCase):
    def setUp(self) -> None:
        self.attached = self.enterContext(unittest.mock.patch.object(debuggers, "are_attached", return_value=True))

    def late(self, seconds: float) -> Any:
        return unittest.mock.patch.object(debugged_requests, "LATE_SECONDS", seconds)

    def test_a_request_goes_on_after_a_stop(self) -> None:
        with self.late(0):
            result = run_body(Served, fetch)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)

    def test_without_a_debugger_it_ends(self) -> None:
        self.attached.return_value = False
        with self.late(0):
            self.assertIn("HTTPTimeoutError: Timeout during request", run_body(Served, fetch).report)

    def test_without_a_stop_it_ends(self) -> None:
        result = run_body(Served, fetch_nothing)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


if __name__ == "__main__":
    unittest.main()
