"""The sources of errors that come from anywhere in the process, for one test."""

# Tested by tests/loop/test_managed_loop.py.

from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop import lent_loop

__unittest = True


class Garbage(Feature):
    """The owners of errors that the garbage collector finds."""

    def opened(self, harness: Harness) -> None:
        use = harness.loop.loop._asynctest
        if not use.is_own:
            lent_loop.name_owners(use)


GARBAGE = Garbage()
