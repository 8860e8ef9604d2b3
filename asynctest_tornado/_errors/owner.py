"""Keeps the test that owns an object which is being dropped."""

# Tested by tests/sources/test_garbage.py.

import types
from typing import Any

from asynctest_tornado._errors import contexts

__unittest = True


class Owner(contexts.Context):
    """Stands for a test that owns an object which is being dropped, whichever test runs meanwhile.

    :param trap: the context of the test.
    """

    is_trap = True
    is_sure = True

    def __init__(self, trap: contexts.Context) -> None:
        self._trap = trap

    def handle(self, error: BaseException) -> bool:
        return self._trap.handle(error)

    def __reduce__(self) -> Any:
        return types.NoneType, ()  # a copy of the test is another one


def certain(chain: contexts.Chain) -> contexts.Chain:
    """Return a chain that keeps its test as the outermost context, also while the loop of another test runs."""
    running = contexts.of_running_loop()
    if running is None or not chain or chain[0] is running or chain[0].is_sure:
        return chain
    return (Owner(chain[0]), *chain[1:])
