"""A loop that nothing can wake, and that a worker of pytest-xdist would not end. A test runs it."""

import asyncio

from asynctest_tornado import AsyncTestCase


class UserRunsTheLoop(AsyncTestCase):
    def test(self) -> None:
        self.io_loop.add_callback(lambda: asyncio.get_running_loop().create_future())
        self.io_loop.start()
