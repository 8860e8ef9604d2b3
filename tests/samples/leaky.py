"""A test that leaves something behind."""

from asynctest_tornado import AsyncTestCase


class Leaky(AsyncTestCase):
    """Leaves a timer."""

    def test(self) -> None:
        self.io_loop.call_later(60, self.leaky_timer)

    def leaky_timer(self) -> None:
        raise AssertionError("this is never called")
