"""What is known of objects for as long as they exist."""

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

__unittest = True

_T = TypeVar("_T")


class WeakNotes(dict["weakref.ref[Any]", _T]):
    """A note for each of some objects, by a weak reference to it: gone when the object is.

    As a ``WeakKeyDictionary``, at a third of its cost. And none of it refers to the dictionary, or one that is dropped
    with notes in it would have to wait for the garbage collector.
    """

    #: Made for a first note: most of these dictionaries stay empty.
    _forget: Callable[[weakref.ref[Any]], None] | None = None

    def note(self, thing: object, what: _T) -> None:
        """Keep a note of an object."""
        forget = self._forget
        if forget is None:
            forget = self._forget = functools.partial(_forget, weakref.ref(self))
        self[weakref.ref(thing, forget)] = what


def _forget(notes: "weakref.ref[WeakNotes[Any]]", reference: "weakref.ref[Any]") -> None:
    present = notes()
    if present is not None:
        present.pop(reference, None)
