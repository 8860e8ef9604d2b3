"""The phases of a test: call one, and record the error that ends it."""

from collections.abc import Callable
from typing import Any, TypeVar

from asynctest_tornado._errors.contexts import is_failure
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._util import exception_notes

__unittest = True

_T = TypeVar("_T")


# No context manager: that costs twice as much.
def phase(harness: Harness, func: Callable[..., _T], *args: Any, is_main: bool = False) -> _T:
    """Call a phase of a test: ``setUp``, the test itself, ``tearDown``, a cleanup, a fixture. Phases may be nested.

    :param harness: the harness of the test.
    :param is_main: True for the test itself. If it raises nothing, it ends with the errors in the trap.
    :return: the result.

    Raises the error that the function raises, with the notes of a report.
    """
    try:
        try:
            returned = func(*args)
        except BaseException as error:  # some frameworks' outcomes are no Exceptions
            if is_main:
                harness.trap.record_failure(error)
            raise
        if is_main:
            harness.trap.raise_errors()
    except BaseException as error:
        explain(error, harness)
        raise
    return returned


def explain(error: BaseException, harness: Harness) -> None:
    """Record an error that the test raises, and let the features add their notes; not if it skips the test."""
    if is_failure(error):
        harness.trap.failure = error
        for feature in harness.features.notes:
            feature.notes(harness, error)
        exception_notes.unchain(error)
