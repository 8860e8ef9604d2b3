"""Tests and fixtures that share a loop: pytest runs samples, and its report is read."""

import re
from typing import ClassVar

from tests.pytest.test_neighbours import Project
from tests.pytest.test_plugin import run_pytest, verdicts
from tests.pytest.test_serve import Reports

SHARED = "tests/samples/functions_shared.py"
#: Those that do not pass. The last test of all has the errors of the end of the session.
VERDICTS = {
    "test_callback": ["FAILED"],
    "test_begun_before": ["ERROR", "PASSED"],
    "test_broken_1": ["ERROR"],
    "test_broken_2": ["ERROR"],
    "test_asks_for_a_wider_one": ["FAILED"],
    "test_narrow": ["ERROR"],
    "test_wrong_scope": ["ERROR"],
    "test_clock_on_a_real_loop": ["ERROR"],
    "test_closes": ["FAILED"],
    "TestVirtual::test_time_goes_on": ["ERROR", "PASSED"],
}


class ScopesTest(Reports):
    maxDiff = None
    arguments: ClassVar = [SHARED]

    def test_each_sample_has_its_verdict(self) -> None:
        found = verdicts(self.done)
        self.assertEqual(found, {name: VERDICTS.get(name, ["PASSED"]) for name in found}, self.done.stdout)
        self.assertLessEqual({*VERDICTS, "test_session", "test_alone", "TestClass::test_second"}, found.keys())

    def test_an_error_of_a_fixture_is_reported_at_once_and_for_the_fixture(self) -> None:
        report = self.report("ERROR at teardown of test_begun_before")
        self.assertRegex(report, r"E +ValueError: planted\nE +A fixture that several tests share began the code that")
        self.assertIn("on the loop of the session", report)
        self.assertNotIn("asynctest_tornado/_", report)

    def test_the_end_of_the_session_is_reported_once(self) -> None:
        report = self.report("ERROR at teardown of TestVirtual.test_time_goes_on")
        self.assertIn("LookupError: the end of the session", report)
        self.assertNotIn("asynctest_tornado/_", report)
        self.assertEqual(len(re.findall("E +LookupError: the end", self.done.stdout)), 1)

    def test_leaks_are_those_of_the_test_or_of_the_session(self) -> None:
        warned = self.done.stdout.partition("warnings summary")[2]
        self.assertRegex(warned, r"functions_shared.py::test_leak left these resources open:\n +pending timer boom")
        self.assertRegex(
            warned, r"the session left these resources open:\n +pending timer boom.*\n.*in loop_of_session"
        )
        self.assertEqual(warned.count("left these resources open"), 2)

    def test_mistakes_say_how_to_mend_them(self) -> None:
        for title, message in {
            "test_asks_for_a_wider_one": "Name the fixture as an argument of the test, or mark the test with "
            "@pytest.mark.gen_test(loop_scope='module').",
            "ERROR at setup of test_narrow": "Write the fixture with the scope 'module' as an 'async def': it runs on",
            "ERROR at setup of test_wrong_scope": "cannot be 'galaxy'. Set it to 'function', for a loop for each test,",
            "ERROR at setup of test_clock_on_a_real_loop": "Give the clock_factory to all tests of the session",
            "test_closes": "closes its loop, which is closed for it at the end of the session. Take io_loop.close()",
        }.items():
            with self.subTest(title):
                report = self.report(title)
                self.assertIn(message, report)
                self.assertNotIn("entries are hidden", report)

    def test_all_tests_share_a_loop_where_the_settings_say_so(self) -> None:
        done = run_pytest("-o", "asynctest_tornado_loop_scope=session", "-k", "test_alone or test_module", SHARED)
        self.assertEqual(verdicts(done)["test_alone"], ["ERROR", "FAILED"])  # it has a variable of the session

    def test_a_test_with_a_clock_has_a_loop_of_its_own_nevertheless(self) -> None:
        done = run_pytest("-o", "asynctest_tornado_loop_scope=session", "tests/samples/functions.py::test_clock")
        self.assertEqual(verdicts(done), {"test_clock": ["PASSED"]})

    def test_the_first_failure_ends_the_session_in_order(self) -> None:
        done = run_pytest("-x", "-k", "test_session or test_callback or test_after", SHARED)
        self.assertEqual(verdicts(done)["test_callback"], ["ERROR", "FAILED"])
        self.assertIn("LookupError: the end of the session", done.stdout)


class ManyModulesTest(Project):
    """Fixtures of a conftest.py, for several modules."""

    files: ClassVar = {
        "conftest.py": """
import asyncio, pytest
from tornado.web import Application

@pytest.fixture(scope="session")
async def server(serve):
    return await serve(Application())

@pytest.fixture(scope="package")
async def of_package(server):
    return asyncio.get_running_loop()

@pytest.fixture(scope="module")
async def client(server):
    server.clients = getattr(server, "clients", 0) + 1
    yield server
    assert (await server.fetch("/")).code == 404
    server.clients -= 1
""",
        "test_one.py": """
import asyncio, pytest

async def test_first(client):
    assert client.clients == 1

async def test_alone(io_loop):
    pass

async def test_package(of_package, client):
    assert asyncio.get_running_loop() is of_package
""",
        "test_two.py": """
import asyncio, pytest

@pytest.fixture(autouse=True, scope="class")
async def around(client):
    yield
    assert client.clients == 1

class TestIt:
    async def test_second(self, client):
        assert client.clients == 1

    async def test_third(self, of_package):
        assert asyncio.get_running_loop() is of_package
""",
    }

    def test_each_module_sets_its_fixtures_up_on_the_loop_of_the_session(self) -> None:
        names = "test_first", "test_alone", "test_package", "TestIt::test_second", "TestIt::test_third"
        for arguments in (), ("-W", "error", "--setup-show"):
            with self.subTest(arguments):
                done = self.run_pytest(self.files, *arguments)
                self.assertEqual(verdicts(done), {name: ["PASSED"] for name in names}, done.stdout)
                self.assertNotIn("Warning", done.stdout)


class KindOfLoopTest(Project):
    """Tests that ask for another kind of loop than the one that they share."""

    files: ClassVar = {
        "test_session.py": """
import asyncio, functools, pytest, time
from asynctest_tornado import VirtualClock

@pytest.fixture(scope="session")
async def wide():
    return 1

@pytest.mark.gen_test(clock_factory=functools.partial(VirtualClock, dates=True))
async def test_dates(wide): pass

@pytest.mark.gen_test(clock_factory=None)
async def test_real(wide): pass

@pytest.mark.gen_test(clock_factory=VirtualClock)
async def test_same(wide):
    await asyncio.sleep(3600)

@pytest.mark.gen_test(clock_factory=None)
async def test_real_and_alone():
    began = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - began >= 0.04

@pytest.mark.gen_test(loop_factory=asyncio.SelectorEventLoop)
async def test_factory(wide): pass
""",
        "test_class.py": """
import asyncio, functools, pytest
from asynctest_tornado import VirtualClock

@pytest.mark.gen_test(loop_scope="class", clock_factory=functools.partial(VirtualClock, epoch=5))
class TestMixed:
    async def test_plain(self): pass

    @pytest.mark.gen_test(clock_factory=functools.partial(VirtualClock, epoch=5))
    async def test_equal(self, clock):
        await asyncio.sleep(3600)

    @pytest.mark.gen_test(clock_factory=functools.partial(VirtualClock, epoch=6))
    async def test_other(self): pass

    @pytest.mark.gen_test(clock_factory=None)
    async def test_none(self): pass
""",
    }

    def test_a_test_says_what_its_shared_loop_has_not(self) -> None:
        done = self.run_pytest(self.files, "-o", "asynctest_tornado_clock=virtual")
        wrong = {"test_dates", "test_real", "test_factory", "TestMixed::test_other", "TestMixed::test_none"}
        right = {"test_same", "test_real_and_alone", "TestMixed::test_plain", "TestMixed::test_equal"}
        expected = {name: ["ERROR"] if name in wrong else ["PASSED"] for name in wrong | right}
        self.assertEqual(verdicts(done), expected, done.stdout)
        for message in (
            r"the clock_factory functools.partial\(.*VirtualClock.*, dates=True\), by the argument clock_factory of "
            r"the marker gen_test, and runs on the loop of the session, which was made with the clock_factory "
            r".*VirtualClock.*, by the setting asynctest_tornado_clock of pytest\. Let its asynchronous fixtures be no "
            r"wider than a module",
            r"the loop_factory .*SelectorEventLoop.*, which was made without loop_factory\. Let its",
            r"the clock_factory None, by .* Give the clock_factory to all tests of the class, by a marker",
        ):
            self.assertRegex(done.stdout, message)

    def test_a_clock_for_a_loop_in_real_time(self) -> None:
        done = self.run_pytest({"test_session.py": self.files["test_session.py"]})
        self.assertEqual(verdicts(done)["test_same"], ["ERROR"], done.stdout)
        self.assertIn("by asynctest_tornado_clock = virtual in the settings of pytest. Let its", done.stdout)
        self.assertEqual(verdicts(done)["test_real"], ["PASSED"], done.stdout)


class LeaksOfTestsTest(Project):
    """Resources that no later test can use are reported for the test that leaves them."""

    files: ClassVar = {
        "test_leaks.py": """
import asyncio, pytest, socket
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream

pair = socket.socketpair()

@pytest.fixture(scope="session")
async def wide():
    return []

@pytest.mark.gen_test(leaks="fail")
async def test_periodic(wide):
    PeriodicCallback(print, 10_000).start()

@pytest.mark.gen_test(leaks="fail")
async def test_held(wide):
    wide.append(IOStream(pair[0]))

@pytest.mark.gen_test(leaks="fail")
async def test_uses_it(wide):
    await wide[0].write(b"x")
    assert pair[1].recv(1) == b"x"
    wide[0].close()
    pair[1].close()
"""
    }

    def test_each_leak_is_reported_once(self) -> None:
        done = self.run_pytest(self.files)
        expected = {"test_periodic": ["ERROR", "PASSED"], "test_held": ["PASSED"], "test_uses_it": ["PASSED"]}
        self.assertEqual(verdicts(done), expected, done.stdout)
        self.assertRegex(done.stdout, "test_periodic left these .*\n.*running PeriodicCallback print, every 10 s")
        self.assertEqual(done.stdout.count("left these resources open"), 1, done.stdout)


class LoopOfUserTest(Project):
    """The user has a fixture ``io_loop``, as for pytest-tornado."""

    test = """
import asyncio, pytest
from tornado.ioloop import IOLoop
from tornado.web import Application

@pytest.fixture(scope=SCOPE)
def io_loop():
    loop = IOLoop(make_current=False)
    yield loop
    loop.close()

@pytest.fixture(scope="module")
async def server(serve):
    return await serve(Application())

async def test_first(server, io_loop):
    assert (await server.fetch("/")).code == 404
    assert IOLoop.current() is io_loop

async def test_second(server):
    assert (await server.fetch("/")).code == 404
"""

    def test_tests_share_the_loop_of_the_user(self) -> None:
        done = self.run_pytest({"test_it.py": self.test.replace("SCOPE", "'session'")}, "-W", "error")
        self.assertEqual(verdicts(done), {"test_first": ["PASSED"], "test_second": ["PASSED"]}, done.stdout)

    def test_a_loop_for_each_test_cannot_be_shared(self) -> None:
        done = self.run_pytest({"test_it.py": self.test.replace("SCOPE", "'function'")})
        self.assertEqual(verdicts(done), {"test_first": ["ERROR"], "test_second": ["ERROR"]}, done.stdout)
        self.assertIn("Give io_loop the scope 'module', or leave it out.", done.stdout)
        self.assertNotIn("asynctest_tornado/_", done.stdout)
