from asynctest_tornado import AsyncTestCase, VirtualClock

from delay import delay_async


class VirtualTimeTest(AsyncTestCase):
    clock_factory = VirtualClock

    def test_an_hour(self):
        delay_async(3600, callback=self.stop)
        self.wait()
        self.assertEqual(self.clock.time(), 3600)
