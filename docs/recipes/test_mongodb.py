"""Tests with MongoDB: a client and a database for each test."""

import os
import unittest
import uuid

from motor.motor_tornado import MotorClient
from tornado.web import Application, HTTPError, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase

URI = os.environ.get("MONGODB_URI")


class ItemHandler(RequestHandler):
    async def get(self, name):
        item = await self.settings["items"].find_one({"_id": name})
        if item is None:
            raise HTTPError(404)
        self.write(item)

    async def put(self, name):
        await self.settings["items"].insert_one({"_id": name})


@unittest.skipIf(URI is None, "MONGODB_URI is not set")
class ItemTest(AsyncHTTPTestCase):
    def get_app(self):
        client = MotorClient(URI, io_loop=self.io_loop)  # a client is for one loop, and each test has its own
        self.addCleanup(client.close)
        database = client[f"test_{uuid.uuid4().hex}"]
        self.addAsyncCleanup(client.drop_database, database.name)  # runs before client.close
        self.items = database["items"]
        return Application([("/items/(.*)", ItemHandler)], items=self.items)

    async def test_an_item_is_stored(self):
        response = await self.fetch("/items/tea", method="PUT", body=b"")
        self.assertStatus(response, 200)
        self.assertEqual(await self.items.find_one({}), {"_id": "tea"})

    async def test_an_item_is_found(self):
        await self.items.insert_one({"_id": "tea"})
        self.assertEqual((await self.fetch("/items/tea")).json(), {"_id": "tea"})

    async def test_no_item(self):
        self.assertStatus(await self.fetch("/items/milk"), 404)
