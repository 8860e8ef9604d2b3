"""Measures the cells of the comparison: runs its scenarios in tests of other libraries.

``python -m tests.conformance.peers [--record]``. pip installs the libraries into environments of their own, in a
temporary folder, or in the folder that the environment variable ``PEERS_ENV`` names, which is kept. Each scenario runs
in a process. ``--record`` writes the tables that ``docs/comparison.rst`` shows, with versions and the date. Some of the
libraries need Python 3.12.
"""

import csv
import datetime
import os
import platform
import re
import subprocess
import sys
import textwrap
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support import ROOT, clean_environment

RECORDED = ROOT / "docs" / "examples" / "measured"

#: A test that has not ended after so many seconds goes on for ever; a search is no test.
PATIENCE = 40
PATIENCE_WITH_SEARCHES = 600

#: The environments, and the packages in each: plugins for pytest are apart if they want the same tests.
ENVIRONMENTS = {
    "asyncio": ["pytest", "tornado", "anyio", "pytest-asyncio", "looptime", "async-solipsism", "aiotools"],
    "simulations": ["pytest", "tornado", "simloop", "simloom"],
    "servers": ["pytest", "tornado", "aiohttp", "starlette", "httpx2"],
    "pytest-tornado": ["pytest", "tornado", "pytest-tornado", "setuptools<81"],
    "pytest-tornasync": ["pytest", "tornado", "pytest-tornasync"],
    "pytest-jupyter": ["pytest", "tornado", "pytest-jupyter"],
    "trial": ["twisted", "tornado"],
}


class Peer(NamedTuple):
    """A library, and a test of it that runs a scenario."""

    package: str
    """The package with the version to show; empty for Python."""
    environment: str
    text: str
    """The module. ``scenario`` is a function for it, {limit} a time limit in seconds."""
    command: tuple[str, ...] = ("-m", "unittest", "-v", "test_it")
    conftest: str = ""


PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asynctest_tornado", "test_it.py")
OURS = "asynctest_tornado"
#: The name in the tables.
LABEL = "ours"
TORNADO = """
from tornado.testing import AsyncTestCase, gen_test

class Case(AsyncTestCase):
    @gen_test(timeout={limit})
    async def test(self):
        await scenario()
"""
ISOLATED = """
from unittest import IsolatedAsyncioTestCase

class Case(IsolatedAsyncioTestCase):
    async def test(self):
        await scenario()
"""
PYTEST_ASYNCIO = """
import pytest

@pytest.mark.asyncio
async def test():
    await scenario()
"""
ANYIO = """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test():
    await scenario()
"""
PYTEST_TORNADO = """
import pytest

@pytest.mark.gen_test(timeout={limit})
def test(io_loop):
    yield scenario()
"""
PYTEST_TORNASYNC = """
import pytest

@pytest.mark.timeout(seconds={limit})
async def test(io_loop):
    await scenario()
"""
PYTEST_JUPYTER = """
pytest_plugins = ["pytest_jupyter"]

async def test():
    await scenario()
"""
AIOHTTP = """
from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase

class Case(AioHTTPTestCase):
    async def get_application(self):
        return web.Application()

    async def test(self):
        await scenario()
"""
STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

async def page(request):
    await scenario()
    return Response()

def test():
    with TestClient(Starlette(routes=[Route("/", page)])) as client:
        client.get("/")
"""
TRIAL = """
import asyncio
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

class Case(TestCase):
    timeout = {limit}

    def test_it(self):
        return Deferred.fromFuture(asyncio.ensure_future(scenario()))
"""
LOOPTIME = PYTEST_ASYNCIO.replace("@pytest.mark.asyncio", "@pytest.mark.asyncio\n@pytest.mark.looptime")
SOLIPSISM = """
import async_solipsism

def pytest_asyncio_loop_factories(config, item):
    return {"async_solipsism": async_solipsism.EventLoop}
"""
AIOTOOLS = """
from aiotools import VirtualClock
from unittest import IsolatedAsyncioTestCase

class Case(IsolatedAsyncioTestCase):
    async def test(self):
        with VirtualClock().patch_loop():
            await scenario()
"""
SIMLOOP = """
from simloop import sim_test

@sim_test(seeds=1)
async def test():
    await scenario()
"""
SIMLOOM = """
import simloom

@simloom.test(runs=1)
async def test():
    await scenario()
"""
OUR_CASE = """
from asynctest_tornado import AsyncTestCase

class Case(AsyncTestCase):
    async_test_timeout = {limit}

    async def test(self):
        await scenario()
"""
OUR_CLOCK = OUR_CASE.replace("import", "import VirtualClock,").replace(
    "async_test_timeout", "clock_factory = VirtualClock\n    async_test_timeout"
)

# Tests of an application, whose one handler runs the scenario.
TORNADO_HTTP = """
limit = {limit}  # by ASYNC_TEST_TIMEOUT
from tornado.web import Application, RequestHandler
from tornado.testing import AsyncHTTPTestCase

class Page(RequestHandler):
    async def get(self):
        await scenario()

class Case(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/", Page)])

    def test(self):
        self.fetch("/")
"""
PYTEST_TORNADO_HTTP = """
limit = {limit}  # by ASYNC_TEST_TIMEOUT
import pytest
from tornado.web import Application, RequestHandler

class Page(RequestHandler):
    async def get(self):
        await scenario()

@pytest.fixture
def app():
    return Application([("/", Page)])

@pytest.mark.gen_test(timeout={limit})
def test(http_client, base_url):
    yield http_client.fetch(base_url, raise_error=False)
"""
PYTEST_TORNASYNC_HTTP = (
    PYTEST_TORNADO_HTTP.split("@pytest.mark.gen_test")[0]
    + """
@pytest.mark.timeout(seconds={limit})
async def test(http_server_client):
    await http_server_client.fetch("/", raise_error=False)
"""
)
AIOHTTP_HTTP = """
from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase

async def page(request):
    await scenario()
    return web.Response()

class Case(AioHTTPTestCase):
    async def get_application(self):
        application = web.Application()
        application.router.add_get("/", page)
        return application

    async def test(self):
        await self.client.get("/")
"""
OUR_HTTP = TORNADO_HTTP.replace("tornado.testing", OURS)

ORDERS = 300
SIMLOOP_ORDERS = f"""
import simloop

found, seed = 0, 0
while report := simloop.explore(scenario, range(seed, {ORDERS})):
    found, seed = found + 1, report.seed + 1
print("found", found)
"""
SIMLOOM_ORDERS = f"""
import simloom

print("found", len(simloom.explore(scenario, runs={ORDERS}, stop_on_failure=False).failures))
"""
OUR_ORDERS = f"""
import os, unittest
from asynctest_tornado import AsyncTestCase

class Case(AsyncTestCase):
    async def test(self):
        await scenario()

found = 0
for seed in range({ORDERS}):
    os.environ["ASYNC_TEST_SEED"] = str(seed)
    result = unittest.TestResult()
    Case("test").run(result)
    found += not result.wasSuccessful()
print("found", found)
"""
PLAIN = ("test_it.py",)

STRICT = (*PYTEST, "-W", "error", "-o", "asyncio_default_fixture_loop_scope=function")

TESTS = {
    "tornado.testing": Peer("tornado", "asyncio", TORNADO),
    "unittest": Peer("", "asyncio", ISOLATED),
    "pytest-asyncio": Peer("pytest-asyncio", "asyncio", PYTEST_ASYNCIO, PYTEST),
    "pytest-asyncio, -W error": Peer("pytest-asyncio", "asyncio", PYTEST_ASYNCIO, STRICT),
    "anyio": Peer("anyio", "asyncio", ANYIO, PYTEST),
    "pytest-tornado": Peer("pytest-tornado", "pytest-tornado", PYTEST_TORNADO, PYTEST),
    "pytest-tornasync": Peer("pytest-tornasync", "pytest-tornasync", PYTEST_TORNASYNC, PYTEST),
    "pytest-jupyter": Peer("pytest-jupyter", "pytest-jupyter", PYTEST_JUPYTER, PYTEST),
    "aiohttp": Peer("aiohttp", "servers", AIOHTTP),
    "Starlette": Peer("starlette", "servers", STARLETTE, PYTEST),
    "async-solipsism": Peer("async-solipsism", "asyncio", PYTEST_ASYNCIO, PYTEST, SOLIPSISM),
    "simloop": Peer("simloop", "simulations", SIMLOOP, PYTEST),
    "simloom": Peer("simloom", "simulations", SIMLOOM, PYTEST),
    "trial": Peer("twisted", "trial", TRIAL, ("-m", "twisted.trial", "--reactor=asyncio", "test_it")),
    LABEL: Peer(OURS, "asyncio", OUR_CASE),
}
CLOCKS = {
    "looptime": Peer("looptime", "asyncio", LOOPTIME, PYTEST),
    "aiotools": Peer("aiotools", "asyncio", AIOTOOLS),
    **{name: TESTS[name] for name in ("async-solipsism", "simloop", "simloom")},
    LABEL: Peer(OURS, "asyncio", OUR_CLOCK),
}
SERVERS = {
    "tornado.testing": Peer("tornado", "asyncio", TORNADO_HTTP),
    "pytest-tornado": Peer("pytest-tornado", "pytest-tornado", PYTEST_TORNADO_HTTP, PYTEST),
    "pytest-tornasync": Peer("pytest-tornasync", "pytest-tornasync", PYTEST_TORNASYNC_HTTP, PYTEST),
    "aiohttp": Peer("aiohttp", "servers", AIOHTTP_HTTP),
    "Starlette": TESTS["Starlette"],
    LABEL: Peer(OURS, "asyncio", OUR_HTTP),
    f"{LABEL}, ``fail_on_server_error``": Peer(
        OURS, "asyncio", OUR_HTTP.replace("def get_app", "fail_on_server_error = True\n\n    def get_app")
    ),
}
SEARCHES = {
    "simloop": Peer("simloop", "simulations", SIMLOOP_ORDERS, PLAIN),
    "simloop, PCT": Peer(
        "simloop", "simulations", SIMLOOP_ORDERS.replace(f"{ORDERS})):", f'{ORDERS}), policy="pct"):'), PLAIN
    ),
    "simloom": Peer("simloom", "simulations", SIMLOOM_ORDERS, PLAIN),
    "simloom, PCT": Peer(
        "simloom", "simulations", SIMLOOM_ORDERS.replace("runs=", 'scheduler="pct:auto", runs='), PLAIN
    ),
    LABEL: Peer(OURS, "asyncio", OUR_ORDERS, PLAIN),
}
LEAKS = {
    **TESTS,
    f'{LABEL}, ``leaks = "fail"``': Peer(
        OURS, "asyncio", OUR_CASE.replace("async_test_timeout", 'leaks = "fail"\n    async_test_timeout')
    ),
}

#: The tables: their libraries, and for each column the scenario and the sign of its report.
ERROR = "ZeroDivisionError"
TABLES: dict[str, tuple[dict[str, Peer], dict[str, tuple[str, str]]]] = {
    "errors": (
        TESTS,
        {
            "IOLoop": ("callback_of_the_ioloop", ERROR),
            "asyncio": ("callback_of_asyncio", ERROR),
            "task, dropped": ("task_that_is_dropped", ERROR),
            "task, kept": ("task_that_is_kept", ERROR),
            "thread": ("thread", ERROR),
        },
    ),
    "waits": (
        TESTS,
        {
            "waits for ever": ("waits_for_ever", ""),
            "blocks the loop": ("blocks_for_longer_than_the_timeout", ""),
        },
    ),
    "leaks": (
        LEAKS,
        {
            "a coroutine": ("coroutine_never_awaited", "never awaited"),
            "a task": ("task_left_behind", "task_left_behind|[Pp]ending|Selectables|DelayedCalls"),
            "a server": ("server_left_open", "left these resources|unclosed|Selectables"),
        },
    ),
    "clocks": (
        CLOCKS,
        {
            "sleeps an hour": ("hour", ""),
            "PeriodicCallback": ("periodic_callback", r"\d+ calls"),
            "50 requests": ("fifty_requests", r"\d+ responses"),
        },
    ),
    "orders": (
        SEARCHES,
        {name.replace("_", " "): (name, r"found (\d+)") for name in ("check_then_act", "close_twice", "falls_behind")},
    ),
    "servers": (
        SERVERS,
        {
            "raises": ("fail_at_once", ERROR),
            "begins a task that raises": ("task_that_is_dropped", ERROR),
            "never ends": ("waits_for_ever", ""),
        },
    ),
}


class Done(NamedTuple):
    """How a test has ended."""

    status: int | None
    """None if it was killed."""
    output: str
    seconds: float


def run(peer: Peer, scenario: str, python: str, limit: float) -> Done:
    """Run a scenario in a test of a library."""
    head = f"from docs.examples.scenarios import {scenario} as scenario\n"
    with TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text(head + peer.text.replace("{limit}", f"{limit:g}"))
        Path(folder, "conftest.py").write_text(peer.conftest)
        env = clean_environment(
            ASYNC_TEST_TIMEOUT=str(limit), PYTHONPATH=os.pathsep.join([folder, str(ROOT)]), COLUMNS="200"
        )
        patience = PATIENCE if "test_it" in " ".join(peer.command[1:]) else PATIENCE_WITH_SEARCHES
        began = time.monotonic()
        try:
            done = subprocess.run(
                [python, *peer.command],
                cwd=folder,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            return Done(None, "", patience)
        return Done(done.returncode, done.stdout, time.monotonic() - began)


def cell(peer: Peer, scenario: str, sign: str, python: str) -> str:
    """Return a cell of a table: the outcome in a word or two.

    :param sign: the part of the output by which the error is recognized, or the number in it.
    """
    limit = 0.5 if scenario.startswith("blocks") else 10
    done = run(peer, scenario, python, limit)
    found = re.search(sign, done.output)
    if done.status is None:
        return "for ever"
    if sign.startswith("found"):
        return found[1] if found else "an error"
    if done.status != 0:
        if scenario == "waits_for_ever":
            return "at its limit" if "{limit}" in peer.text and done.seconds >= limit else "at once"
        if found is None:
            return "refused"
        return found[0] if sign[:1] == "\\" else "**fails**"
    if sign[:1] == "\\" or scenario == "hour":
        return "yes"
    if not sign or not found:
        return "passes"
    return "warns" if re.search("Warning", done.output) else "logs"


def prepare(folder: Path, name: str) -> str:
    """Install an environment; return its interpreter."""
    python = folder / name / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(folder / name, with_pip=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *ENVIRONMENTS[name]], check=True)
    return str(python)


def version(peer: Peer, python: str) -> str:
    if peer.package in ("", OURS):
        return ""
    code = f"import importlib.metadata; print(importlib.metadata.version({peer.package!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def measure(name: str, pythons: dict[str, str]) -> list[list[str]]:
    """Return the rows of a table."""
    peers, columns = TABLES[name]
    rows = []
    with ThreadPoolExecutor(2) as pool:
        for label, peer in peers.items():
            python = pythons[peer.environment]
            if name not in ("servers", "orders") and cell(peer, "fail_at_once", ERROR, python) != "**fails**":
                raise RuntimeError(f"The test of {label} does not run its scenario.")
            futures = [pool.submit(cell, peer, scenario, sign, python) for scenario, sign in columns.values()]
            rows.append([label, *(each.result() for each in futures)])
            print(name, *rows[-1], sep=" | ", flush=True)
    return [["", *columns], *rows]


def main(folder: Path) -> None:
    names = [name for name in TABLES if name in sys.argv] or list(TABLES)
    pythons = {name: prepare(folder, name) for name in ENVIRONMENTS}
    tables = {name: measure(name, pythons) for name in names}
    peers = {peer.package: peer for each, _ in TABLES.values() for peer in each.values()}
    peers["pytest"] = Peer("pytest", "asyncio", "")
    versions = {name: version(peer, pythons[peer.environment]) for name, peer in peers.items()}
    if "--record" in sys.argv:
        for name, rows in tables.items():
            with (RECORDED / f"{name}.csv").open("w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
        said = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
        date = datetime.date.today().isoformat()
        text = f"Measured on {date}, with Python {platform.python_version()}, {said}.\n"
        (RECORDED / "versions.txt").write_text(textwrap.fill(text, 100) + "\n")


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        main(Path(os.environ.get("PEERS_ENV", scratch)))
