"""The error surfaces in ``tearDownModule``."""

from tests.samples.late import support

left = support.Left()


class Aside(support.Aside):
    pass


class Sample(support.Guilty):
    left = left


def tearDownModule() -> None:
    left.fail()
