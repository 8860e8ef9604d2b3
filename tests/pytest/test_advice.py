"""Mistakes under pytest: its own errors say how to mend them."""

import re

from tests.pytest.test_neighbours import Project

FAILING = """
import asyncio
import pytest

async def test_unknown():
    pass

@pytest.fixture
async def unknown():
    pass

def test_unknown_fixture(unknown):
    pass

@pytest.fixture(scope="module")
async def wide():
    pass

def test_wide_1(wide):
    pass

def test_wide_2(wide):
    pass

@pytest.mark.anyio
async def test_of_another():
    pass

class TestNone:
    @pytest.fixture
    def app(self):
        pass

    async def test_none(self, http_client, base_url):
        await http_client.fetch(base_url + "/items")

class TestApp:
    @pytest.fixture
    def app(self):
        from tornado.web import Application
        return Application()

    async def test_path(self, http_client):
        await http_client.fetch("/items")

    def test_future(self, http_client, base_url):
        response = http_client.fetch(base_url)
        assert response.code == 200

async def test_no_app(http_client):
    pass

def test_no_fixture(missing):
    pass

async def test_websocket(serve):
    from tornado.web import Application
    server = await serve(Application())
    server.ws_connect("/")

def test_called(io_loop):
    async def call():
        pass
    io_loop.run_sync(call())

async def test_closed(io_loop):
    io_loop.asyncio_loop.close()
"""

CASES = """
from tornado.web import Application
from asynctest_tornado import AsyncHTTPTestCase

class Cases(AsyncHTTPTestCase):
    leaks = "fail"

    def get_app(self):
        return Application()

    def test_close(self):
        self.io_loop.close()

    def test_generator(self):
        yield

    def test_leak(self):
        self.sock = self.io_loop.call_later(60, print)
"""


class AdviceTest(Project):
    def test_a_report_of_a_test_case_shows_no_code_of_libraries(self) -> None:
        done = self.run_pytest({"test_it.py": CASES})
        self.assertEqual(done.returncode, 1, done.stdout)
        for message in ("closes the loop, which tearDown() does", "decorated with gen_test", "left these resources"):
            self.assertRegex(done.stdout, rf"(?m)^E .*{re.escape(message)}")
        self.assertRegex(done.stdout, r"(?m)^FAILED test_it\.py::Cases::test_close - RuntimeError: ")
        self.assertNotRegex(done.stdout, r"asynctest_tornado/_|unittest/case\.py")
        self.assertLess(done.stdout.count("\n"), 40, done.stdout)

    def test_a_body_that_is_not_encoded(self) -> None:
        body = """
from tornado.web import Application
import pytest

@pytest.fixture
def app():
    return Application()

async def test_body(http_client, base_url):
    await http_client.fetch(base_url, method="POST", body={"a": 1})
"""
        done = self.run_pytest({"test_it.py": body}, "-o", "asynctest_tornado_mode=auto")
        self.assertIn("The body of a request is bytes or text: give json.dumps(...)", done.stdout)
        self.assertNotIn("httpclient.py", done.stdout)

    def test_a_synchronous_client_without_a_time_limit(self) -> None:
        body = """
from tornado.web import Application
import pytest, urllib.request

@pytest.fixture
def app():
    return Application()

def test_client(http_server, base_url):
    urllib.request.urlopen(base_url)
"""
        done = self.run_pytest({"test_it.py": body}, "--asynctest-tornado-timeout=0.05")
        self.assertIn("TimeoutError: timed out after 0.05 seconds", done.stdout)
        self.assertIn("is on the event loop of this thread, which the client blocks", done.stdout)

    def test_the_error_of_a_fixture_shows_no_code_of_this_library(self) -> None:
        body = """
import pytest

async def fail():
    raise ValueError("of the user")

@pytest.fixture
def number(io_loop):
    return io_loop.run_sync(fail)

@pytest.fixture
def called(io_loop):
    return io_loop.run_sync(fail())

@pytest.fixture
def late(io_loop):
    yield
    io_loop.run_sync(fail)

def test_number(number):
    pass

def test_called(called):
    pass

def test_late(late):
    pass
"""
        done = self.run_pytest({"test_it.py": body})
        self.assertEqual(done.stdout.count("ValueError: of the user"), 4, done.stdout)  # in the summary, too
        self.assertIn("Write io_loop.run_sync(fail), without calling it", done.stdout)
        self.assertNotRegex(done.stdout, r"asynctest_tornado/_|entries are hidden")

    def reports(self) -> dict[str, str]:
        done = self.run_pytest({"test_it.py": FAILING}, "-o", "markers=anyio: of another", "-W", "error::UserWarning")
        parts = re.split(r"^_{3,} (.*?) _{3,}$", done.stdout.partition("short test summary")[0], flags=re.MULTILINE)
        return {re.sub(r".*?test_", "", title): text for title, text in zip(parts[1::2], parts[2::2], strict=True)}

    def test_each_report_is_short_and_says_how_to_mend_it(self) -> None:
        run_it = "asynctest_tornado runs this test with @pytest.mark.gen_test, or all with the setting asynctest"
        messages = {
            "unknown": run_it,
            "unknown_fixture": run_it,
            "wide_1": run_it,
            "wide_2": run_it,
            "none": "The result of the fixture app is None. It has to be the tornado.web.Application to test",
            "path": "http_client takes full URLs, and this is a path: fetch(base_url + '/items'). Servers of 'serve'",
            "future": "write 'await' before the call, or use run_sync()",
            "no_app": "    @pytest.fixture\n    def app():\n        return tornado.web.Application(...)",
            "websocket": "'yield ws_connect(...)' in a generator; or run_sync(ws_connect, ...) in code",
            "called": "Write io_loop.run_sync(call), without calling it; 'lambda:' hands arguments over.",
            "closed": "The test closes its loop, which is closed for it at the end.",
        }
        reports = self.reports()
        for name, message in messages.items():
            with self.subTest(name):
                self.assertIn(message, reports[name])
                self.assertLess(reports[name].count("\n"), 35)
                self.assertNotRegex(reports[name], r"asynctest_tornado/_|self\.run_sync|self\.ws_connect|tearDown")
                self.assertNotIn("entries are hidden", reports[name])
        self.assertIn("natively", reports["of_another"])
        self.assertNotIn("asynctest_tornado", reports["of_another"])
        self.assertIn("fixture 'missing' not found", reports["no_fixture"])

    def test_a_misspelled_option_is_no_option_of_pytest(self) -> None:
        done = self.run_pytest({}, "--asynctest-tornado-timout=5")
        message = "There is no option --asynctest-tornado-timout. asynctest_tornado has --asynctest-tornado-timeout, "
        self.assertIn(message, done.stderr)

    def test_the_marker_is_the_one_that_is_ours(self) -> None:
        files = {"test_it.py": "async def test_unknown(): pass", "pytest_tornado.py": ""}
        done = self.run_pytest(files, "-p", "pytest_tornado")
        self.assertIn("asynctest_tornado runs this test with @pytest.mark.asynctest_tornado, or all with", done.stdout)
