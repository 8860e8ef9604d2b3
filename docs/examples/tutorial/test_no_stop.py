from asynctest_tornado import AsyncTestCase

from delay import delay_async


class NoStopTest(AsyncTestCase):
    def test_delay_async(self):
        delay_async(0.1, callback=lambda: None)
        self.wait(timeout=60)
