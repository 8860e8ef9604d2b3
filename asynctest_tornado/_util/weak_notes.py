"""Notes about objects, gone with them."""

# Tested by tests/util/test_identity.py.

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

__unittest = True

_T = TypeVar("_T")
_Default = TypeVar("_Default")


class WeakNotes(dict[int, "tuple[weakref.ref[Any], _T]"]):
    """A note for each of some objects, by identity. It is gone when the object is.

    The objects are the user's. They need not be hashable, and ``==`` of two of them may return anything, or fail.

    No note refers to the dictionary. Otherwise, a dictionary that is dropped with notes in it would have to wait for
    the garbage collector.
    """

    #: Made for the first note: most of these dictionaries stay empty.
    _forget: Callable[..., None] | None = None

    def note(self, thing: object, note: _T) -> bool:
        """Record a note about an object; return whether that is possible. Some objects have no weak references."""
        forget = self._forget
        if forget is None:
            forget = self._forget = functools.partial(_forget, weakref.ref(self))
        key = id(thing)
        try:
            self[key] = (weakref.ref(thing, functools.partial(forget, key)), note)
        except TypeError:
            return False
        return True

    def known(self) -> list[tuple[Any, _T]]:
        """Return the objects that still exist, the oldest first, with their notes."""
        # All at once: another thread, or the garbage collector, may drop an object, and its note with it.
        pairs = [(reference(), note) for reference, note in list(self.values())]
        return [pair for pair in pairs if pair[0] is not None]

    def of(self, thing: object, default: _Default) -> _T | _Default:
        """Return the note of an object, or the default if there is none."""
        entry = self.get(id(thing))
        if entry is None or entry[0]() is not thing:
            return default
        return entry[1]


def _forget(notes: "weakref.ref[WeakNotes[Any]]", key: int, reference: "weakref.ref[Any]") -> None:
    present = notes()
    # Another object may have the same number by now, if objects go some time after their last reference.
    if present is not None and present.get(key, (None,))[0] is reference:
        del present[key]
