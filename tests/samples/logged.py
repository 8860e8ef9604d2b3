"""Test cases that log, some of which fail. A program runs them: they have no handlers."""

import asyncio
import logging
import threading
import unittest

from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase

log = logging.getLogger("shop")


class Outcomes(AsyncTestCase):
    def test_passes(self) -> None:
        log.warning("in a test that passes")

    def test_fails(self) -> None:
        log.warning("low on %s", "milk")
        self.fail("planted")

    @unittest.expectedFailure
    def test_fails_as_expected(self) -> None:
        log.warning("in a test that fails as expected")
        self.fail("planted")

    def test_skipped(self) -> None:
        log.warning("in a test that is skipped")
        self.skipTest("planted")


class Fixtures(AsyncTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        log.warning("in setUpClass")

    def setUp(self) -> None:
        super().setUp()
        log.warning("in setUp")

    def test(self) -> None:
        self.addCleanup(log.warning, "in a cleanup")
        log.warning("in the test")
        self.fail("planted")

    def tearDown(self) -> None:
        log.warning("in tearDown")
        super().tearDown()


class Subtests(AsyncTestCase):
    def test(self) -> None:
        for number in 1, 2:
            with self.subTest(number=number):
                log.warning("in subtest %d", number)
                self.fail(f"planted {number}")


class Elsewhere(AsyncTestCase):
    """Code that the test has set off logs."""

    async def test(self) -> None:
        self.io_loop.call_later(0, log.warning, "in a timer")
        thread = threading.Thread(target=log.warning, args=["in a thread"])
        thread.start()
        thread.join()
        await asyncio.sleep(0.001)
        self.fail("planted")


class OnOneLoop(Fixtures):
    loop_scope = "class"


class Handlers(AsyncHTTPTestCase):
    class Good(RequestHandler):
        def get(self) -> None:
            log.warning("in a handler")

    class Bad(RequestHandler):
        def get(self) -> None:
            raise ValueError("planted in a handler")

    def get_app(self) -> Application:
        return Application([("/good", self.Good), ("/bad", self.Bad)])

    def test_fails(self) -> None:
        self.fetch("/good")
        self.fail("planted")

    def test_fails_of_an_error(self) -> None:
        self.assertEqual(self.fetch("/bad").code, 200)

    def test_passes(self) -> None:
        self.assertEqual(self.fetch("/bad").code, 500)


class Raises(AsyncTestCase):
    def test(self) -> None:
        try:
            raise ValueError("planted, logged and raised")
        except ValueError:
            log.exception("before it is raised")
            raise

    def test_another(self) -> None:
        try:
            raise ValueError("planted and handled")
        except ValueError:
            log.exception("it is handled")
        self.fail("planted")

    async def test_in_a_task(self) -> None:
        async def work() -> None:
            raise ValueError("planted in a task")

        self.task = asyncio.create_task(work())
        await asyncio.sleep(0.001)


class ExpectsLogs(AsyncTestCase):
    def test(self) -> None:
        with self.assertLogs("shop"):
            log.warning("expected by assertLogs")
        with self.assertNoLogs("shop"):
            log.warning("not expected by assertNoLogs")


class Plain(unittest.TestCase):
    """A test of unittest's own class."""

    def test(self) -> None:
        log.warning("in a plain test")


class Endless(AsyncHTTPTestCase):
    """At the end of the test, its handler is cancelled."""

    class Handler(RequestHandler):
        async def get(self) -> None:
            await asyncio.sleep(60)

    def get_app(self) -> Application:
        return Application([("/", self.Handler)])

    async def test(self) -> None:
        self.task = asyncio.ensure_future(self.http_client.fetch(self.get_url("/")))
        await asyncio.sleep(0.01)
        self.task.cancel()
        self.fail("planted")
