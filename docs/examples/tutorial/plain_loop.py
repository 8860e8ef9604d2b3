import asyncio
import unittest

from tornado.ioloop import IOLoop


class PlainLoopTestCase(unittest.TestCase):
    def setUp(self):
        asyncio.set_event_loop(asyncio.new_event_loop())
        self.io_loop = IOLoop.current()

    def tearDown(self):
        asyncio.set_event_loop(None)
        self.io_loop.close(all_fds=True)
