"""All tests of a class share one database, and each rolls its changes back."""

import aiosqlite
from tornado.escape import json_decode
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase


class ItemsHandler(RequestHandler):
    async def post(self):
        item = json_decode(self.request.body)
        await self.settings["db"].execute("INSERT INTO items VALUES (:name)", item)

    async def get(self):
        async with self.settings["db"].execute("SELECT name FROM items") as rows:
            self.write({"items": [name for (name,) in await rows.fetchall()]})


class SharedDatabaseTest(AsyncHTTPTestCase):
    loop_scope = "class"

    @classmethod
    async def asyncSetUpClass(cls):
        cls.db = await aiosqlite.connect(":memory:")
        await cls.db.execute("CREATE TABLE items (name TEXT)")
        await cls.db.commit()

    @classmethod
    async def asyncTearDownClass(cls):
        await cls.db.close()

    def get_app(self):  # is called once
        return Application([("/items", ItemsHandler)], db=self.db)

    async def asyncTearDown(self):
        await self.db.rollback()

    def test_an_item_is_stored(self):
        self.fetch("/items", json={"name": "tea"})
        self.assertEqual(self.fetch("/items").json(), {"items": ["tea"]})

    def test_the_database_is_empty_again(self):
        self.assertEqual(self.fetch("/items").json(), {"items": []})
