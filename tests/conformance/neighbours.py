"""Runs the suites of other plugins for pytest, with this library installed and without it, and compares verdicts.

``python -m tests.conformance.neighbours [NAME ...]``. pip installs each source distribution and its requirements into
an environment of its own, in a temporary folder. The exit status is 1 if a verdict differs.
"""

import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.conformance.public_suites import Suite, verdicts
from tests.support import ROOT


class Neighbour(NamedTuple):
    """A plugin, or a project whose tests use one."""

    version: str
    requirements: list[str] = []  # noqa: RUF012  # never changed
    """More requirements, of its tests."""
    tests: str = "tests"
    """The folder in its source distribution."""
    missing: dict[str, str] = {}  # noqa: RUF012
    """The files that its tests need, and that are not in its source distribution, with their text."""


_SUITE = """
import pytest
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler


class Page(RequestHandler):
    def get(self):
        self.write("hello")


@pytest.fixture
def app(http_port):
    assert isinstance(http_port, int)
    return Application([("/", Page)])


@pytest.mark.gen_test
def test_generator(http_client, base_url):
    response = yield http_client.fetch(base_url)
    assert response.body == b"hello"
    assert base_url.startswith("http://localhost:")


@pytest.mark.gen_test(run_sync=False)
async def test_coroutine(http_client, http_port):
    response = await http_client.fetch(f"http://localhost:{http_port}")
    assert response.code == 200


def test_function(io_loop, request):
    assert IOLoop.current() is io_loop
    assert request.config.getoption("async_test_timeout") == 5


def test_alone(base_url, https_port, http_port):
    assert base_url == f"https://localhost:{https_port}"
    assert http_port == https_port


@pytest.mark.gen_test(timeout=0.1)
async def test_timeout(io_loop):
    import asyncio

    await asyncio.sleep(3600)


@pytest.mark.gen_test
async def test_callback(io_loop):
    import asyncio

    io_loop.add_callback(lambda: 1 / 0)
    await asyncio.sleep(0.01)
"""

NEIGHBOURS = {
    # Its source distribution has no tests.
    "pytest-tornado": Neighbour("0.8.1", ["setuptools<81"], missing={"tests/test_fixtures.py": _SUITE}),
    "pytest-tornasync": Neighbour(
        "0.6.0.post2", tests="test", missing={"test/__init__.py": "MESSAGE = 'hello'\nPAUSE_TIME = 0.05\n"}
    ),
    "pytest-jupyter": Neighbour("0.11.0", ["pytest-jupyter[client,server]", "pytest-timeout"]),
    "pytest-aiohttp": Neighbour("1.1.1"),
    "pytest-asyncio": Neighbour("1.5.0", ["hypothesis"]),
    "anyio": Neighbour(
        "4.16.0", ["anyio[trio]", "blockbuster", "hypothesis", "psutil", "pytest-mock", "pytest-timeout", "trustme"]
    ),
    "pytest-base-url": Neighbour("2.1.0", ["pytest-localserver"]),
    "pytest-httpserver": Neighbour("1.2.0", ["requests"]),
    "jupyter_server": Neighbour("2.21.1", ["jupyter_server[test]"]),
    "jupyterlab_server": Neighbour("2.28.1", ["jupyterlab_server[test]"]),
}


def prepare(name: str, neighbour: Neighbour, folder: Path) -> str:
    """Install a plugin, and lay out its tests apart from the package. Return the interpreter that has it."""
    venv.create(folder / "env", with_pip=True)
    python = str(folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wanted = f"{name}=={neighbour.version}"
    subprocess.run([*pip, "install", wanted, "pytest", "tornado", *neighbour.requirements], check=True)
    subprocess.run([*pip, "download", "--no-deps", f"--no-binary={name}", "-d", str(folder), wanted], check=True)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        for member in archive.getmembers():
            path = Path(*Path(member.name).parts[1:])
            if path.parts[:1] == (neighbour.tests,) or (
                len(path.parts) == 1 and path.suffix in (".toml", ".cfg", ".ini")
            ):
                member.name = str(Path("suite", path))
                archive.extract(member, folder, filter="data")
    for file, text in neighbour.missing.items():
        path = folder / "suite" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return python


def compare(name: str, neighbour: Neighbour) -> tuple[int, list[str]]:
    """Return the number of tests, and a line for each whose verdict differs."""
    print(f"{name} {neighbour.version}")
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        python = prepare(name, neighbour, folder)
        suite = Suite(neighbour.version, [], [neighbour.tests])
        # Some tests run the programs that are installed beside the interpreter.
        os.environ["PATH"] = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])
        before = verdicts([python, "-m", "pytest"], suite, folder)
        install = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-e", str(ROOT)]
        subprocess.run(install, check=True)
        after = verdicts([python, "-m", "pytest"], suite, folder)
    tests = sorted(before.keys() | after.keys())
    differing = [test for test in tests if before.get(test) != after.get(test)]
    return len(tests), [f"{test}: {before.get(test)}, with this library {after.get(test)}" for test in differing]


def main(names: list[str]) -> bool:
    """Print a table; return whether all verdicts are equal."""
    found = {name: compare(name, NEIGHBOURS[name]) for name in names}
    print(f"\n{'':20} {'tests':>6}")
    for name, (number, differing) in found.items():
        print(f"{name:20} {number:6} {'equal' if not differing else ''}", *differing, sep="\n    ")
    return not any(differing for _, differing in found.values())


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:] or list(NEIGHBOURS)) else 1)
