"""The parts of loops that stay in the process from one test to the next."""

# Tested by tests/sources/test_installation.py.

from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._loop import new_loop, recycled_loop

__unittest = True


class LoopParts(Feature):
    """The policy for loops, and the selector and the sockets for the next one."""

    def tests_began(self) -> None:
        new_loop.record_policy()

    def tests_ended(self) -> None:
        recycled_loop.drop_spare()
        new_loop.restore_policy()


LOOP_PARTS = LoopParts()
