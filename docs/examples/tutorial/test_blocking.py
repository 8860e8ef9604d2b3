import time
import unittest

from delay import delay


class BlockingTest(unittest.TestCase):
    def test_delay(self):
        start = time.monotonic()
        delay(0.1)
        self.assertGreaterEqual(time.monotonic() - start, 0.1)
