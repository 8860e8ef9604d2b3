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


class AdviceTest(Project):
    def reports(self) -> dict[str, str]:
        done = self.run_pytest({"test_it.py": FAILING}, "-o", "markers=anyio: of another", "-W", "error::UserWarning")
        parts = re.split(r"^_{3,} (.*?) _{3,}$", done.stdout.partition("short test summary")[0], flags=re.MULTILINE)
        return {re.sub(r".*?test_", "", title): text for title, text in zip(parts[1::2], parts[2::2], strict=True)}

    def test_each_report_is_short_and_says_how_to_mend_it(self) -> None:
        run_it = "asynctest_tornado runs it with @pytest.mark.gen_test, or all with the setting asynctest_tornado_mode"
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
        message = "There is no option --asynctest-tornado-timout. asynctest_tornado has --asynctest-tornado-timeout."
        self.assertIn(message, done.stderr)

    def test_the_marker_is_the_one_that_is_ours(self) -> None:
        files = {"test_it.py": "async def test_unknown(): pass", "pytest_tornado.py": ""}
        done = self.run_pytest(files, "-p", "pytest_tornado")
        self.assertIn("asynctest_tornado runs it with @pytest.mark.asynctest_tornado, or all with", done.stdout)
