"""Threads that outlive their test: their errors may belong to any test."""

# Tested by tests/sources/test_interpreter_hooks.py.

import threading
import weakref

from asynctest_tornado._errors import contexts

__unittest = True


class InThread(contexts.Context):
    """Marks that the contexts before it belong to the code that has started a thread.

    :param thread: the thread.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = weakref.ref(thread)

    def handle(self, error: BaseException) -> bool:
        return False

    def has_outlived(self, outermost: contexts.Context) -> bool:
        """Return true in the thread, if the test that has started it is over."""
        return not outermost.is_open and self._thread() is threading.current_thread()


def is_guess(chain: contexts.Chain) -> bool:
    """Return true if errors of the running code may belong to any test.

    A thread that has outlived the test which has started it may work for later tests.
    """
    return any(isinstance(each, InThread) and each.has_outlived(chain[0]) for each in chain)
