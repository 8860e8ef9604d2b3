"""Measure the costs of a test beside ``tornado.testing`` and the standard library, in CPU time; and their growth.

::

    python -m tests.benchmarks.overhead [TESTS_PER_ROUND] [ROUNDS]

The contenders take turns, so that a machine that slows down slows all of them. A figure is the median of the rounds; a
ratio is the median of the ratios in one round. The rest is measured in processes of its own.
"""

import asyncio
import importlib
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import time
import unittest
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import tornado.testing
from tornado import gen
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPSTestCase

OURS = "asynctest_tornado"
THEIRS = "tornado.testing"
#: Tornado's client and server, without a library for tests: no such library can cost less. A few percent of it are ours
#: all the same, because objects of Tornado's classes are recorded.
BARE = "a plain loop"

#: A dividend, a divisor, and the ratio that is the aim, if there is one.
RATIOS: list[tuple[str, str, float | None]] = [
    (f"{OURS}: gen_test, native", f"{THEIRS}: gen_test, native", 0.45),
    (f"{OURS}: gen_test, generator", f"{THEIRS}: gen_test, generator", 0.45),
    (f"{OURS}: gen_test, native", "fresh asyncio loop, one coroutine", 1.25),
    (f"{OURS}: gen_test, native", "IsolatedAsyncioTestCase", 0.1),
    (f"{OURS}: wait and stop", f"{THEIRS}: wait and stop", 0.8),
    (f"{OURS}: empty synchronous test", f"{THEIRS}: empty synchronous test", 0.8),
    (f"{OURS}: fetch over HTTP", f"{THEIRS}: fetch over HTTP", 0.5),
    (f"{OURS}: fetch over HTTPS", f"{THEIRS}: fetch over HTTPS", 0.06),
    (f"{BARE}: fetch over HTTP", f"{THEIRS}: fetch over HTTP", None),
    (f"{BARE}: fetch over HTTPS", f"{THEIRS}: fetch over HTTPS", None),
]


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class FreshLoop(unittest.TestCase):
    def test(self) -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self.coroutine())
        finally:
            loop.close()

    async def coroutine(self) -> None:
        pass


class Isolated(unittest.IsolatedAsyncioTestCase):
    async def test(self) -> None:
        pass


class AtOnce(Resolver):
    """Gives an address back: to look it up would start a thread."""

    async def resolve(self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[Any]:
        return [(socket.AF_INET, (host, port))]


class BareFetch(unittest.TestCase):
    scheme = "http"
    server_context: ssl.SSLContext | None = None
    client_context: ssl.SSLContext | None = None

    def test(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            self.assertEqual(loop.run_until_complete(self.fetch()), b"hello")
        finally:
            IOLoop.current().close(all_fds=True)
            asyncio.set_event_loop(None)

    async def fetch(self) -> bytes:
        sock, port = tornado.testing.bind_unused_port()
        app = Application([("/", Hello)], log_function=lambda handler: None)
        server = HTTPServer(app, ssl_options=self.server_context)
        server.add_socket(sock)
        client = SimpleAsyncHTTPClient(force_instance=True)
        client.tcp_client.resolver = AtOnce()
        try:
            url = f"{self.scheme}://127.0.0.1:{port}/"
            return (await client.fetch(url, ssl_options=self.client_context)).body
        finally:
            client.close()
            server.stop()


class BareFetchSecurely(BareFetch):
    scheme = "https"

    @classmethod
    def setUpClass(cls) -> None:
        if cls.server_context is None:
            options = AsyncHTTPSTestCase.default_ssl_options()
            cls.server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            cls.server_context.load_cert_chain(options["certfile"], options["keyfile"])
            cls.server_context.num_tickets = 0
            cls.client_context = ssl.create_default_context(cafile=AsyncHTTPSTestCase.ca_certs)


def contenders(library: Any) -> dict[str, type[unittest.TestCase]]:
    """Return a test of each kind, on a library with the names of ``tornado.testing``."""

    class Synchronous(library.AsyncTestCase):  # type: ignore[misc]
        def test(self) -> None:
            pass

    class Native(library.AsyncTestCase):  # type: ignore[misc]
        @library.gen_test  # type: ignore[untyped-decorator]
        async def test(self) -> None:
            pass

    class Generator(library.AsyncTestCase):  # type: ignore[misc]
        @library.gen_test  # type: ignore[untyped-decorator]
        def test(self) -> Iterator[Any]:
            yield gen.moment

    class WaitAndStop(library.AsyncTestCase):  # type: ignore[misc]
        def test(self) -> None:
            self.io_loop.add_callback(self.stop)
            self.wait()

    class Fetch(library.AsyncHTTPTestCase):  # type: ignore[misc]
        def get_app(self) -> Application:
            return Application([("/", Hello)], log_function=lambda handler: None)

        def test(self) -> None:
            self.assertEqual(self.fetch("/").body, b"hello")

    class FetchSecurely(library.AsyncHTTPSTestCase):  # type: ignore[misc]
        get_app = Fetch.get_app
        test = Fetch.test

    return {
        "empty synchronous test": Synchronous,
        "gen_test, native": Native,
        "gen_test, generator": Generator,
        "wait and stop": WaitAndStop,
        "fetch over HTTP": Fetch,
        "fetch over HTTPS": FetchSecurely,
    }


def cost(cls: type[unittest.TestCase], count: int) -> float:
    """Return the microseconds of CPU time that each of so many tests takes."""
    suite = unittest.TestSuite(cls("test") for _ in range(count))
    result = unittest.TestResult()
    began = time.process_time()
    suite.run(result)
    spent = time.process_time() - began
    assert result.testsRun == count, result.testsRun
    assert result.wasSuccessful(), result.errors + result.failures
    return spent / count * 1e6


def compare(count: int, rounds: int) -> None:
    """Print the costs of tests."""
    classes: dict[str, type[unittest.TestCase]] = {
        "fresh asyncio loop, one coroutine": FreshLoop,
        "IsolatedAsyncioTestCase": Isolated,
        f"{BARE}: fetch over HTTP": BareFetch,
        f"{BARE}: fetch over HTTPS": BareFetchSecurely,
    }
    for name in (THEIRS, OURS):
        library = importlib.import_module(name)
        classes |= {f"{name}: {kind}": cls for kind, cls in contenders(library).items()}
    counts = {name: max(10, count // 10) if "HTTP" in name else count for name in classes}
    costs: dict[str, list[float]] = {name: [] for name in classes}
    for round_number in range(rounds + 1):
        for name, cls in classes.items():
            spent = cost(cls, counts[name])
            if round_number:  # the first one is to warm up
                costs[name].append(spent)
    for name, values in costs.items():
        print(f"{name:45}{statistics.median(values):10.1f} us")
    print()
    for one, other, aim in RATIOS:
        ratio = statistics.median(a / b for a, b in zip(costs[one], costs[other], strict=True))
        print(f"{one} / {other}: {ratio:.2f}" + ("" if aim is None else f" (aim: {aim})"))


CALLBACKS = 100_000


def callbacks_on(loop: asyncio.AbstractEventLoop, stop: Callable[[], object], run: Callable[[], object]) -> float:
    """Return how many callbacks a second a loop makes, each of which schedules the next one."""
    left = CALLBACKS

    def callback() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(callback)
        else:
            stop()

    loop.call_soon(callback)
    began = time.process_time()
    run()
    return CALLBACKS / (time.process_time() - began)


def compare_callbacks(rounds: int) -> None:
    """Print how fast a loop is while a test uses it."""
    ratios: list[float] = []

    class Busy(importlib.import_module(OURS).AsyncTestCase):  # type: ignore[misc]
        async_test_timeout = 600

        def test(self) -> None:
            loop = asyncio.new_event_loop()
            plain = callbacks_on(loop, loop.stop, loop.run_forever)
            loop.close()
            asyncio.set_event_loop(self.io_loop.asyncio_loop)
            ratios.append(callbacks_on(self.io_loop.asyncio_loop, self.stop, self.wait) / plain)

    for _ in range(rounds):
        Busy("test").debug()
    print(f"callbacks a second in a test / on a plain loop: {statistics.median(ratios):.2f} (aim: 0.95 or more)")


def spent_by(*arguments: str) -> float:
    """Return the seconds of CPU time that Python takes for these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare_imports(rounds: int) -> None:
    """Print the costs of an import, beside the import of ``tornado.testing``."""
    statements = [f"import {OURS}", f"from {OURS} import AsyncTestCase, gen_test", f"from {OURS} import *"]
    ratios: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(rounds):
        theirs = spent_by("-c", f"import {THEIRS}")
        for statement in statements:
            ratios[statement].append(spent_by("-c", statement) / theirs)
    for statement, values in ratios.items():
        print(f"{statement} / import {THEIRS}: {statistics.median(values):.2f}")


GROWTH = """
import resource, time, unittest
from asynctest_tornado import AsyncTestCase, gen_test

class Case(AsyncTestCase):
    @gen_test
    async def test(self): pass

result = unittest.TestResult()
began = time.process_time()
for _ in range({count}):
    Case("test").run(result)
spent = (time.process_time() - began) / {count} * 1e6
assert result.testsRun == {count} and result.wasSuccessful(), result.errors
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{count:7} tests in one process: {{spent:.1f}} us for each, {{peak}} KiB at most")
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    warnings.simplefilter("ignore")
    print(f"Python {sys.version.split()[0]}, {count} tests a round, {rounds} rounds\n")
    compare(count, rounds)
    print()
    compare_callbacks(rounds)
    compare_imports(rounds)
    print(flush=True)
    for number in (100, 1_000, 10_000, 50_000):
        subprocess.run([sys.executable, "-c", GROWTH.format(count=number)], check=True)


if __name__ == "__main__":
    main()
