"""A suite of pytest functions with a test case of ``tornado.testing`` that a fixture sets up by hand."""

from collections.abc import Generator

import pytest
from tornado.testing import AsyncTestCase


class Helper(AsyncTestCase):
    def runTest(self) -> None:
        """Only there to make one without the name of a method; pytest runs it, too."""


@pytest.fixture
def helper() -> Generator[Helper, None, None]:
    case = Helper()
    case.setUp()
    yield case
    case.tearDown()
    case.doCleanups()


def test_timer(helper: Helper) -> None:
    helper.io_loop.call_later(60, helper.stop)


@pytest.mark.parametrize("number", [1, 2])
def test_callback(helper: Helper, number: int) -> None:
    helper.io_loop.call_later(60, helper.stop)
    helper.io_loop.add_callback(lambda: [][number])
    helper.io_loop.add_callback(helper.stop)
    with pytest.raises(IndexError):
        helper.wait()


def test_sleep(helper: Helper) -> None:
    helper.io_loop.call_later(0.11, helper.stop)
    helper.wait()


class Methods(AsyncTestCase):
    def test_timer(self) -> None:
        self.io_loop.call_later(60, self.stop)
