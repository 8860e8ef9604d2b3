"""The same tests, going wrong on purpose: the test does not run, or does not wait for setUp.

Discovery does not find this module. ``reports`` has unittest's report of each test, under the test's name.
"""

import unittest

from asynctest_tornado import gen_test
from examples.motor_find_one.mongodb import temporary_database
from examples.motor_find_one.test_find_one import FindOneTestCase


def setUpModule():
    # Never on a server with other data: an operation that is not awaited may write after its database was dropped.
    FindOneTestCase.database = unittest.enterModuleContext(temporary_database())


class UndecoratedTest(FindOneTestCase):
    """Mistake 1. The test does not run, because ``@gen_test`` is missing.

    The ``yield`` makes the method a generator function, and a call of the method returns a generator that stands
    before the first line. The document is not looked up, and the assertion does not see that it is missing. A plain
    ``unittest.TestCase`` lets this pass, by now with a DeprecationWarning.
    """

    def test_find_one(self):
        """A test that only made a generator has not passed."""
        document = yield self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})


class SetUpIsNotAwaitedTest(FindOneTestCase):
    """Mistake 2. setUp calls the coroutine and does not wait for it.

    Motor hands each operation to a thread. When setUp returns, one thread is at work on the first operation of
    ``setup_coro``, the removal. The coroutine can go on only when the loop runs, which is during the test; and the
    test has asked for the document by the time at which the coroutine asks to insert it.

    If Motor has one thread (``MOTOR_MAX_WORKERS=1``), it does things in the order in which it was asked, and the test
    finds nothing, always. With more threads, which is Motor's default, it is a race. On one machine, idle or busy, 0
    to 21 of 300 such tests passed, each with a database of its own; and 68 to 113 of 300, if the client was connected
    before. In a suite, that is a test which fails "sometimes".
    """

    def setUp(self):
        super().setUp()
        self.setup_coro()

    @gen_test
    def test_find_one(self):
        """A document that setUp has only begun to insert is not there for the test."""
        document = yield self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})


class NeverAwaitedTest(FindOneTestCase):
    """Mistake 2 again, with an ``async def`` in the place of the generator. This one is no race.

    A call of an ``async def`` does not even begin it, so nothing is ever inserted. Python itself notices that, when it
    throws the coroutine away; a type checker may notice it before.
    """

    def setUp(self):
        super().setUp()
        self.setup_native()

    async def setup_native(self):
        """Put one document into the collection, and remove the documents of earlier tests."""
        await self.collection.delete_many({})
        await self.collection.insert_one({"_id": 1})

    async def test_find_one(self):
        """A document that setUp has not even begun to insert is not there for the test."""
        document = await self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})
