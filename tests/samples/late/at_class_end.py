"""The error surfaces in ``tearDownClass``, and another class follows."""

from asynctest_tornado import AsyncTestCase
from tests.samples.late import support

left = support.Left()


class Aside(support.Aside):
    pass


class Sample(support.Guilty):
    left = left

    @classmethod
    def tearDownClass(cls) -> None:
        left.fail()
        super().tearDownClass()


class Sequel(AsyncTestCase):
    def test_c_innocent(self) -> None:
        pass
