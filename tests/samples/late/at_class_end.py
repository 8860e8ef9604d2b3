"""The error surfaces in ``tearDownClass``, and another class follows."""

from asynctest_tornado import AsyncTestCase
from tests.samples import late

left = late.Left()


class Aside(late.Aside):
    pass


class Sample(late.Guilty):
    left = left

    @classmethod
    def tearDownClass(cls) -> None:
        left.fail()
        super().tearDownClass()


class Sequel(AsyncTestCase):
    def test_c_innocent(self) -> None:
        pass
