"""Raises errors as they were, several as a group."""

# Tested by tests/errors/test_trap.py.

from asynctest_tornado._util import exceptions

__unittest = True


def raise_as_it_was(error: BaseException | None) -> None:
    """Raise an error, if there is one, with the context that it had where it happened."""
    if error is None:
        return
    context = error.__context__
    try:
        raise error
    finally:
        exceptions.set_context(error, context)
        del error  # or its traceback, which holds this frame, would be a reference cycle


class FailureGroup(ExceptionGroup[AssertionError], AssertionError):
    """Several failed assertions: a failure, as each of them is, and not an error."""


#: The traceback module prints no more members of a group than this.
_GROUP_WIDTH = 15


def group(message: str, errors: list[BaseException]) -> BaseException:
    """Return a group of errors, with groups in it if there are many."""
    failures = [error for error in errors if isinstance(error, AssertionError)]
    if len(errors) > _GROUP_WIDTH:
        starts = range(0, len(errors), _GROUP_WIDTH)
        errors = [group(f"from {start + 1} on", errors[start : start + _GROUP_WIDTH]) for start in starts]
        failures = [error for error in errors if isinstance(error, AssertionError)]
    return FailureGroup(message, failures) if failures == errors else BaseExceptionGroup(message, errors)
