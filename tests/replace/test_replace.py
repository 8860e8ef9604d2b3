import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import ROOT, run_code, run_python

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

    def run_replaced(self, code: str) -> None:
        done = run_code(f"import asynctest_tornado.replace, asynctest_tornado as own, sys, tornado\n{code}")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_star_import_gives_the_names_of_the_original(self) -> None:
        star = "from tornado.testing import *; print(sorted(name for name in globals() if name[0] != '_'))"
        expected = run_code(star).stdout
        self.assertIn("'unittest'", expected)
        self.assertIn("'gen_test'", expected)
        self.assertEqual(run_code(f"import asynctest_tornado.replace; del asynctest_tornado; {star}").stdout, expected)

    def test_each_name_can_be_imported(self) -> None:
        self.run_replaced(
            "from tornado.testing import AsyncTestCase, ExpectError, VirtualClock, unittest, raise_exc_info, socket\n"
            "import tornado.testing\nassert tornado.testing.gen_test is own.gen_test\n"
            "assert AsyncTestCase is own.AsyncTestCase\n"
            "assert not hasattr(tornado.testing, 'nonsense')"
        )

    def test_all_that_this_library_has_is_there(self) -> None:
        self.run_replaced(
            "import tornado.testing\n"
            "assert own.__all__\n"
            "different = [name for name in own.__all__ if vars(tornado.testing).get(name) is not getattr(own, name)]\n"
            "assert not different, different"
        )

    def test_the_module_is_found(self) -> None:
        self.run_replaced(
            "import importlib.util, inspect, pickle, tornado.testing\n"
            "assert importlib.util.find_spec('tornado.testing').origin == tornado.testing.__file__\n"
            "assert 'asynctest_tornado' in inspect.getsource(tornado.testing)\n"
            "assert 'class AsyncTestCase' in inspect.getsource(tornado.testing.AsyncTestCase)\n"
            "assert pickle.loads(pickle.dumps(tornado.testing.AsyncTestCase)) is own.AsyncTestCase"
        )

    def test_it_is_still_there_if_it_is_loaded_again(self) -> None:
        self.run_replaced(
            "import importlib, tornado.testing\n"
            "assert importlib.reload(tornado.testing).AsyncTestCase is own.AsyncTestCase\n"
            "del sys.modules['tornado.testing']\n"
            "import tornado.testing\nassert tornado.testing.AsyncTestCase is own.AsyncTestCase"
        )

    def test_stack_contexts_are_there(self) -> None:
        self.run_replaced(
            "from tornado.stack_context import ExceptionStackContext, NullContext\nfrom tornado import stack_context\n"
            "assert ExceptionStackContext is own.ExceptionStackContext and NullContext is own.NullContext\n"
            "assert stack_context.wrap(len) is len\n"
            "from tornado.ioloop import IOLoop\nfrom tornado.testing import AsyncTestCase\n"
            "class Test(AsyncTestCase):\n"
            "    def test(self):\n"
            "        with ExceptionStackContext(lambda *error: self.stop(error[0]) or True):\n"
            "            self.io_loop.add_callback(lambda: 1 / 0)\n"
            "        self.assertIs(self.wait(), ZeroDivisionError)\n"
            "import unittest\nunittest.main(exit=False)\nassert Test('test').run().wasSuccessful()"
        )

    def test_without_it_there_are_none(self) -> None:
        self.assertIn("No module named 'tornado.stack_context'", run_code("import tornado.stack_context").stderr)

    def test_it_refuses_after_the_original(self) -> None:
        done = run_code("import tornado.testing, asynctest_tornado.replace")
        self.assertRegex(done.stderr, "ImportError: tornado.testing was imported already.*Import .* earlier")

    def test_it_names_a_module_that_has_only_imported_the_original(self) -> None:
        with TemporaryDirectory() as folder:
            (Path(folder) / "early.py").write_text("import os, tornado.testing\n")
            (Path(folder) / "other.py").write_text("import tornado\n")
            done = run_python("-c", "import early, other, asynctest_tornado.replace", cwd=folder, PYTHONPATH=str(ROOT))
        self.assertRegex(done.stderr, r"was imported already, from \S+ \(for early\);")

    def test_nothing_but_this_import_replaces(self) -> None:
        code = "import asynctest_tornado, sys; assert 'tornado.testing' not in sys.modules; import tornado.testing as t"
        done = run_code(f"{code}; assert t.AsyncTestCase.__module__ == 'tornado.testing'")
        self.assertEqual(done.returncode, 0, done.stderr)
