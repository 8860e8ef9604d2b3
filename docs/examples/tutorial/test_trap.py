import time

from asynctest_tornado import ExceptionStackContext

from delay import delay_async
from plain_loop import PlainLoopTestCase


class TrapTest(PlainLoopTestCase):
    def test_delay_async(self):
        start = time.monotonic()
        errors = []

        def done():
            self.assertGreaterEqual(time.monotonic() - start, 0.1)
            self.io_loop.stop()

        def handler(typ, value, traceback):
            errors.append(value)
            self.io_loop.stop()
            return True  # The error is handled: Tornado does not log it.

        with ExceptionStackContext(handler):
            delay_async(0.1, done)
        self.io_loop.start()
        if errors:
            raise errors[0]
