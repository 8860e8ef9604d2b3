import re
import tempfile
import unittest
import warnings
from pathlib import Path
from typing import Any

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase
from asynctest_tornado._unittest import misspelled_settings
from tests.support import run_python


def warnings_of(body: str, bases: str = "AsyncTestCase") -> list[str]:
    """Return the warnings that there are when a class is made in this module.

    The body is a text, since names that this module uses have a meaning in it.
    """
    misspelled_settings._warned.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(f"class Sample({bases}):\n    {body}", globals(), {})
    return [str(each.message) for each in caught]


NEAR = """\
asnyc_test_timeout = 1
async_test_timout = 1
asyncTestTimeout = 1
ASYNC_TEST_TIMEOUT = 1
clock_factroy = print
loop_scpoe = 'class'
alowed_leak = (int,)
leak = 'fail'
Leaks = 'warn'
schedule = 50
schedule = 'all:2'
fail_on_server_errors = True
"""

HOOKS = """\
async def asyncSetup(self): pass
async_tear_down_class = classmethod(connect)
"""

OWN = """\
def asyncSetup(self): pass
leak = 42
leak = 'of a pipe'
schedule = True
schedule = 'weekly'
peaks = 'fail'
def schedule(self): pass
def clock_factroy(self): pass
schedule_at = 'all'
timeout = 5
loop = clock = ''
async_test_timeouts = 5
loop_scope_ = 'own'
"""


def of_these_two(case: Any) -> Any:
    return case.async_test_timeouts, getattr(case, "loop_scope_")  # noqa: B009


class AttributeTest(unittest.TestCase):
    def test_a_name_that_is_nearly_one_of_ours(self) -> None:
        for line in NEAR.splitlines():
            with self.subTest(line):
                (said,) = warnings_of(line)
                self.assertRegex(said, rf"\ASample has the attribute {line.split()[0]}\. Did you mean [a-z_]+\?\Z")

    def test_a_hook_by_another_name(self) -> None:
        for line in HOOKS.splitlines():
            with self.subTest(line):
                (said,) = warnings_of(line)
                self.assertRegex(said, r"\ASample has the attribute \w+\. Did you mean async(SetUp|TearDownClass)\?\Z")

    def test_a_word_of_the_users_own_is_none(self) -> None:
        """Nor is one that the module uses, by any code."""
        for line in OWN.splitlines():
            with self.subTest(line):
                self.assertEqual(warnings_of(line), [])

    def test_settings_themselves_are_none(self) -> None:
        self.assertEqual(warnings_of("leaks = 'fail'", "Settings, AsyncHTTPTestCase"), [])

    def test_a_mixin_is_looked_at_with_the_class(self) -> None:
        said = warnings_of("pass", "Mixin, AsyncTestCase")
        self.assertEqual(said, ["Mixin has the attribute async_tset_timeout. Did you mean async_test_timeout?"])

    def test_it_is_the_line_of_the_class_that_is_shown_once(self) -> None:
        with self.assertWarns(UserWarning) as caught:

            class Sample(AsyncTestCase):
                asnyc_test_timeout = 5

        self.assertEqual(Path(caught.filename).name, "test_misspelled_settings.py")
        with warnings.catch_warnings():
            warnings.simplefilter("error")

            class Derived(Sample):
                pass

    def test_a_name_that_a_base_class_elsewhere_uses_is_none(self) -> None:
        base = (
            "from asynctest_tornado import AsyncTestCase\n"
            "class Base(AsyncTestCase):\n"
            "    async def asyncSetUp(self):\n"
            "        await self.async_set_up()\n"
            "        self.used = self.async_test_timeouts\n"
        )
        derived = (
            "from base import Base\n"
            "class T(Base):\n"
            "    async_test_timeouts, alowed_leaks = 5, ()\n"
            "    async def async_set_up(self): pass\n"
            "    def test(self): self.assertEqual(self.used, 5)\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "base.py").write_text(base)
            Path(folder, "test_it.py").write_text(derived)
            done = run_python("-m", "unittest", "test_it", cwd=folder)
        said = re.findall("has the attribute (.*)", done.stderr)
        self.assertEqual(said, ["alowed_leaks. Did you mean allowed_leaks?"], done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_class_fails_for_that(self) -> None:
        """Where warnings are errors, the text is written instead."""
        lines = "class T(AsyncTestCase):\n    asnyc_test_timeout = 5\n    def test(self): pass\n"
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_it.py").write_text(f"from asynctest_tornado import AsyncTestCase\n{lines}")
            done = run_python("-W", "error", "-m", "unittest", "test_it", cwd=folder)
        self.assertRegex(done.stderr, r"test_it.py:2: UserWarning: T has the attribute asnyc_test_timeout. Did you")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_names_are_complete(self) -> None:
        values = (bool, str, tuple, type(None))
        names = {
            name
            for cls in AsyncHTTPTestCase.__mro__
            if issubclass(cls, AsyncTestCase)
            for name, value in vars(cls).items()
            if name[0] != "_" and isinstance(value, values)
        }
        self.assertEqual(set(misspelled_settings.ATTRIBUTES), names)


class Settings:
    fail_on_server_error = True
    async_test_timeout = 3


class Mixin:
    async_tset_timeout = 3


async def connect(cls: Any) -> None: ...


class VariableTest(unittest.TestCase):
    PROGRAM = (
        "import unittest, asynctest_tornado\n"
        "class T(asynctest_tornado.AsyncTestCase):\n"
        "    def test_1(self): pass\n"
        "    def test_2(self): pass\n"
        "unittest.main()\n"
    )

    SAID = "The environment variable ASYNC_TEST_TIMEOTU is no setting. Did you mean ASYNC_TEST_TIMEOUT?"

    def check(self, warnings: str, *options: str, **variables: str) -> None:
        done = run_python(*options, "-c", self.PROGRAM, **variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(re.findall(r"UserWarning: (.*)", done.stderr), [warnings] if warnings else [])

    def test_there_is_one_warning_in_a_run(self) -> None:
        self.check(self.SAID, ASYNC_TEST_TIMEOTU="3")
        self.check(self.SAID, "-W", "error", ASYNC_TEST_TIMEOTU="3")
        said = "The environment variable ASNYC_TEST_SCHEDULE is no setting. Did you mean ASYNC_TEST_SCHEDULES?"
        self.check(said, ASNYC_TEST_SCHEDULE="3")

    def test_a_variable_of_the_users_own_is_none(self) -> None:
        self.check("", ASYNC_TEST_DATABASE="x", ASYNC_TEST_TIMEOUT_S="5", TEST_TIMEOUT="5", ASYNC_TEST_TIMEOUT="5")

    def test_a_class_warns_before_it_opens_its_loop(self) -> None:
        program = (
            "import unittest, asynctest_tornado\n"
            "class T(asynctest_tornado.AsyncTestCase):\n"
            "    loop_scope = 'class'\n"
            "    @classmethod\n"
            "    async def asyncSetUpClass(cls): raise unittest.SkipTest\n"
            "    def test(self): pass\n"
            "unittest.main()\n"
        )
        done = run_python("-c", program, ASYNC_TEST_TIMEOTU="3")
        self.assertEqual(re.findall(r"UserWarning: (.*)", done.stderr), [self.SAID])

    def test_a_test_function_of_pytest_warns(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_it.py").write_text("def test_1(io_loop): pass\ndef test_2(io_loop): pass\n")
            done = run_python("-m", "pytest", "-p", "no:cacheprovider", cwd=folder, ASYNC_TEST_TIMEOTU="3")
        self.assertEqual(re.findall(r"UserWarning: (.*)", done.stdout), [self.SAID], done.stdout)
