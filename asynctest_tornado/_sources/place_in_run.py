"""The place of a test in its run, which may have tests of other libraries, too."""

# Tested by tests/sources/test_garbage.py.

import weakref
from typing import Any

__unittest = True

#: The place of one test in a run: the object that counts the tests, for example the result of unittest, by a weak
#: reference; how many have begun, with this one; and the name of the test. A plain tuple, because each test makes one.
Place = tuple["weakref.ref[Any]", int, object]


def place_of(run: object, number: int, name: object) -> Place:
    """Return a place. Raises ``TypeError`` for a run that cannot be referred to weakly."""
    return weakref.ref(run), number, name


def _is_same_run(reference: "weakref.ref[Any]", other: "weakref.ref[Any]") -> bool:
    run = reference()
    # A weak reference to an object is mostly the same one each time.
    return run is not None and (reference is other or run is other())


def is_same(place: Place, other: Place | None) -> bool:
    """Return true if no test has begun in between."""
    return other is not None and place[1] == other[1] and _is_same_run(place[0], other[0])


def follows(place: Place, other: Place | None) -> bool:
    """Return true if a test comes right after the other one, or is the same test in another order."""
    if other is None:
        return False
    reference, number, name = place
    if number != other[1] + 1 and (number != other[1] or name != other[2]):
        return False
    # As `_is_same_run` does, without a call: each test asks.
    return (reference is other[0] and reference() is not None) or _is_same_run(reference, other[0])
