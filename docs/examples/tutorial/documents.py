from asynctest_tornado import AsyncTestCase
from motor.motor_tornado import MotorClient
from tornado import gen


class DocumentsTestCase(AsyncTestCase):
    def setUp(self):
        super().setUp()
        client = MotorClient("mongodb://localhost:27017", io_loop=self.io_loop)
        self.addCleanup(client.close)
        # One collection for each test class.
        self.collection = client.tutorial[type(self).__name__]

    @gen.coroutine
    def insert_document(self):
        yield self.collection.delete_many({})
        yield self.collection.insert_one({"_id": 1})
