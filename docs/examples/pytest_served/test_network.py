"""Test functions for pytest that serve the services which an application depends on."""

import pytest
from tornado.web import Application, RequestHandler

from asynctest_tornado import VirtualNetwork
from docs.examples.shop import make_app


class ChargeHandler(RequestHandler):
    def post(self):
        self.write({"amount": 5})


@pytest.fixture
def payments(network):
    return network.serve("https://payments.example", Application([("/charge", ChargeHandler)]))


async def test_a_customer_pays(payments, serve):
    shop = await serve(make_app(payments=payments.url))
    response = await shop.fetch("/checkout", json={"amount": 5})
    assert response.json() == {"paid": 5}
    assert [request.body for request in payments.requests] == [b'{"amount": 5}']


@pytest.mark.gen_test(network_factory=VirtualNetwork)
async def test_a_customer_pays_in_memory(payments, serve):
    await test_a_customer_pays(payments, serve)


@pytest.mark.gen_test
def test_the_provider_is_down(payments, asynctest_tornado_network):
    payments.stop()
    assert asynctest_tornado_network.serve(payments.url, Application()) is not payments
