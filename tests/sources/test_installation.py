"""The process after a run of tests, and a process without tests: nothing of this library is left or put in."""

import asyncio
import copy
import json
import pickle
import tempfile
import threading
import unittest
import weakref
from pathlib import Path
from typing import Any

from tornado.web import RequestHandler

from asynctest_tornado import AsyncTestCase
from tests.samples import cases
from tests.support import run_code, run_each, run_python

START = """
import asyncio, json, sys, threading, unittest
from tests.samples import untouched

untouched.warm_up()
before = untouched.Snapshot()

def differences():
    untouched.forget_policy()  # of asyncio.run()
    return before.differences()

"""

_OF_CONTEXTS = {
    *("concurrent.futures._base.Future.add_done_callback", "concurrent.futures.thread.ThreadPoolExecutor.submit"),
    *("sys.unraisablehook", "threading.excepthook", "tornado.web.RequestHandler.__init__"),
    *("tornado.web.RequestHandler._break_cycles", "warnings._warn_unawaited_coroutine"),
    *("threading._start_new_thread", "threading._start_joinable_thread"),
    *(
        f"logger {name}.{method}"
        for name in ("asyncio", "concurrent.futures", "tornado.application", "tornado.general")
        for method in ("handle", "isEnabledFor")
    ),
}


class UntouchedTest(unittest.TestCase):
    def test_after_two_runs_each_attribute_file_and_thread_is_as_before(self) -> None:
        def run(runner: str) -> Any:
            done = run_python("-m", "tests.samples.untouched", runner, "2")
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout.splitlines()[-1])

        runners = ["unittest", "pytest"]
        self.assertEqual(
            dict(zip(runners, run_each(run, runners), strict=True)), {runner: [[], []] for runner in runners}
        )

    def test_public_names_and_traffic_change_nothing(self) -> None:
        self.assertEqual(self.differences(IMPORTS), [])

    def test_a_context_changes_the_sources_of_errors_and_nothing_else(self) -> None:
        found = set(self.differences(CONTEXT))
        self.assertLessEqual(found, _OF_CONTEXTS)
        self.assertGreaterEqual(found, {"sys.unraisablehook", "logger tornado.application.handle"})

    def test_a_server_for_other_frameworks_restores_all(self) -> None:
        self.assertEqual(self.differences(SERVER), [])

    def test_a_test_that_runs_alone_restores_all(self) -> None:
        self.assertEqual(self.differences(ALONE), [])

    def differences(self, code: str) -> Any:
        done = run_code(f"{START}{code}\nprint(json.dumps(differences()))")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])


IMPORTS = """
import asynctest_tornado
from asynctest_tornado import *
from asynctest_tornado import pytest_plugin

class Sample(AsyncTestCase):
    @gen_test
    def test(self):
        pass

unittest.defaultTestLoader.loadTestsFromTestCase(Sample)
get_async_test_timeout()
sock, port = bind_unused_port()
sock.close()
VirtualClock()
HTTPTestServer(untouched.APPLICATION)
with NullContext():
    pass
with ExpectLog("tornado.application", "planted"):
    untouched.logging.getLogger("tornado.application").error("planted")
asyncio.run(untouched.serve_and_fetch(3))
"""

CONTEXT = """
from asynctest_tornado import ExceptionStackContext
with ExceptionStackContext(lambda *exc_info: True):
    pass
asyncio.run(untouched.serve_and_fetch())
"""

SERVER = """
from tornado.web import Application, RequestHandler
from asynctest_tornado import HTTPTestServer

class Broken(RequestHandler):
    def get(self):
        raise ValueError("planted")

async def main():
    async with HTTPTestServer(Application([("/", Broken)])) as server:
        assert (await server.fetch("/")).code == 500
        assert str(server.errors[0].error) == "planted", server.errors

untouched.logging.disable()
asyncio.run(main())
untouched.logging.disable(untouched.logging.NOTSET)
"""

ALONE = """
from tests.samples import untouched_cases
untouched_cases.Plain("test_a_coroutine").run()
"""


class OwnersTest(unittest.TestCase):
    """Runs inside each other."""

    def test_the_end_of_an_inner_run_takes_nothing_from_the_outer_one(self) -> None:
        done = run_code(INSIDE)
        self.assertRegex(done.stderr, r"ERROR: test_2_outer \(")
        self.assertRegex(done.stderr, r"ERROR: test_1_runs_another \(")
        self.assertIn("FAILED (errors=2)", done.stderr)

    def test_a_run_in_a_plain_test_ends_by_itself(self) -> None:
        done = run_code(f"{START}{IN_PLAIN}")
        self.assertRegex(done.stderr, r"Ran 1 test in \S+\n\nOK\n")

    def test_pytest_in_pytest(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "test_inner.py").write_text(FUNCTION)
            Path(folder, "test_outer.py").write_text(OUTER)
            done = run_python("-m", "pytest", "-p", "no:cacheprovider", "-rA", "test_outer.py", cwd=folder)
        self.assertIn("FAILED test_outer.py::test_1", done.stdout)
        self.assertIn("FAILED test_outer.py::test_2", done.stdout)
        self.assertEqual(done.stdout.count("E       ValueError: planted"), 2, done.stdout)

    def test_a_run_whose_end_does_not_show_is_over_when_its_result_is_gone(self) -> None:
        done = run_code(f"{START}{WITHOUT_END}")
        self.assertRegex(done.stdout, r"left before: [1-9]\d*\nleft after: \[\]\n")


INSIDE = """
import threading, unittest
from asynctest_tornado import AsyncTestCase

def fail_in_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()

class Inner(AsyncTestCase):
    async def test(self):
        pass

class Outer(AsyncTestCase):
    async def test_1_runs_another(self):
        def run():
            program = unittest.TextTestRunner().run(Inner("test"))
            assert program.wasSuccessful()
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        fail_in_thread()

    def test_2_outer(self):
        fail_in_thread()

unittest.main(defaultTest="Outer")
"""

IN_PLAIN = """
from tests.samples import untouched_cases

class Plain(unittest.TestCase):
    def test(self):
        before = untouched.Snapshot()
        for _ in range(2):
            with open(untouched.os.devnull, "w") as stream:
                result = unittest.TextTestRunner(stream).run(untouched_cases.Plain("test_a_coroutine"))
            self.assertTrue(result.wasSuccessful())
            self.assertEqual(before.differences(), [])

unittest.main()
"""

WITHOUT_END = """
from tests.samples import untouched_cases

test = untouched_cases.Plain("test_a_coroutine")
result = unittest.TestResult()
test.run(result)
print("left before:", len(differences()))
with open(untouched.os.devnull, "w") as stream:
    unittest.TextTestRunner(stream).run(test)
assert differences()  # the first run may go on
del result
with open(untouched.os.devnull, "w") as stream:
    unittest.TextTestRunner(stream).run(test)
print("left after:", differences())
"""

FUNCTION = """
import threading, pytest

def fail_in_thread():
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

def fail():
    raise ValueError("planted")

@pytest.mark.asynctest_tornado
async def test_passes():
    pass
"""

OUTER = f"""
{FUNCTION}

@pytest.mark.asynctest_tornado
def test_1():
    def run():
        assert pytest.main(["-p", "no:cacheprovider", "test_inner.py"]) == 0
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    fail_in_thread()

@pytest.mark.asynctest_tornado
def test_2():
    fail_in_thread()
"""


class LaterTest(unittest.TestCase):
    """A function that another library puts in place of ours, and that calls ours."""

    def test_it_survives_the_run_and_works(self) -> None:
        done = run_code(INSTRUMENTED)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            json.loads(done.stdout.splitlines()[-1]),
            {"init": 1, "thread": 1, "log": 1, "submit": 1, "again": ["addError"]},
        )

    def test_an_instrumentation_of_the_program_before_the_tests_is_beneath(self) -> None:
        done = run_code(EARLIER)
        self.assertRegex(done.stderr, r"ERROR: test \((?s:.*)ZeroDivisionError")
        self.assertEqual(done.stdout, "[]\nafter: ZeroDivisionError\n")

    def test_a_wrapper_before_the_first_test_hides_no_error(self) -> None:
        for name in "setUpModule", "setUpClass":
            with self.subTest(name):
                done = run_code(WRAPPED.replace("PLACE", name))
                self.assertIn("FAILED (errors=5)", done.stderr, done.stderr)

    def test_a_wrapper_of_a_fixture_of_pytest_hides_no_error(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            code = WRAPPED.partition("class Sample")[0]
            Path(folder, "conftest.py").write_text(f"{code}{FIXTURE}")
            Path(folder, "test_it.py").write_text(FUNCTION + "    fail_in_thread()\n")
            done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
        self.assertIn("1 failed", done.stdout, done.stdout)

    def test_a_mock_before_the_first_test_stays_in_front(self) -> None:
        done = run_code(MOCKED)
        self.assertRegex(done.stderr, r"test_1 .* ok\ntest_2 .* ERROR\n", done.stderr)


INSTRUMENTED = """
import asyncio, collections, functools, json, logging, threading, unittest
from concurrent.futures import ThreadPoolExecutor
from tornado.web import RequestHandler
from tests.samples import untouched, untouched_cases
from tests.support import RecordingResult

calls = collections.Counter()
log = logging.getLogger("tornado.application")

def wrap(owner, attribute, name):
    before = getattr(owner, attribute)

    @functools.wraps(before)
    def later(*args, **kwargs):
        calls[name] += 1
        return before(*args, **kwargs)

    setattr(owner, attribute, later)
    return later

class Instrumenting(untouched_cases.Plain):
    def test_instrument(self):
        put_in.extend([
            (RequestHandler, "__init__", wrap(RequestHandler, "__init__", "init")),
            (threading, "excepthook", wrap(threading, "excepthook", "thread")),
            (log, "handle", wrap(log, "handle", "log")),
            (ThreadPoolExecutor, "submit", wrap(ThreadPoolExecutor, "submit", "submit")),
        ])

put_in = []
assert unittest.TextTestRunner().run(Instrumenting("test_instrument")).wasSuccessful()
calls.clear()
for owner, attribute, later in put_in:
    assert getattr(owner, attribute) is later, attribute

def fail_in_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()

fail_in_thread()
asyncio.run(untouched.serve_and_fetch())
log.warning("one")
# Twice with the threads of the traffic.
calls["submit"] = min(calls["submit"], 1)
calls["init"] = min(calls["init"], 1)
calls["thread"] = min(calls["thread"], 1)

class Failing(untouched_cases.Plain):
    def test_fail_in_thread(self):
        fail_in_thread()

counted = dict(calls)
result = RecordingResult()
Failing("test_fail_in_thread").run(result)
result.stopTestRun()
print(json.dumps({**counted, "again": result.verdicts}))
"""

EARLIER = """
import threading, unittest
from asynctest_tornado import AsyncTestCase

found = []
threading.excepthook = hook = lambda args: found.append(args.exc_type.__name__)

def fail_in_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()

class Sample(AsyncTestCase):
    def test(self):
        fail_in_thread()

unittest.main(exit=False)
print(found, flush=True)
assert threading.excepthook is hook
fail_in_thread()
print("after:", *found, flush=True)
"""

WRAPPED = """
import sys, threading, unittest, warnings
from concurrent.futures import ThreadPoolExecutor
from tornado import gen, web
from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase

before = []

def unwrap():
    for owner, name, found in before:
        setattr(owner, name, found)
    before.clear()

def wrap():
    for owner, name in (
        (ThreadPoolExecutor, "submit"), (web.RequestHandler, "__init__"), (gen, "_create_future"),
        (threading, "excepthook"), (sys, "unraisablehook"), (warnings, "_warn_unawaited_coroutine"),
    ):
        def call(*args, found=getattr(owner, name), **kwargs):
            return found(*args, **kwargs)
        before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, call)

class Sample(AsyncTestCase):
    def test_thread(self):
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    def test_finalizer(self):
        class Thing:
            def __del__(self):
                raise ValueError

        Thing()

    async def test_unawaited(self):
        async def work():
            pass

        work()

    async def test_coroutine(self):
        @gen.coroutine
        def work():
            yield gen.moment
            raise ValueError

        self.future = work()

class Served(AsyncHTTPTestCase):
    def get_app(self):
        class Handler(web.RequestHandler):
            def get(self):
                self.finish("done")

            def on_finish(self):
                raise KeyError("planted")

        return web.Application([("/", Handler)])

    def test_on_finish(self):
        self.fetch("/")

if "PLACE" == "setUpModule":
    setUpModule = wrap
else:
    Sample.setUpClass = Served.setUpClass = classmethod(lambda cls: wrap())
    Sample.tearDownClass = Served.tearDownClass = classmethod(lambda cls: unwrap())

unittest.main()
"""

FIXTURE = """
import pytest

@pytest.fixture(scope="session", autouse=True)
def wrapped():
    wrap()
"""

MOCKED = """
import threading, unittest
from unittest import mock
from tornado.httpclient import AsyncHTTPClient
from asynctest_tornado import AsyncTestCase

def setUpModule():
    patcher = mock.patch.object(AsyncHTTPClient, "fetch")
    fetch = patcher.start()
    unittest.addModuleCleanup(patcher.stop)

class First(AsyncTestCase):
    def test_1(self):
        AsyncHTTPClient().fetch("/")
        AsyncHTTPClient.fetch.assert_called_once_with("/")

class Second(AsyncTestCase):
    def test_2(self):
        self.io_loop.add_callback(lambda: 1 / 0)
        self.wait()

unittest.main(verbosity=2)
"""


class LateTest(unittest.TestCase):
    """Errors of a test between the end of the run and the end of the process."""

    def test_a_thread_that_a_test_has_left(self) -> None:
        done = run_code(LEFT)
        self.assertIn("\nOK\n", done.stderr)
        self.assertRegex(done.stderr, r"after the end of the test run:\nERROR: test_a_guilty \(")
        self.assertEqual(done.stdout, "the program goes on\n")
        self.assertEqual(done.returncode, 120)

    def test_a_callback_of_a_job_that_ends_as_the_interpreter_does(self) -> None:
        done = run_code(JOB)
        self.assertIn("\nOK\n", done.stderr)
        self.assertRegex(done.stderr, r"after the end of the test run:\nERROR: test \((?s:.*)ValueError: planted")
        self.assertEqual(done.returncode, 120)


LEFT = """
import unittest
from tests.samples.late import at_module_end, support

class Sample(support.Guilty):
    left = support.Left()

del support.Guilty.test_b_innocent
unittest.main(defaultTest="Sample", exit=False)
print("the program goes on", flush=True)
Sample.left.fail()
"""

JOB = """
import threading, unittest
from concurrent.futures import ThreadPoolExecutor
from asynctest_tornado import AsyncTestCase

pool = ThreadPoolExecutor(1)
go = threading.Event()
threading._register_atexit(go.set)

def fail(future):
    raise ValueError("planted")

class Sample(AsyncTestCase):
    leaks = "ignore"

    def test(self):
        pool.submit(go.wait).add_done_callback(fail)

unittest.main()
"""


class Sent(unittest.TestResult):
    """A result that can be sent to another process."""

    is_over = False

    def stopTestRun(self) -> None:
        self.is_over = True

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_original")}


class ResultsTest(unittest.TestCase):
    """A result has a stand-in for its method ``stopTestRun`` as long as its run goes on."""

    def setUp(self) -> None:
        class Sample(AsyncTestCase):
            async def test(self) -> None:
                await asyncio.sleep(0)

        self.result = Sent()
        Sample("test").run(self.result)

    def test_another_process_gets_a_result_with_its_own_method(self) -> None:
        for copied in copy.deepcopy(self.result), pickle.loads(pickle.dumps(self.result)):
            copied.stopTestRun()
            self.assertTrue(copied.is_over)
            self.assertFalse(self.result.is_over)

    def test_it_does_not_keep_the_result_alive(self) -> None:
        gone = weakref.ref(self.result)
        del self.result
        self.assertIsNone(gone())

    def test_it_is_as_before_at_the_end(self) -> None:
        self.assertIn("stopTestRun", vars(self.result))
        self.result.stopTestRun()
        self.assertNotIn("stopTestRun", vars(self.result))


class AttachTest(AsyncTestCase):
    """Patches that another program takes out are put in again with the next test."""

    def test_a_handler_and_a_hook(self) -> None:
        self.assertIn("asynctest_tornado", RequestHandler.__init__.__globals__["__name__"])
        thread = threading.Thread(target=cases.boom)
        thread.start()
        with self.assertRaisesRegex(ValueError, "planted"):
            self.wait()
        thread.join()
