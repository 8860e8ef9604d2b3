"""Test cases whose setUp() does not call AsyncTestCase.setUp(), or does so in some other way."""

import asyncio
import sys
from collections.abc import Generator
from typing import Any
from unittest import mock

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.web import Application

from asynctest_tornado import AsyncHTTPSTestCase, AsyncHTTPTestCase, AsyncTestCase, gen_test
from tests.samples.cases import boom


def loop_of_set_up() -> asyncio.AbstractEventLoop:
    return asyncio.get_event_loop_policy().get_event_loop() if sys.version_info < (3, 14) else asyncio.get_event_loop()


class UsesLoopInSetUp(AsyncTestCase):
    def setUp(self) -> None:
        self.loop = loop_of_set_up()

    async def asyncSetUp(self) -> None:
        self.assertIs(asyncio.get_running_loop(), self.loop)

    async def test(self) -> None:
        self.assertIs(asyncio.get_running_loop(), self.loop)


class GenTestSetUp(AsyncTestCase):
    @gen_test
    def setUp(self) -> Generator[Any, Any, None]:
        yield gen.moment

    def test(self) -> None:
        self.io_loop.run_sync(lambda: asyncio.sleep(0))


class MixinWithoutSuper:
    def setUp(self) -> None:
        self.items = [1]


class BehindMixin(MixinWithoutSuper, AsyncTestCase):
    def setUp(self) -> None:
        super().setUp()

    async def test(self) -> None:
        self.assertEqual(self.items, [1])


class HelperCallsSuper(AsyncTestCase):
    def setUp(self) -> None:
        self.prepare()

    def prepare(self) -> None:
        AsyncTestCase.setUp(self)

    async def test(self) -> None:
        self.assertIs(IOLoop.current(), self.io_loop)


class LoopNeedsSetUp(AsyncTestCase):
    """Its setUp() sets an attribute that the loop is made of."""

    def setUp(self) -> None:
        self.reason = "set"

    def get_new_ioloop(self) -> IOLoop:
        self.seen = self.reason
        return super().get_new_ioloop()

    async def test(self) -> None:
        self.assertEqual(self.seen, "set")


class PatchedSetUp(AsyncTestCase):
    @mock.patch("os.getcwd", return_value="patched")
    def setUp(self, getcwd: mock.Mock) -> None:
        super().setUp()
        self.of_set_up = self.io_loop

    def test(self) -> None:
        self.assertIs(self.io_loop, self.of_set_up)


class OwnLoop(AsyncTestCase):
    """Makes and closes its loop by itself."""

    def setUp(self) -> None:
        self.io_loop = self.own = IOLoop(make_current=False)

    def tearDown(self) -> None:
        self.io_loop.close(all_fds=True)

    def test_wait(self) -> None:
        self.assertIs(self.io_loop, self.own)
        self.assertIs(IOLoop.current(), self.own)
        self.io_loop.add_callback(self.stop, 42)
        self.assertEqual(self.wait(), 42)

    @gen_test
    async def test_gen_test(self) -> None:
        self.assertIs(IOLoop.current(), self.own)
        await gen.sleep(0)

    def test_error(self) -> None:
        self.io_loop.add_callback(boom)
        self.wait()


class OwnLoopInstead(OwnLoop):
    """Takes another loop than the one that it got."""

    def setUp(self) -> None:
        AsyncTestCase.setUp(self)
        super().setUp()


class LoopTooEarly(AsyncTestCase):
    def setUp(self) -> None:
        self.io_loop.add_callback(boom)
        super().setUp()

    def test(self) -> None: ...


class NoServer(AsyncHTTPTestCase):
    def setUp(self) -> None:
        self.items: list[int] = []

    def get_app(self) -> Application:
        return Application()

    def test_fetch(self) -> None:
        self.fetch("/")

    async def test_fetch_in_coroutine(self) -> None:
        await self.fetch("/")

    def test_url(self) -> None:
        self.get_url("/")

    def test_port(self) -> None:
        self.get_http_port()

    def test_websocket(self) -> None:
        self.run_sync(self.ws_connect, "/")

    def test_client(self) -> None:
        self.http_client.fetch("/")

    def test_server(self) -> None:
        self.http_server.stop()

    def test_application(self) -> None:
        self._app.settings.clear()

    def test_needs_none(self) -> None:
        self.assertFalse(hasattr(self, "http_client"))
        self.io_loop.run_sync(lambda: asyncio.sleep(0))


class NoServerOfTLS(NoServer, AsyncHTTPSTestCase):
    pass


class NoServerOfClass(NoServer):
    loop_scope = "class"
