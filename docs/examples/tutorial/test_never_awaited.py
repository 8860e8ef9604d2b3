from asynctest_tornado import gen_test

from documents import DocumentsTestCase


class NeverAwaitedTest(DocumentsTestCase):
    def setUp(self):
        super().setUp()
        self.insert_native()

    async def insert_native(self):
        await self.collection.delete_many({})
        await self.collection.insert_one({"_id": 1})

    @gen_test
    def test_find_one(self):
        document = yield self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})
