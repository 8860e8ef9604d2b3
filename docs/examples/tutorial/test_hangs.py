import time

from delay import delay_async
from plain_loop import PlainLoopTestCase


class HangingTest(PlainLoopTestCase):
    def test_delay_async(self):
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, 0.1)
            self.io_loop.stop()

        delay_async(0.1, done)
        self.io_loop.start()
