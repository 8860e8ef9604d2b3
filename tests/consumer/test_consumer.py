"""A suite as a user would write it, typed: it runs, and a strict type checker has nothing to say."""

import asyncio
import unittest
from collections.abc import Generator
from typing import Any
from unittest import mock

from tornado.httpclient import HTTPResponse
from tornado.web import Application, RequestHandler

from asynctest_tornado import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExceptionStackContext,
    ExpectLog,
    NullContext,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
    setup_with_context_manager,
)


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class LoopTest(AsyncTestCase):
    async_test_timeout = 10

    def setUp(self) -> None:
        super().setUp()
        self.value: int = self.run_sync(asyncio.sleep, 0, 42)
        self.patched = setup_with_context_manager(self, mock.patch("os.getcwd"))

    async def test_coroutine(self) -> None:
        await asyncio.sleep(0)
        self.assertEqual(self.value, 42)

    @gen_test
    def test_generator(self) -> Generator[Any, Any, None]:
        yield asyncio.sleep(0)

    @gen_test(timeout=5)
    async def test_with_argument(self, more: int = 1) -> None:
        self.assertEqual(more, 1)

    def test_arguments_are_checked(self) -> None:
        self.test_with_argument(more=1)

    def test_callback(self) -> None:
        self.io_loop.add_callback(self.stop, "value")
        self.assertEqual(self.wait(lambda: True, timeout=get_async_test_timeout()), "value")

    def test_contexts(self) -> None:
        def handle(typ: type[BaseException], value: BaseException, tb: object) -> bool:
            self.stop(value)
            return True

        with ExceptionStackContext(handle) as deactivate:
            self.io_loop.add_callback(lambda: 1 / 0)
        self.assertIsInstance(self.wait(), ZeroDivisionError)
        deactivate()
        with NullContext(), ExpectLog("tornado.application", "Exception in callback") as expectation:
            self.io_loop.add_callback(lambda: 1 / 0)
            self.run_sync(asyncio.sleep, 0)
        self.assertEqual(expectation.matched, 1)

    def test_port(self) -> None:
        sock, port = bind_unused_port()
        self.addCleanup(sock.close)
        self.assertGreater(port, 0)


class PageTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return Application([("/", Hello)], log_function=lambda handler: None)

    def test_fetch(self) -> None:
        response: HTTPResponse = self.fetch("/", raise_error=True)
        self.assertEqual(response.body, b"hello")


class SecurePageTest(AsyncHTTPSTestCase, PageTest):
    async def test_client(self) -> None:
        response = await self.http_client.fetch(self.get_url("/"))
        self.assertEqual(response.body, b"hello")


if __name__ == "__main__":
    unittest.main()
