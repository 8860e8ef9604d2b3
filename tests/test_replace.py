import unittest

from tests.support import run_code

SUITE = """
import unittest
import tornado.testing
from tornado.testing import AsyncTestCase, AsyncHTTPTestCase, gen_test, ExpectLog, bind_unused_port, main
from tornado.testing import unittest as same, AsyncHTTPClient
assert unittest is same

class Test(AsyncTestCase):
    @gen_test
    async def test(self):
        self.io_loop.add_callback(lambda: 1 / 0)
        await tornado.testing.gen.sleep(60)

unittest.main()
"""


class ReplaceTest(unittest.TestCase):
    def test_an_unmodified_suite_runs_on_this_library(self) -> None:
        done = run_code("import asynctest_tornado.replace\n" + SUITE)
        self.assertIn("ZeroDivisionError", done.stderr)
        self.assertIn("FAILED (errors=1)", done.stderr)

    def test_it_can_be_imported_twice(self) -> None:
        code = "import importlib, asynctest_tornado.replace as r; importlib.reload(r); import tornado.testing"
        self.assertEqual(run_code(code).returncode, 0)

    def test_it_refuses_after_the_original(self) -> None:
        done = run_code("import tornado.testing, asynctest_tornado.replace")
        self.assertRegex(done.stderr, "ImportError: tornado.testing was imported already.*Import .* earlier")

    def test_nothing_but_this_import_replaces(self) -> None:
        code = "import asynctest_tornado, sys; assert 'tornado.testing' not in sys.modules; import tornado.testing as t"
        done = run_code(f"{code}; assert t.AsyncTestCase.__module__ == 'tornado.testing'")
        self.assertEqual(done.returncode, 0, done.stderr)
