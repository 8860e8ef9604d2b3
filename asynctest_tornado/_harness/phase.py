"""The phases of a test: call one, and record and explain the error that ends it."""

from collections.abc import Callable
from typing import Any, TypeVar

from asynctest_tornado._errors import failure_notes
from asynctest_tornado._errors.trap import Trap

__unittest = True

_T = TypeVar("_T")


# No context manager: that costs twice as much.
def phase(trap: Trap, func: Callable[..., _T], *args: Any, is_main: bool = False) -> _T:
    """Call a phase of a test: ``setUp``, the test itself, ``tearDown``, a cleanup, a fixture. Phases may be nested.

    :param trap: the trap of the test.
    :param is_main: True for the test itself. If it raises nothing, it ends with the errors in the trap.
    :return: the result.

    Raises the error that the function raises, with the notes of a report.
    """
    try:
        try:
            returned = func(*args)
        except BaseException as error:  # some frameworks' outcomes are no Exceptions
            if is_main:
                trap.record_failure(error)
            raise
        if is_main:
            trap.raise_errors()
    except BaseException as error:
        failure_notes.explain(error, trap)
        raise
    return returned
