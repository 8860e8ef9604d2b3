from asynctest_tornado import gen_test

from documents import DocumentsTestCase


class RaceTest(DocumentsTestCase):
    def setUp(self):
        super().setUp()
        self.insert_document()

    @gen_test
    def test_find_one(self):
        document = yield self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})
