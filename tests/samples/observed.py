"""Test cases with one event of each kind. Two of them fail."""

import contextvars
import threading

from asynctest_tornado import AsyncTestCase


class Observed(AsyncTestCase):
    async_test_timeout = 60
    leaks = "note"
    context: contextvars.Context

    def test_1_error_in_callback(self) -> None:
        self.io_loop.add_callback(lambda: [][0])
        self.io_loop.add_callback(self.stop)
        self.wait(timeout=61)

    def test_2_timer(self) -> None:
        self.io_loop.call_later(60, self.stop)

    async def test_3_goes_on(self) -> None:
        type(self).context = contextvars.copy_context()

    def test_4_error_of_the_test_before(self) -> None:
        thread = threading.Thread(target=lambda: dict[str, int]()["key"])
        self.context.run(thread.start)
        thread.join()


class Observed2(Observed):
    """The same on another worker."""
