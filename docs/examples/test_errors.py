"""Errors that a test expects."""

import asyncio

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, ExpectError, ExpectLog, NullContext


def boom():
    raise ValueError("boom")


class Expected(AsyncTestCase):
    async def test_error(self):
        with ExpectError(ValueError, r"boom") as expected:
            self.io_loop.add_callback(boom)
            await asyncio.sleep(0.001)
        self.assertEqual(str(expected.exceptions[0]), "boom")

    async def test_log(self):
        with ExpectLog("tornado.application", "Exception in callback"):
            self.io_loop.add_callback(boom)
            await asyncio.sleep(0.001)


class ByHand(AsyncTestCase):
    def handle(self, typ, value, tb):
        self.stop(value)
        return True  # It is handled: the test does not fail.

    def test_handler(self):
        with ExceptionStackContext(self.handle):
            self.io_loop.call_later(0.001, boom)
        self.assertIsInstance(self.wait(), ValueError)

    def test_not_in_this_block(self):
        with ExceptionStackContext(self.handle), NullContext():
            self.io_loop.add_callback(boom)
        with self.assertRaisesRegex(ValueError, "boom"):
            self.wait()
