"""Prints the whole run of a test under several seeds: the order of calls, the chunks of bodies, and their times."""

import asyncio
import functools
import sys
import unittest
import zlib
from unittest import mock

from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock, VirtualNetwork
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import runs
from asynctest_tornado._search.reports import Report
from tests.network.hosts import BREAKS_OFF

SIZE = 3_000_000
SEEDS = 3
FAULTS = {"refuse": 0.1, "cut": 0.3, "reset": 0.2, "latency": 0.3}


def log(*words: object) -> None:
    """Print words, and the virtual time."""
    print(f"{asyncio.get_running_loop().time():.6f}", *words)


class Body(RequestHandler):
    """Sends a body in two parts, and waits in between."""

    async def get(self) -> None:
        name = self.get_argument("name")
        log("request", name)
        self.write(b"x" * SIZE)
        await self.flush()
        log("flushed", name)
        await asyncio.sleep(0.25)
        self.write(b"y")


class Upload(RequestHandler):
    def post(self) -> None:
        log("upload", len(self.request.body))


class SeededTest(AsyncHTTPTestCase):
    """Downloads and an upload at the same time, from the test's own server and from a host with random faults."""

    clock_factory = VirtualClock
    network_factory = functools.partial(VirtualNetwork, faults=FAULTS)
    schedules = SEEDS

    def get_app(self) -> Application:
        return Application([("/body", Body), ("/upload", Upload)], log_function=lambda handler: None)

    async def test(self) -> None:
        files = self.network.serve("https://files.example", self.get_app())
        files.latency = 0.05, 0.2

        async def download(name: str, url: str) -> None:
            seen = functools.partial(self.log_chunk, name)
            try:
                response = await self.http_client.fetch(url, streaming_callback=seen)
            except BREAKS_OFF as error:
                log(name, "failed:", error)
            else:
                log("response", name, response.code)

        log("begin")
        own = [download(name, self.get_url(f"/body?name={name}")) for name in "ab"]
        others = [download(name, f"{files.url}/body?name={name}") for name in "cdef"]
        upload = self.http_client.fetch(self.get_url("/upload"), method="POST", body=b"z" * SIZE)
        await asyncio.gather(upload, *own, *others)

    @staticmethod
    def log_chunk(name: str, chunk: bytes) -> None:
        log(name, len(chunk), zlib.crc32(chunk))


class PrintingRuns(runs.Runs):
    def run(self, schedule: Schedule, report: Report, **attributes: object) -> None:
        super().run(schedule, report, **attributes)
        print("seed", schedule.seed, "fingerprint", schedule.fingerprint)


if __name__ == "__main__":
    result = unittest.TestResult()
    with mock.patch.object(runs, "Runs", PrintingRuns):
        SeededTest("test").run(result)
    sys.exit("\n".join(report for _, report in result.errors + result.failures) or None)
