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

    __slots__ = ("__weakref__", "_forget")

    _forget: Callable[[weakref.ref[Any]], None]

    def note(self, thing: object, what: _T) -> None:
        """Keep a note of an object."""
        try:
            forget = self._forget
        except AttributeError:
            # Only now: most of these dictionaries stay empty.
            forget = self._forget = functools.partial(_forget, weakref.ref(self))
        self[weakref.ref(thing, forget)] = what


def _forget(notes: "weakref.ref[WeakNotes[Any]]", reference: "weakref.ref[Any]") -> None:
    present = notes()
    if present is not None:
        present.pop(reference, None)
