import time

from delay import delay_async
from plain_loop import PlainLoopTestCase


class LostTest(PlainLoopTestCase):
    def test_delay_async(self):
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, 0.1)

        delay_async(0.1, done)
