"""The lines of the table in the page "Which one do I need?" that are about pytest."""

import asyncio

import pytest
from tornado import gen
from tornado.web import Application, RequestHandler

from asynctest_tornado import VirtualClock


async def double(number):
    await asyncio.sleep(0.01)
    return 2 * number


@gen.coroutine
def double_in_a_generator(number):
    yield gen.sleep(0.01)
    return 2 * number


class PricesHandler(RequestHandler):
    def get(self):
        self.write({"price": {"tea": 3}[self.get_argument("item")]})


def make_app():
    return Application([("/prices", PricesHandler)])


async def test_coroutine(io_loop):
    assert await double(21) == 42


@pytest.mark.gen_test
def test_generator():
    answer = yield double_in_a_generator(21)
    assert answer == 42


async def test_price(serve):
    server = await serve(make_app())
    response = await server.fetch("/prices?item=tea")
    assert response.json() == {"price": 3}


@pytest.fixture(scope="module")
async def shop(serve):
    return await serve(make_app(), https=True)


async def test_prices(shop):
    response = await shop.fetch("/prices?item=tea")
    assert response.json() == {"price": 3}


@pytest.mark.gen_test(clock_factory=VirtualClock)
async def test_an_hour(clock):
    await asyncio.sleep(3600)
    assert clock.time() == 3600
