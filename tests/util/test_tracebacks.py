import asyncio
import os
import py_compile
import re
import shutil
import sys
import tempfile
import textwrap
import traceback
import types
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import tornado

import asynctest_tornado
from asynctest_tornado._util import tracebacks
from asynctest_tornado._util.tracebacks import ASYNCIO, OURS, PACKAGE, STDLIB, TORNADO, USER, owner_of, owner_of_file
from tests.support import ROOT, run_python

OF_US = Path(asynctest_tornado.__file__).parent
OF_TORNADO = Path(tornado.__file__).parent
OF_ASYNCIO = Path(asyncio.__file__).parent
OF_PYTHON = Path(os.__file__).parent
#: A place where nothing is.
NOWHERE = Path(OF_PYTHON.anchor) / "nowhere"


def run_in(filename: object, source: str, **variables: Any) -> dict[str, Any]:
    """Run code as a module with this file, and return its variables."""
    exec(compile(textwrap.dedent(source), str(filename), "exec"), variables)
    return variables


def frame_in(filename: object, **variables: Any) -> types.FrameType:
    """Return a frame that runs code of this file."""
    frame: types.FrameType = run_in(filename, "import sys\nframe = sys._getframe()", **variables)["frame"]
    return frame


def through(filename: object, func: Callable[[], object], **variables: Any) -> Callable[[], object]:
    """Return a function of this file that calls another one."""
    made: Callable[[], object] = run_in(filename, "def call():\n    return func()", func=func, **variables)["call"]
    return made


class FileTest(unittest.TestCase):
    def test_our_files_are_ours_at_any_depth(self) -> None:
        for place in "_loop.py", "_harness/harness.py", "_util/deeper/still/names.py":
            self.assertEqual(owner_of_file(str(OF_US / place)), OURS, place)

    def test_all_files_of_this_library_are_ours(self) -> None:
        found = {owner_of_file(str(path)) for path in OF_US.rglob("*.py")}
        self.assertEqual(found, {OURS})

    def test_tornado_asyncio_packages_and_python_are_known(self) -> None:
        for path, owner in {
            OF_TORNADO / "platform" / "asyncio.py": TORNADO,
            OF_ASYNCIO / "events.py": ASYNCIO,
            OF_PYTHON / "threading.py": STDLIB,
            OF_PYTHON / "concurrent" / "futures" / "thread.py": STDLIB,
            OF_PYTHON / "site-packages" / "shop.py": PACKAGE,
            NOWHERE / "dist-packages" / "shop.py": PACKAGE,
        }.items():
            self.assertEqual(owner_of_file(str(path)), owner, path)

    def test_a_virtual_environment_in_a_project_has_packages(self) -> None:
        place = ROOT / ".venv" / "lib" / "site-packages" / "shop" / "till.py"
        self.assertEqual(owner_of_file(str(place)), PACKAGE)

    def test_our_tests_and_those_of_tornado_are_a_users(self) -> None:
        self.assertEqual(owner_of_file(__file__, __name__), USER)
        self.assertEqual(owner_of_file(str(OF_TORNADO / "test" / "web_test.py"), "tornado.test.web_test"), USER)
        self.assertEqual(owner_of_file(str(OF_TORNADO / "testing.py"), "tornado.testing"), TORNADO)

    def test_names_that_only_begin_alike_are_a_users(self) -> None:
        # A package's, if this library is installed, and not used from its tree.
        beside_us = owner_of_file(str(OF_US.parent / "shop" / "till.py"))
        self.assertNotEqual(beside_us, OURS)
        self.assertEqual(owner_of_file(f"{OF_US}_shop/till.py"), beside_us)
        self.assertEqual(owner_of_file(str(NOWHERE / "my-site-packages" / "till.py")), USER)
        for name in "asynctest_tornado_shop.till", "tornado_shop", "asyncio_shop.till":
            self.assertEqual(owner_of_file("<string>", name), USER, name)

    def test_a_project_in_a_folder_of_our_name_is_a_users(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "asynctest_tornado" / "test_till.py"
            path.parent.mkdir()
            path.touch()
            for name in "test_till", "asynctest_tornado.test_till", "__main__":
                self.assertEqual(owner_of_file(str(path), name), USER, name)

    def test_a_module_of_a_user_may_have_the_name_of_one_of_python(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "queue.py"
            path.touch()
            self.assertEqual(owner_of_file(str(path), "queue"), USER)

    def test_functions_that_a_test_has_replaced_are_not_called(self) -> None:
        with (
            tempfile.NamedTemporaryFile(suffix=".py") as file,
            mock.patch("os.stat") as stat,
            mock.patch("os.path.exists") as exists,
            mock.patch("os.path.isabs") as isabs,
        ):
            owner = owner_of_file(file.name, "queue")
        self.assertEqual(owner, USER)
        for function in stat, exists, isabs:
            function.assert_not_called()


class NameTest(unittest.TestCase):
    """The name of the module counts where there is no such file."""

    def test_code_that_was_compiled_elsewhere(self) -> None:
        for name, owner in {
            "asynctest_tornado": OURS,
            "asynctest_tornado._harness.harness.harness": OURS,
            "tornado.web": TORNADO,
            "tornado.test.web_test": USER,
            "asyncio.events": ASYNCIO,
            "threading": STDLIB,
            "shop.till": USER,
            "__main__": USER,
        }.items():
            for filename in str(NOWHERE / "archive.zip" / "module.py"), "module.py", "<string>", "<stdin>", "":
                self.assertEqual(owner_of_file(filename, name), owner, (filename, name))

    def test_frozen_modules_are_called_by_their_file(self) -> None:
        for name, owner in {
            "importlib._bootstrap": STDLIB,
            "posixpath": STDLIB,
            "asynctest_tornado._loop.managed_loop": OURS,
            "tornado.web": TORNADO,
            "shop.till": USER,
        }.items():
            self.assertEqual(owner_of_file(f"<frozen {name}>"), owner, name)

    def test_code_without_a_name_is_a_users(self) -> None:
        self.assertEqual(owner_of(frame_in("<string>")), USER)
        for name in None, 1, ["shop"]:
            self.assertEqual(owner_of(frame_in("<string>", __name__=name)), USER, name)
        self.assertEqual(owner_of(frame_in(OF_US / "_wing" / "room.py")), OURS)

    def test_a_frame_says_both(self) -> None:
        self.assertEqual(owner_of(sys._getframe()), USER)
        self.assertEqual(owner_of(frame_in("room.py", __name__="asynctest_tornado.room")), OURS)


def functions_of(error: BaseException) -> list[str]:
    """Return the functions that a traceback shows, with their files."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [f"{Path(code.co_filename).stem}.{code.co_name}" for code in codes]


def raised_by(func: Callable[[], object]) -> BaseException:
    """Return the error that a function raises, with a traceback that begins in the function."""
    try:
        func()
    except LookupError as error:
        tb = error.__traceback__
        return error.with_traceback(tb and tb.tb_next)
    raise AssertionError("nothing was raised")


def fail() -> None:
    raise LookupError


FAIL = "test_tracebacks.fail"


class StripTest(unittest.TestCase):
    def test_frames_of_ours_go_wherever_they_are(self) -> None:
        func = through(OF_US / "_http" / "site.py", fail)
        func = through(OF_US / "_site.py", through(NOWHERE / "till.py", func))
        self.assertEqual(functions_of(raised_by(func)), ["_site.call", "till.call", "site.call", FAIL])
        self.assertEqual(functions_of(tracebacks.strip(raised_by(func))), ["till.call", FAIL])

    def test_those_of_tornado_and_asyncio_go_above_the_users_only(self) -> None:
        func = through(NOWHERE / "till.py", through(OF_TORNADO / "web.py", fail))
        func = through(OF_TORNADO / "ioloop.py", through(OF_US / "_loop.py", func))
        func = through(OF_ASYNCIO / "events.py", func)
        self.assertEqual(functions_of(tracebacks.strip(raised_by(func))), ["till.call", "web.call", FAIL])

    def test_those_at_the_end_go_if_asked_for(self) -> None:
        source = "def call():\n    raise LookupError"
        for name, filename in (
            ("asyncio.streams", OF_ASYNCIO / "streams.py"),
            ("tornado.tcpclient", OF_TORNADO / "tcpclient.py"),
            ("socket", OF_PYTHON / "socket.py"),
            ("concurrent.futures.thread", OF_PYTHON / "concurrent" / "futures" / "thread.py"),
        ):
            func = through(NOWHERE / "till.py", run_in(filename, source, __name__=name)["call"])
            self.assertEqual(functions_of(tracebacks.strip(raised_by(func), from_end=True)), ["till.call"], name)
            left = functions_of(tracebacks.strip(raised_by(func)))
            self.assertEqual(left, ["till.call", f"{filename.stem}.call"], name)

    def test_one_that_ends_at_the_user_has_no_frames_of_libraries_behind(self) -> None:
        error = raised_by(
            through(NOWHERE / "till.py", run_in(OF_TORNADO / "web.py", "def call(): raise LookupError")["call"])
        )
        tracebacks.end_at_user(error)
        self.assertEqual(functions_of(error), ["till.call"])
        error = raised_by(run_in(OF_TORNADO / "web.py", "def call(): raise LookupError")["call"])
        tracebacks.end_at_user(error)
        self.assertEqual(functions_of(error), ["web.call"])

    def test_an_interrupt_may_come_before_the_first_line_of_a_call(self) -> None:
        variable = sys._getframe()

        def inner() -> Any:
            return variable and sys._getframe()

        frame = inner()
        entries = [types.TracebackType(None, frame, place, -1) for place in range(0, 10, 2)]
        without_line = [entry for entry in entries if entry.tb_lineno is None]
        self.assertTrue(without_line)
        for cut in tracebacks.strip, tracebacks.end_at_user:
            error = KeyboardInterrupt().with_traceback(without_line[0])
            cut(error)
            assert error.__traceback__ is not None
            self.assertEqual(error.__traceback__.tb_lineno, frame.f_code.co_firstlineno)

    def test_a_traceback_of_none_but_ours_stays(self) -> None:
        call = run_in(OF_US / "_site.py", "def call():\n    raise LookupError")["call"]
        self.assertEqual(functions_of(tracebacks.strip(raised_by(call))), ["_site.call"])


SHOP = """
    import asyncio
    import unittest
    import asynctest_tornado
    from asynctest_tornado import AsyncTestCase

    print(asynctest_tornado.__file__)

    def boom():
        raise KeyError("tea")

    class ShopTest(AsyncTestCase):
        leaks = "fail"

        def test_callback(self):
            self.io_loop.add_callback(boom)
            self.wait()

        async def test_leak(self):
            self.io_loop.call_later(3600, boom)

        async def test_deadlock(self):
            await asyncio.Future()

    unittest.main(verbosity=0)
"""


class WithoutSourceTest(unittest.TestCase):
    def test_reports_are_the_same_where_this_library_has_no_source(self) -> None:
        """Code that was compiled elsewhere has the names of files that are not there."""
        with tempfile.TemporaryDirectory() as folder:
            source, found = Path(folder) / "source", Path(folder) / "found"
            shutil.copytree(OF_US, source, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copytree(source, found / "asynctest_tornado", ignore=shutil.ignore_patterns("*.py"))
            for path in source.rglob("*.py"):
                compiled = found / "asynctest_tornado" / path.relative_to(source).with_suffix(".pyc")
                py_compile.compile(str(path), str(compiled), doraise=True)
            shutil.rmtree(source)
            program = Path(folder) / "test_shop.py"
            program.write_text(textwrap.dedent(SHOP))
            done = run_python(str(program), PYTHONPATH=str(found))
        self.assertTrue(done.stdout.endswith("__init__.pyc\n"), done.stdout)
        self.assertIn("Ran 3 tests", done.stderr)
        shown = re.findall(r'File "(.*)", line \d+, in (\w+)', done.stderr)
        self.assertEqual([Path(filename).name for filename, _ in shown], ["test_shop.py"] * 3)
        self.assertEqual([function for _, function in shown], ["test_callback", "boom", "test_deadlock"])
        self.assertRegex(done.stderr, r"ShopTest.test_deadlock <Task-\d+> \(the test\)\n +at \S+test_shop.py:")
        self.assertRegex(done.stderr, r"pending timer boom, .*\n +made at \S+test_shop.py:\d+ in test_leak:")
