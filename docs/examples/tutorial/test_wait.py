import time

from asynctest_tornado import AsyncTestCase

from delay import delay_async


class WaitTest(AsyncTestCase):
    def test_assertion_after_wait(self):
        start = time.monotonic()
        delay_async(0.1, callback=self.stop)
        self.wait()
        self.assertGreaterEqual(time.monotonic() - start, 0.1)

    def test_assertion_in_callback(self):
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, 0.1)
            self.stop()

        delay_async(0.1, done)
        self.wait()
