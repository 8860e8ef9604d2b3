"""Other plugins of pytest keep their tests, in any order of loading; test cases keep their hooks."""

import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

from tests.pytest.test_plugin import verdicts
from tests.support import run_python

#: A plugin of another project that had these names first.
NEIGHBOUR = """
import pytest

def pytest_addoption(parser):
    parser.addoption("--async-test-timeout", type=float, default=None)

def pytest_pyfunc_call(pyfuncitem):
    pyfuncitem.user_properties.append(("seen", "by the neighbour"))
"""
NAMES = ("io_loop", "clock", "http_client", "http_server", "http_port", "ssl_options", "base_url", "https_client")
for _name in NAMES:
    NEIGHBOUR += f"\n@pytest.fixture\ndef {_name}():\n    return 'their {_name}'\n"

TESTS = """
import asyncio
import pytest
from asynctest_tornado import AsyncTestCase

def boom():
    raise ValueError("planted")

class Case(AsyncTestCase):
    async def test_leaks(self):
        self.io_loop.call_later(3600, boom)

    async def test_fails(self):
        self.io_loop.add_callback(boom)
        await asyncio.sleep(3600)

@pytest.fixture
def app():
    from tornado.web import Application, RequestHandler
    class Page(RequestHandler):
        def get(self):
            self.write("hello")
    return Application([("/", Page)])

async def test_ours(
    asynctest_tornado_http_client, asynctest_tornado_base_url, asynctest_tornado_io_loop, asynctest_tornado_http_server,
    asynctest_tornado_http_port
):
    assert asynctest_tornado_base_url.endswith(f":{asynctest_tornado_http_port}")
    assert asyncio.get_running_loop() is asynctest_tornado_io_loop.asyncio_loop
    assert (await asynctest_tornado_http_client.fetch(asynctest_tornado_base_url)).body == b"hello"

async def test_ours_by_https(asynctest_tornado_https_client, asynctest_tornado_base_url, asynctest_tornado_ssl_options):
    assert asynctest_tornado_base_url.startswith("https:")

@pytest.mark.asynctest_tornado(timeout=0.1)
async def test_ours_by_the_marker():
    await asyncio.sleep(3600)

@pytest.fixture
def asynctest_tornado_ssl_options():
    from asynctest_tornado._tls.bundled_certificate import server_options
    return server_options()
"""
for _name in NAMES:
    TESTS += f"\ndef test_{_name}({_name}):\n    assert {_name} == 'their {_name}'\n"

DISTRIBUTION = {
    "neighbour-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: neighbour\nVersion: 1.0\n",
    "neighbour-1.0.dist-info/entry_points.txt": "[pytest11]\nneighbour = neighbour\n",
}
#: A socket that is not closed fails the test.
STRICT = ("-W", "error::ResourceWarning", "-W", "error::pytest.PytestUnraisableExceptionWarning")
REGISTERED = "import neighbour\n\ndef pytest_configure(config):\n    config.pluginmanager.register(neighbour)\n"


class Project(unittest.TestCase):
    """Runs pytest in a project of its own."""

    #: Plugins that take a while to load.
    left_out: ClassVar = ["cacheprovider", "anyio", "asyncio", "hypothesispytest", "time_machine", "xdist"]

    def run_pytest(
        self, files: dict[str, str], *arguments: str, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        folder = self.enterContext(tempfile.TemporaryDirectory())
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        left_out = [option for name in self.left_out for option in ("-p", f"no:{name}")]
        options = ["-rA", *left_out, "--strict-markers", "--rootdir", folder, *arguments]
        return run_python("-m", "pytest", *options, cwd=folder, PYTHONPATH=folder, **environment)


class NeighbourTest(Project):
    maxDiff = None
    expected: ClassVar = {
        "Case::test_leaks": ["PASSED"],
        "Case::test_fails": ["FAILED"],
        "test_ours": ["PASSED"],
        "test_ours_by_https": ["PASSED"],
        "test_ours_by_the_marker": ["FAILED"],
        **{f"test_{name}": ["PASSED"] for name in NAMES},
    }

    def check(self, files: dict[str, str], *arguments: str, **environment: str) -> None:
        files = {"neighbour.py": NEIGHBOUR, "test_it.py": TESTS, **files}
        done = self.run_pytest(files, *arguments, **environment)
        self.assertEqual(verdicts(done), self.expected, done.stdout)
        self.assertIn("test_leaks left these resources open", done.stdout.partition("warnings summary")[2])
        self.assertIn("timed out after 0.1 seconds (the argument timeout of the marker asynctest_tornado)", done.stdout)

    def test_it_is_loaded_by_the_command_line(self) -> None:
        self.check({}, "-p", "neighbour")

    def test_it_is_loaded_by_the_command_line_after_us(self) -> None:
        self.check({}, "-p", "asynctest_tornado", "-p", "neighbour")

    def test_it_is_loaded_by_the_environment(self) -> None:
        self.check({}, PYTEST_PLUGINS="neighbour")

    def test_it_is_installed_and_comes_before_us(self) -> None:
        self.check(DISTRIBUTION)

    def test_it_is_installed_and_comes_after_us(self) -> None:
        self.check(DISTRIBUTION, "-p", "asynctest_tornado")

    def test_it_is_loaded_by_a_conftest(self) -> None:
        self.check({"conftest.py": "pytest_plugins = ['neighbour']\n"})

    def test_it_is_registered_by_a_conftest(self) -> None:
        self.check({"conftest.py": REGISTERED})

    def test_it_is_registered_when_the_session_has_begun(self) -> None:
        self.check({"conftest.py": REGISTERED.replace("configure(config)", "collection(session)").replace(
            "config.", "session.config."
        )})  # fmt: skip

    def test_a_conftest_has_the_fixtures_itself(self) -> None:
        self.check({"conftest.py": NEIGHBOUR})

    def test_its_timeout_is_ours_where_nothing_else_is_set(self) -> None:
        test = "import asyncio\n\nasync def test(asynctest_tornado_io_loop):\n    await asyncio.sleep(3600)\n"
        files = {"neighbour.py": NEIGHBOUR, "test_it.py": test}
        arguments = ["-p", "neighbour", "--async-test-timeout", "0.2"]
        done = self.run_pytest(files, *arguments)
        self.assertIn("timed out after 0.2 seconds (the option --async-test-timeout)", done.stdout)
        done = self.run_pytest(files, *arguments, "--asynctest-tornado-timeout=0.1")
        self.assertIn("timed out after 0.1 seconds (the option --asynctest-tornado-timeout)", done.stdout)
        done = self.run_pytest(files, "--async-test-timeout", "0.3")  # no plugin has it
        self.assertIn("timed out after 0.3 seconds (the option --async-test-timeout)", done.stdout)
        done = self.run_pytest(files, "--async-test-timeout=soon")
        self.assertIn("argument --async-test-timeout: invalid float value: 'soon'", done.stderr)

    def test_a_timeout_of_another_kind_is_left_alone(self) -> None:
        plugin = "def pytest_addoption(parser):\n    parser.addoption('--async-test-timeout', default='5 minutes')\n"
        test = "async def test(asynctest_tornado_io_loop):\n    pass\n"
        done = self.run_pytest({"neighbour.py": plugin, "test_it.py": test}, "-p", "neighbour")
        self.assertEqual(verdicts(done), {"test": ["PASSED"]})

    def test_it_may_extend_our_fixtures(self) -> None:
        plugin = (
            "import pytest\n\n@pytest.fixture\ndef io_loop(io_loop):\n    io_loop.mark = 'theirs'\n    return io_loop\n"
        )
        test = (
            "import asyncio\n\nasync def test(io_loop):\n    assert io_loop.mark == 'theirs'\n"
            "    assert io_loop.asyncio_loop is asyncio.get_running_loop()\n"
        )
        for files, arguments in (
            ({"neighbour.py": plugin}, ["-p", "neighbour"]),
            ({"conftest.py": plugin}, []),
        ):
            done = self.run_pytest({**files, "test_it.py": test}, *arguments)
            self.assertEqual(verdicts(done), {"test": ["PASSED"]})


class WantedTest(Project):
    """With the setting ``asynctest_tornado_fixtures``, the short names are ours."""

    files: ClassVar = {
        "neighbour.py": NEIGHBOUR,
        "test_it.py": "import asyncio\n\nasync def test(io_loop, clock):\n"
        "    assert io_loop.asyncio_loop is asyncio.get_running_loop()\n    assert clock == 'their clock'\n",
    }

    def test_those_that_are_named_are_ours(self) -> None:
        for arguments in ["-p", "neighbour"], ["-p", "asynctest_tornado", "-p", "neighbour"]:
            done = self.run_pytest(self.files, *arguments, "-o", "asynctest_tornado_fixtures=io_loop http_client")
            self.assertEqual(verdicts(done), {"test": ["PASSED"]}, done.stdout)

    def test_all_are_ours(self) -> None:
        done = self.run_pytest(self.files, "-p", "neighbour", "-o", "asynctest_tornado_fixtures=all")
        self.assertIn("This test runs in real time, without a clock", done.stdout)

    def test_a_conftest_still_overrides_them(self) -> None:
        override = "import pytest\n\n@pytest.fixture\ndef clock(clock):\n    return 'their clock'\n"
        arguments = ["-p", "neighbour", "-o", "asynctest_tornado_clock=virtual", "-o", "asynctest_tornado_fixtures=all"]
        done = self.run_pytest({**self.files, "conftest.py": override}, *arguments)
        self.assertEqual(verdicts(done), {"test": ["PASSED"]}, done.stdout)

    def test_a_name_that_there_is_not_is_an_error(self) -> None:
        done = self.run_pytest(self.files, "-o", "asynctest_tornado_fixtures=loop")
        self.assertIn(
            "asynctest_tornado_fixtures cannot name 'loop'. It takes 'all', or some of base_url,", done.stderr
        )


#: The plugin that has the marker, too: a test that has it is run on the loop of its own fixture.
TORNADO = """
import inspect
import pytest
from tornado.ioloop import IOLoop

@pytest.fixture
def io_loop():
    loop = IOLoop(make_current=False)
    yield loop
    loop.close()

def pytest_configure(config):
    config.addinivalue_line("markers", "gen_test: theirs")

def pytest_runtest_setup(item):
    if "gen_test" in item.keywords and "io_loop" not in item.fixturenames:
        item.fixturenames.append("io_loop")

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if pyfuncitem.get_closest_marker("gen_test"):
        names = inspect.signature(pyfuncitem.obj).parameters
        call = lambda: pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
        pyfuncitem.funcargs["io_loop"].run_sync(call)
        return True
"""


class MarkerTest(Project):
    """Where pytest-tornado is, the marker ``gen_test`` is its own."""

    def test_its_tests_are_its_own(self) -> None:
        test = """
import asyncio
import pytest
from asynctest_tornado import AsyncTestCase

def is_ours():
    return hasattr(asyncio.get_running_loop(), "_asynctest")

@pytest.mark.gen_test(timeout=3, run_sync=True, whatever=4)
async def test_theirs(io_loop):
    assert io_loop.asyncio_loop is asyncio.get_running_loop()
    assert not is_ours()

@pytest.mark.gen_test
async def test_theirs_by_the_marker():
    assert not is_ours()

@pytest.mark.asynctest_tornado
async def test_ours():
    assert is_ours()

@pytest.mark.gen_test
async def test_of_both(asynctest_tornado_io_loop):
    pass

class Case(AsyncTestCase):
    def test_leaks(self):
        self.io_loop.call_later(3600, print)
"""
        files = {"pytest_tornado/__init__.py": "", "pytest_tornado/plugin.py": TORNADO, "test_it.py": test}
        expected = {
            "test_theirs": ["PASSED"],
            "test_theirs_by_the_marker": ["PASSED"],
            "test_ours": ["PASSED"],
            "test_of_both": ["ERROR"],
            "Case::test_leaks": ["PASSED"],
        }
        for conftest, arguments in (
            ("", ["-p", "pytest_tornado.plugin"]),
            ("pytest_plugins = 'pytest_tornado.plugin'", []),
        ):
            done = self.run_pytest({**files, "conftest.py": conftest}, *arguments)
            self.assertEqual(verdicts(done), expected, done.stdout)
            self.assertIn("by a fixture or its marker, and pytest-tornado runs it", done.stdout)
            self.assertIn("test_leaks left these resources open", done.stdout)


class PortsTest(Project):
    """As in pytest-tornado, ports and URL by themselves start nothing, so that an application may know them."""

    left_out: ClassVar = ["cacheprovider"]

    def test_they_need_no_application_and_no_loop(self) -> None:
        test = """
import asyncio
import pytest
import unittest

def test_port(http_port, https_port, base_url):
    assert http_port != https_port
    assert base_url == f"https://127.0.0.1:{https_port}"

def test_url(base_url, http_port):
    assert base_url == f"http://127.0.0.1:{http_port}"

async def test_coroutine(base_url):
    assert hasattr(asyncio.get_running_loop(), "_asynctest")

@pytest.mark.usefixtures("http_port")
class Case(unittest.TestCase):
    def test(self):
        pass

# The last one: an older pytest-asyncio leaves an open loop, whose warning comes with the next loop that is set.
@pytest.mark.asyncio
async def test_of_another_plugin(http_port, base_url):
    assert not hasattr(asyncio.get_running_loop(), "_asynctest")
"""
        done = self.run_pytest({"test_it.py": test}, *STRICT)
        self.assertEqual(set(map(tuple, verdicts(done).values())), {("PASSED",)}, done.stdout)
        self.assertEqual(len(verdicts(done)), 5)

    def test_an_application_may_ask_for_them(self) -> None:
        test = """
import pytest
from tornado.web import Application, RequestHandler

class Page(RequestHandler):
    def get(self):
        self.write(self.settings["url"])

@pytest.fixture
def app(base_url, http_port):
    assert base_url.endswith(f":{http_port}")
    return Application([("/", Page)], url=base_url)

async def test(http_client, base_url):
    assert (await http_client.fetch(base_url)).body.decode() == base_url

async def test_later(base_url, http_client, http_server):
    assert (await http_client.fetch(base_url)).body.decode() == base_url
"""
        done = self.run_pytest({"test_it.py": test}, *STRICT)
        self.assertEqual(verdicts(done), {"test": ["PASSED"], "test_later": ["PASSED"]}, done.stdout)


class OverriddenLoopTest(Project):
    """As in pytest-tornado, a test and its server are on the loop of the fixture ``io_loop``, the user's as well."""

    test = """
import asyncio
import pytest
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

class Page(RequestHandler):
    def get(self):
        self.write("hello")

@pytest.fixture
def app():
    return Application([("/", Page)])

@pytest.mark.gen_test
async def test_loop(io_loop):
    assert io_loop.mark == "theirs"
    assert asyncio.get_running_loop() is io_loop.asyncio_loop

@pytest.mark.gen_test
async def test_marker():
    assert IOLoop.current().mark == "theirs"

async def test_server(http_client, base_url):
    assert IOLoop.current().mark == "theirs"
    assert (await http_client.fetch(base_url)).body == b"hello"

@pytest.mark.gen_test(timeout=0.1)
async def test_timeout():
    await asyncio.sleep(3600)

@pytest.mark.gen_test
async def test_callback(io_loop):
    io_loop.add_callback(lambda: 1 / 0)
    await asyncio.sleep(3600)

@pytest.mark.asynctest_tornado
async def test_ours():
    assert not hasattr(IOLoop.current(), "mark")
"""
    expected: ClassVar = {
        "test_loop": ["PASSED"],
        "test_marker": ["PASSED"],
        "test_server": ["PASSED"],
        "test_timeout": ["FAILED"],
        "test_callback": ["FAILED"],
        "test_ours": ["PASSED"],
    }

    def check(self, fixtures: str) -> None:
        done = self.run_pytest({"conftest.py": fixtures, "test_it.py": self.test})
        self.assertEqual(verdicts(done), self.expected, done.stdout)
        self.assertIn("timed out after 0.1 seconds", done.stdout)
        self.assertIn("ZeroDivisionError", done.stdout)

    def test_one_that_makes_a_loop(self) -> None:
        self.check("""
import asyncio
import pytest
from tornado.ioloop import IOLoop

@pytest.fixture
def io_loop():
    loop = IOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)
    loop.mark = "theirs"
    yield loop
    asyncio.set_event_loop(None)
    loop.close()
""")

    def test_one_that_makes_a_loop_for_the_module_with_a_task_that_goes_on(self) -> None:
        self.check("""
import asyncio
import pytest
from tornado.ioloop import IOLoop

async def work():
    while True:
        await asyncio.sleep(0.001)

@pytest.fixture(scope="module")
def io_loop():
    loop = IOLoop(make_current=False)
    loop.mark = "theirs"
    task = loop.asyncio_loop.create_task(work())
    yield loop
    assert not task.done()
    task.cancel()
    loop.run_sync(lambda: asyncio.wait([task]))
    loop.close()
""")

    def test_one_that_extends_ours(self) -> None:
        extend = "def io_loop(io_loop):\n    io_loop.mark = 'theirs'\n    return io_loop\n"
        self.check(f"import pytest\n\n@pytest.fixture\n{extend}")
