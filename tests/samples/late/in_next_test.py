"""The error surfaces in the next test."""

from tests.samples import late

left = late.Left()


class Aside(late.Aside):
    pass


class Sample(late.Guilty):
    left = left

    def test_b_innocent(self) -> None:
        left.fail()

    def test_c_innocent(self) -> None:
        pass
