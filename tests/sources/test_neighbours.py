"""Functions of other libraries in the place of functions that this library replaces as well."""

import asyncio
import functools
import gc
import logging
import os
import socket
import sys
import threading
import unittest
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest import mock

from tornado.log import app_log, gen_log
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, ExpectError
from asynctest_tornado._util.patching import Patch, Patches
from tests.samples import cases
from tests.support import run_body, run_code


class MockedStartTest(AsyncTestCase):
    """A mock that was begun before the test case is set up."""

    def setUp(self) -> None:
        self.start = self.enterContext(mock.patch.object(threading.Thread, "start"))
        super().setUp()

    def test_no_thread_is_started(self) -> None:
        thread = threading.Thread(target=self.fail)
        thread.start()
        self.start.assert_called_once_with()
        self.assertIsNone(thread.ident)


class InstrumentedStartTest(AsyncTestCase):
    """An instrumentation for the whole class, over several tests."""

    started: list[threading.Thread]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.started = []
        original = threading.Thread.start

        @functools.wraps(original)
        def start(thread: threading.Thread) -> None:
            cls.started.append(thread)
            original(thread)

        cls.enterClassContext(mock.patch.object(threading.Thread, "start", start))

    def check(self) -> None:
        thread = threading.Thread(target=cases.boom)
        with ExpectError(ValueError, "planted"):
            thread.start()
            thread.join()
        self.assertIs(self.started[-1], thread)

    def test_the_first(self) -> None:
        self.check()

    def test_the_second(self) -> None:
        self.check()


class ThreadsTest(AsyncTestCase):
    def test_a_thread_that_is_started_twice_is_refused_and_left_as_it_was(self) -> None:
        thread = threading.Thread(target=int)
        before = set(vars(thread))
        thread.start()
        with self.assertRaisesRegex(RuntimeError, "threads can only be started once"):
            thread.start()
        thread.join()
        self.assertLessEqual(set(vars(thread)), before)

    def test_a_mock_of_run_is_called(self) -> None:
        thread = threading.Thread()
        with mock.patch.object(thread, "run") as run:
            thread.start()
            thread.join()
        run.assert_called_once_with()

    def test_a_mock_of_the_class_does_not_affect_a_derived_one(self) -> None:
        class Derived(threading.Thread):
            def __init__(self) -> None:
                super().__init__()

        thread = Derived()
        with mock.patch.object(threading, "Thread"):
            thread.start()
        thread.join()


class Handler(RequestHandler):
    def get(self) -> None:
        self.write("found")


class MockedFunctionsTest(AsyncHTTPTestCase):
    """Functions of Python that a test mocks are called by the code under test alone."""

    def get_app(self) -> Application:
        return Application([("/", Handler)])

    def check_fetch(self) -> None:
        self.assertEqual(self.fetch("/").body, b"found")

    async def test_a_sleep_of_asyncio(self) -> None:
        with mock.patch.object(asyncio, "sleep") as sleep:
            (await TCPClient().connect("127.0.0.1", self.get_http_port())).close()
        sleep.assert_not_called()

    def test_a_lookup_of_hosts(self) -> None:
        answers = [socket.gaierror("planted"), AssertionError("twice")]
        with mock.patch.object(socket, "getaddrinfo", side_effect=answers), self.assertRaisesRegex(OSError, "planted"):
            self.fetch("http://127.0.0.1:1/", raise_error=True)

    def test_what_looks_at_the_process(self) -> None:
        for owner, name in (os, "listdir"), (os.path, "exists"), (threading, "active_count"):
            with self.subTest(name=name), mock.patch.object(owner, name) as mocked:
                self.check_fetch()
                mocked.assert_not_called()

    async def test_a_thread_is_seen_behind_a_mock_of_folders(self) -> None:
        may_end = threading.Event()
        with ThreadPoolExecutor() as pool, mock.patch.object(os, "listdir", return_value=["one"]) as listdir:
            future = self.io_loop.run_in_executor(pool, may_end.wait)
            pool.submit(threading.Timer(0.3, may_end.set).start)
            self.assertTrue(await future)
        listdir.assert_not_called()

    def test_a_mock_of_the_running_loop_takes_no_errors(self) -> None:
        with ExpectError(ValueError, "planted"), mock.patch.object(asyncio, "get_running_loop"):
            thread = threading.Thread(target=cases.boom)
            thread.start()
            thread.join()


class OpenError(Exception):
    """Shows all of its attributes."""

    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in vars(self).items())


async def fail_openly(number: int) -> None:
    await asyncio.sleep(0)
    raise OpenError(number=number)


class AttributesOfErrorsTest(AsyncTestCase):
    """An exception has the attributes that its class gives it, and no other ones."""

    async def test_one_of_several_that_are_gathered(self) -> None:
        with self.assertRaises(OpenError) as caught:
            await asyncio.gather(fail_openly(1), fail_openly(2))
        self.assertEqual(str(caught.exception), "number=1")

    def test_one_that_was_trapped(self) -> None:
        self.io_loop.spawn_callback(fail_openly, 1)
        with self.assertRaises(OpenError) as caught:
            self.wait()
        self.assertEqual(str(caught.exception), "number=1")

    async def test_one_that_was_logged(self) -> None:
        with self.assertLogs(app_log) as logs:
            self.io_loop.add_callback(fail_openly, 1)
            await asyncio.sleep(0.01)
        self.assertIn("number=1", logs.output[0].splitlines()[-1])
        self.assertNotIn("number=1,", logs.output[0])


class FirstTestOfAllTest(unittest.TestCase):
    def test_a_mock_of_signals(self) -> None:
        code = """
import signal, unittest
from unittest import mock
from asynctest_tornado import AsyncTestCase, gen_test

class FirstTest(AsyncTestCase):
    @gen_test
    async def test_signals(self):
        signal.signal.assert_not_called()
        signal.getsignal.assert_not_called()

with mock.patch.object(signal, "signal"), mock.patch.object(signal, "getsignal"):
    unittest.main(argv=["first"])
"""
        run = run_code(code)
        self.assertEqual(run.returncode, 0, run.stderr)


class HooksOfTestsTest(AsyncTestCase):
    """Hooks that a test puts in before it is set up get the errors, and the trap does not."""

    def setUp(self) -> None:
        self.on_thread = self.enterContext(mock.patch.object(threading, "excepthook"))
        self.on_unraisable = self.enterContext(mock.patch.object(sys, "unraisablehook"))
        super().setUp()

    def test_a_thread(self) -> None:
        thread = threading.Thread(target=cases.boom)
        thread.start()
        thread.join()
        self.on_thread.assert_called_once()

    def test_a_finalizer(self) -> None:
        class Bad:
            def __del__(self) -> None:
                raise ValueError("planted")

        Bad()
        self.on_unraisable.assert_called_once()


class PatchTest(unittest.TestCase):
    def setUp(self) -> None:
        self.owner: Any = type("Module", (), {"hook": staticmethod(warnings.warn)})
        self.before = vars(self.owner)["hook"]
        self.patch = Patch(self.owner, "hook", self.ours)
        self.patch.put_in()

    @staticmethod
    def ours() -> None: ...

    def test_a_later_function_stays(self) -> None:
        for later in mock.Mock(), functools.wraps(warnings.warn)(lambda: None):
            self.owner.hook = later
            self.assertFalse(self.patch.put_in())
            self.assertIs(self.owner.hook, later)
            self.patch.take_back()
            self.assertIs(self.owner.hook, later)

    def test_ours_comes_back_when_that_goes(self) -> None:
        for present in warnings.warn, threading.__excepthook__, functools.partial(warnings.warn, ""):
            self.owner.hook = present
            self.assertTrue(self.patch.put_in())
            self.assertEqual(self.owner.hook, self.ours)
            self.assertIs(self.patch.found, present)

    def test_it_is_taken_back_if_it_is_still_there(self) -> None:
        self.patch.take_back()
        self.assertIs(vars(self.owner)["hook"], self.before)
        self.assertFalse(self.patch.is_active)

    def test_an_attribute_that_was_not_there_is_gone_again(self) -> None:
        derived: Any = type("Derived", (self.owner,), {})
        patch = Patch(derived, "hook", lambda: None)
        patch.put_in()
        self.assertIn("hook", vars(derived))
        patch.take_back()
        self.assertNotIn("hook", vars(derived))

    def test_one_that_is_buried_does_not_come_on_top_of_a_function_that_leads_to_it(self) -> None:
        buried = self.owner.hook
        self.owner.hook = later = lambda: buried()
        self.patch.take_back()
        self.patch.look()
        self.assertFalse(self.patch.put_in())
        self.assertIs(self.owner.hook, later)
        self.assertTrue(self.patch.is_active)

    def test_a_function_that_the_program_puts_in_before_the_tests_is_no_later_one(self) -> None:
        self.patch.take_back()
        self.owner.hook = earlier = lambda: None
        self.patch.look()
        self.assertTrue(self.patch.put_in())
        self.assertIs(self.patch.found, earlier)
        self.patch.take_back()
        self.assertIs(self.owner.hook, earlier)

    def test_one_that_is_needed_stays(self) -> None:
        def ours() -> None: ...

        patch = Patch(self.owner, "hook", ours, is_needed=lambda: True)
        self.patch.take_back()
        patch.put_in()
        patch.take_back()
        self.assertIs(self.owner.hook, ours)
        self.assertTrue(patch.is_active)


class PatchesTest(unittest.TestCase):
    """They are in as long as an object needs them."""

    def setUp(self) -> None:
        self.owner: Any = type("Module", (), {"hook": staticmethod(warnings.warn)})
        self.patches = Patches()
        self.patches.add([Patch(self.owner, "hook", lambda: None)])

    def test_the_last_object_frees_them(self) -> None:
        one, two = unittest.TestResult(), unittest.TestResult()
        for owner in one, two:
            self.patches.hold(owner)
        self.assertIsNot(self.owner.hook, warnings.warn)
        self.assertFalse(self.patches.release(one))
        self.assertTrue(self.patches.release(two))

    def test_an_object_that_is_gone_holds_nothing(self) -> None:
        self.patches.hold(unittest.TestResult())
        gc.collect()
        self.assertTrue(self.patches.release(self))


@contextmanager
def wrapped(cls: Any, name: str) -> Iterator[list[Any]]:
    """Replace a method for the block by one that notes its first argument, and calls the original."""
    calls: list[Any] = []
    original = getattr(cls, name)

    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(args[0])
        return original(self, *args, **kwargs)

    with mock.patch.object(cls, name, wrapper):
        yield calls


class LoggersTest(AsyncTestCase):
    def test_a_wrapper_of_the_class_is_called(self) -> None:
        with wrapped(logging.Logger, "handle") as records, self.assertLogs(app_log):
            app_log.warning("one")
        self.assertEqual([record.getMessage() for record in records], ["one"])

    def test_a_mock_of_the_class_is_called(self) -> None:
        with mock.patch.object(logging.Logger, "handle") as handle:
            gen_log.error("one")
        handle.assert_called_once()
        with mock.patch.object(logging.Logger, "isEnabledFor", return_value=False) as is_enabled:
            self.assertFalse(gen_log.isEnabledFor(logging.ERROR))
        is_enabled.assert_called_once_with(logging.ERROR)

    def test_whether_something_is_logged_is_what_the_configuration_says(self) -> None:
        loggers = [logging.getLogger(name) for name in ("tornado.application", "tornado.general", "asyncio")]
        for logger in *loggers, logging.getLogger("concurrent.futures"):
            with mock.patch.object(logger, "disabled", True):
                self.assertFalse(logger.isEnabledFor(logging.CRITICAL))
                self.assertFalse(logging.LoggerAdapter(logger).isEnabledFor(logging.CRITICAL))
            self.assertTrue(logger.isEnabledFor(logging.CRITICAL))
        self.addCleanup(logging.disable, logging.NOTSET)
        logging.disable()
        self.assertFalse(app_log.isEnabledFor(logging.ERROR))

    def test_what_an_application_does_not_log_is_not_made_a_record(self) -> None:
        with mock.patch.object(app_log, "disabled", True), mock.patch.object(app_log, "makeRecord") as make:
            try:
                cases.boom()
            except ValueError:
                app_log.exception("handled")
        make.assert_not_called()


class StrayErrorsTest(unittest.TestCase):
    """Whether Tornado logs an error or an application does is seen by the frames, and by nothing in a record."""

    @staticmethod
    def fail_in_callback(case: AsyncTestCase) -> None:
        case.io_loop.add_callback(cases.boom)
        case.wait(timeout=0)

    @staticmethod
    async def fail_in_asyncio(case: AsyncTestCase) -> None:
        asyncio.get_running_loop().call_soon(cases.boom)
        await asyncio.Event().wait()

    def check(self) -> None:
        for body in self.fail_in_callback, self.fail_in_asyncio:
            with self.subTest(body.__name__):
                self.assertIn("ValueError: planted", run_body(AsyncTestCase, body).report)

    def test_without_places_in_records(self) -> None:
        with mock.patch.object(logging, "_srcfile", None):
            self.check()

    def test_a_record_factory_that_changes_places(self) -> None:
        factory = logging.getLogRecordFactory()
        self.addCleanup(logging.setLogRecordFactory, factory)

        def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = factory(*args, **kwargs)
            record.pathname, record.funcName = "app.py", "log_exception"
            return record

        logging.setLogRecordFactory(make)
        self.check()

    def test_a_record_factory_that_turns_exceptions_into_text(self) -> None:
        factory = logging.getLogRecordFactory()
        self.addCleanup(logging.setLogRecordFactory, factory)

        def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = factory(*args, **kwargs)
            record.exc_text, record.exc_info = str(record.exc_info), None
            return record

        logging.setLogRecordFactory(make)
        self.check()

    def test_wrappers_of_methods_of_loggers(self) -> None:
        for name in "error", "_log":
            with wrapped(logging.Logger, name), wrapped(logging.Logger, name) as calls:
                self.check()
            self.assertTrue(calls)

    def test_a_function_that_gets_a_logger_is_none_of_its_methods(self) -> None:
        def report(logger: logging.Logger) -> None:
            try:
                cases.boom()
            except ValueError:
                logger.exception("handled")

        def body(case: AsyncTestCase) -> None:
            case.io_loop.add_callback(report, app_log)
            case.io_loop.add_callback(case.stop)
            case.wait()

        with self.assertLogs(app_log):
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])

    def test_a_record_of_another_process_is_no_error_of_the_test(self) -> None:
        try:
            cases.boom()
        except ValueError as error:
            info = (type(error), error, error.__traceback__)
        path = sys.modules["tornado.ioloop"].__file__
        record = app_log.makeRecord("tornado.application", logging.ERROR, str(path), 1, "Exception", (), info)

        def body(case: AsyncTestCase) -> None:
            app_log.handle(record)

        with mock.patch.object(app_log, "disabled", True):
            self.assertEqual(run_body(AsyncTestCase, body).verdicts, ["addSuccess"])


class BeforeTheFirstTestTest(unittest.TestCase):
    def test_a_mock_in_the_very_first_test_is_not_taken_for_what_was_there(self) -> None:
        done = run_code(FIRST)
        self.assertRegex(done.stderr, r"test_1.*\.\.\. ok\ntest_2.*\.\.\. ERROR\n", done.stderr)


FIRST = """
import threading, unittest
from unittest import mock
from asynctest_tornado import AsyncTestCase

class Sample(AsyncTestCase):
    def setUp(self):
        if self._testMethodName == "test_1":
            self.hook = self.enterContext(mock.patch.object(threading, "excepthook"))
        super().setUp()

    def test_1(self):
        self.run_thread()
        self.hook.assert_called_once()

    def test_2(self):
        self.run_thread()

    def run_thread(self):
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

unittest.main(verbosity=2)
"""
