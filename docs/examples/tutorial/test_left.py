import time

from asynctest_tornado import AsyncTestCase

from delay import delay_async


class LostTest(AsyncTestCase):
    def test_delay_async(self):
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, 0.1)

        delay_async(0.1, done)
