"""The error surfaces in a test that is not of this library."""

import unittest

from tests.samples import late

left = late.Left()


class Aside(late.Aside):
    pass


class Sample(late.Guilty):
    left = left


class Sequel(unittest.TestCase):
    def test_c_innocent(self) -> None:
        left.fail()

    def test_d_innocent(self) -> None:
        pass
