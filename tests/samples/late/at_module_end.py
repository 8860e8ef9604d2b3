"""The error surfaces in ``tearDownModule``."""

from tests.samples import late

left = late.Left()


class Aside(late.Aside):
    pass


class Sample(late.Guilty):
    left = left


def tearDownModule() -> None:
    left.fail()
