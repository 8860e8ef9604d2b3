"""The error surfaces in a test that is not of this library."""

import unittest

from tests.samples.late import support

left = support.Left()


class Aside(support.Aside):
    pass


class Sample(support.Guilty):
    left = left


class Sequel(unittest.TestCase):
    def test_c_innocent(self) -> None:
        left.fail()

    def test_d_innocent(self) -> None:
        pass
