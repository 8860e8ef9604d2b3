from documents import DocumentsTestCase


class NoDecoratorTest(DocumentsTestCase):
    def test_find_one(self):
        document = yield self.collection.find_one({"_id": 1})
        self.assertEqual(document, {"_id": 1})
