"""The error surfaces in the next test."""

from tests.samples.late import support

left = support.Left()


class Aside(support.Aside):
    pass


class Sample(support.Guilty):
    left = left

    def test_b_innocent(self) -> None:
        left.fail()

    def test_c_innocent(self) -> None:
        pass
