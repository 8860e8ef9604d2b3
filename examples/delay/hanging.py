"""Step 3, with a test that never ends, and is not in ``going_wrong.py`` for that reason. To end it, press Ctrl-C."""

import time

from examples.delay.delay import delay_async
from examples.delay.test_delay import DELAY, PlainLoopTestCase


class LoopByHandTest(PlainLoopTestCase):
    """Step 3. The callback fails in the line before it would have stopped the loop. Tornado logs that, and goes on."""

    def test_too_short(self):
        """A callback that fails before it stops the loop leaves the test hanging."""
        start = time.monotonic()

        def done():
            self.assertGreaterEqual(time.monotonic() - start, DELAY)
            self.io_loop.stop()

        delay_async(DELAY / 1000, done)
        self.io_loop.start()
