"""Test functions of pytest: one server and one database for the whole run."""

import aiosqlite
import pytest
from tornado.escape import json_decode
from tornado.web import Application, RequestHandler


class ItemsHandler(RequestHandler):
    async def post(self):
        item = json_decode(self.request.body)
        await self.settings["db"].execute("INSERT INTO items VALUES (:name)", item)

    async def get(self):
        async with self.settings["db"].execute("SELECT name FROM items") as rows:
            self.write({"items": [name for (name,) in await rows.fetchall()]})


@pytest.fixture(scope="session")
async def db():
    async with aiosqlite.connect(":memory:") as db:
        await db.execute("CREATE TABLE items (name TEXT)")
        await db.commit()
        yield db


@pytest.fixture(scope="session")
async def shop(serve, db):
    return await serve(Application([("/items", ItemsHandler)], db=db))


@pytest.fixture(autouse=True)
async def undo(shop, db):
    yield
    await db.rollback()


async def test_an_item_is_stored(shop):
    await shop.fetch("/items", json={"name": "tea"})
    response = await shop.fetch("/items")
    assert response.json() == {"items": ["tea"]}


async def test_the_database_is_empty_again(shop):
    response = await shop.fetch("/items")
    assert response.json() == {"items": []}
