"""Look a document up in MongoDB: tests that run to their end, after a setUp that ran to its end. All pass."""

import os
import unittest

from motor.motor_tornado import MotorClient
from tornado import gen

from asynctest_tornado import AsyncTestCase, gen_test
from examples.motor_find_one.mongodb import temporary_database


def setUpModule():
    FindOneTestCase.database = unittest.enterModuleContext(temporary_database(os.environ.get("MONGODB_URI")))


class FindOneTestCase(AsyncTestCase):
    """A collection for each test, and a coroutine that prepares it."""

    def setUp(self):
        super().setUp()
        # A client works on one loop only, and each test has a loop of its own.
        client = MotorClient(self.database.uri, io_loop=self.io_loop)
        self.addCleanup(client.close)
        # One collection for each class, or else a class might find the document of another class.
        self.collection = client[self.database.name][type(self).__name__]

    @gen.coroutine
    def setup_coro(self):
        """Put one document into the collection, and remove the documents of earlier tests."""
        yield self.collection.delete_many({})
        yield self.collection.insert_one({"_id": 1})


class FindOneTest(FindOneTestCase):
    """The tests, after a setUp that waits: ``run_sync`` runs the loop until the coroutine has ended.

    It has the time limit of a test, it raises the errors of the coroutine, and it takes arguments for the coroutine.
    """

    def setUp(self):
        super().setUp()
        self.run_sync(self.setup_coro)

    @gen_test
    def test_generator(self):
        """With gen_test, a generator is run, and gets the results of the futures that it yields."""
        document = yield self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})

    async def test_coroutine(self):
        """A test that is an 'async def' is run as it is."""
        document = await self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})

    async def test_leftovers(self):
        """To prepare the collection removes every other document, so that tests may come in any order."""
        await self.collection.insert_one({"_id": 2})
        await self.setup_coro()
        self.assertEqual(await self.collection.find({}).to_list(None), [{"_id": 1}])


class LoopRunSyncTest(FindOneTestCase):
    """The same with a method of Tornado's loop. It has no time limit, unless the call gives one."""

    def setUp(self):
        super().setUp()
        self.io_loop.run_sync(self.setup_coro)

    async def test_find_one(self):
        """A coroutine that the loop ran in setUp is done when the test begins."""
        document = await self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})


class NativeSetupTest(FindOneTestCase):
    """The same with an ``async def`` to prepare the collection."""

    def setUp(self):
        super().setUp()
        self.run_sync(self.setup_native, document={"_id": 1})

    async def setup_native(self, document):
        """Put one document into the collection, and remove the documents of earlier tests."""
        await self.collection.delete_many({})
        await self.collection.insert_one(document)

    async def test_find_one(self):
        """A native coroutine that run_sync ran in setUp is done when the test begins."""
        document = await self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})
