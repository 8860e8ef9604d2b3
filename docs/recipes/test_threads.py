"""A synchronous client, such as requests or urllib, asks the server of the test."""

import asyncio
import json
import urllib.request

from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase


class Client:
    """A client library for programs without a loop."""

    def __init__(self, url):
        self.url = url

    def price(self, item):
        # The same in a thread: requests.get(f"{self.url}/prices/{item}").json()["price"]
        with urllib.request.urlopen(f"{self.url}/prices/{item}") as response:
            return json.load(response)["price"]


class PriceHandler(RequestHandler):
    def get(self, item):
        self.write({"price": {"tea": 3}[item]})


class ClientTest(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/prices/(.*)", PriceHandler)])

    async def test_price(self):
        client = Client(self.get_url(""))
        self.assertEqual(await asyncio.to_thread(client.price, "tea"), 3)

    def test_price_in_synchronous_code(self):
        client = Client(self.get_url(""))
        self.assertEqual(self.run_sync(asyncio.to_thread, client.price, "tea"), 3)
