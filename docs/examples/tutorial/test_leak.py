from asynctest_tornado import AsyncTestCase
from tornado.ioloop import PeriodicCallback


class LeakTest(AsyncTestCase):
    leaks = "fail"

    async def test_heartbeat(self):
        heartbeat = PeriodicCallback(print, 1000)
        heartbeat.start()
        self.assertTrue(heartbeat.is_running())
