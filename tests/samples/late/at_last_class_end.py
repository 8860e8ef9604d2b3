"""The error surfaces in ``tearDownClass``, and nothing follows."""

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
