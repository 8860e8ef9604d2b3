"""Each test has a new database, with its tables."""

import aiosqlite
from tornado.escape import json_decode
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase

MIGRATIONS = [
    "CREATE TABLE items (name TEXT PRIMARY KEY, price INTEGER NOT NULL)",
    "ALTER TABLE items ADD COLUMN stock INTEGER NOT NULL DEFAULT 0",
]


class ItemsHandler(RequestHandler):
    async def post(self):
        item = json_decode(self.request.body)
        db = self.settings["db"]
        await db.execute("INSERT INTO items (name, price) VALUES (:name, :price)", item)
        await db.commit()
        self.set_status(201)

    async def get(self):
        async with self.settings["db"].execute("SELECT name, price, stock FROM items") as rows:
            self.write({"items": [tuple(row) for row in await rows.fetchall()]})


class ItemsTest(AsyncHTTPTestCase):
    leaks = "fail"

    async def get_app(self):
        self.db = await self.enterAsyncContext(aiosqlite.connect(":memory:"))
        for statement in MIGRATIONS:
            await self.db.execute(statement)
        return Application([("/items", ItemsHandler)], db=self.db)

    def test_an_item_is_stored(self):
        self.assertStatus(self.fetch("/items", json={"name": "tea", "price": 3}), 201)
        self.assertEqual(self.fetch("/items").json(), {"items": [["tea", 3, 0]]})

    async def test_an_item_that_is_there(self):
        await self.db.execute("INSERT INTO items VALUES ('coffee', 4, 10)")
        response = await self.fetch("/items")
        self.assertEqual(response.json(), {"items": [["coffee", 4, 10]]})
