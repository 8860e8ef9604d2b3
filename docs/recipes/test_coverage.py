"""Code that runs in a callback, in a task and in a thread: coverage sees all of it."""

import asyncio

from tornado.ioloop import IOLoop

from asynctest_tornado import AsyncTestCase


def checksum(data):
    total = sum(data)  # in a thread
    return total % 256


async def store(data, shelf):
    shelf.append(data)  # in a task
    shelf.append(await asyncio.to_thread(checksum, data))


def store_soon(data, shelf):
    def begin():
        task = asyncio.ensure_future(store(data, shelf))  # in a callback
        task.add_done_callback(lambda task: shelf.append("done"))

    IOLoop.current().add_callback(begin)


class StoreTest(AsyncTestCase):
    async def test_store(self):
        shelf = []
        store_soon(b"tea", shelf)
        await self.settle()
        self.assertEqual(shelf, [b"tea", 58, "done"])
