"""The error surfaces in ``tearDownClass``, and nothing follows."""

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
