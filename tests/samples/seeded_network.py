"""Prints the whole run of a test under several seeds: the order of calls, the chunks of bodies, and their times."""

import asyncio
import sys
import unittest
from typing import Any
from unittest import mock

from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, VirtualClock, VirtualNetwork
from asynctest_tornado._schedules import repeat

SIZE = 3_000_000
SEEDS = 3
_run_in_orders = repeat.run


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
    """Downloads and an upload at the same time."""

    clock_factory = VirtualClock
    network_factory = VirtualNetwork
    schedules = SEEDS

    def get_app(self) -> Application:
        return Application([("/body", Body), ("/upload", Upload)], log_function=lambda handler: None)

    async def test(self) -> None:
        names = "abc"

        async def download(name: str) -> None:
            url = self.get_url(f"/body?name={name}")
            response = await self.http_client.fetch(url, streaming_callback=lambda chunk: log(name, len(chunk)))
            log("response", name, response.code)

        log("begin")
        upload = self.http_client.fetch(self.get_url("/upload"), method="POST", body=b"z" * SIZE)
        await asyncio.gather(upload, *map(download, names))


def _run(case: Any, result: Any, seeds: range, run_once: Any) -> None:
    def run_and_print(seed: int, report: Any) -> Any:
        schedule = run_once(seed, report)
        print("seed", seed, "fingerprint", schedule.fingerprint)
        return schedule

    _run_in_orders(case, result, seeds, run_and_print)


if __name__ == "__main__":
    result = unittest.TestResult()
    with mock.patch.object(repeat, "run", _run):
        SeededTest("test").run(result)
    sys.exit("\n".join(report for _, report in result.errors + result.failures) or None)
