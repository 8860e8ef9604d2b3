"""What is known of objects for as long as they exist."""

# Tested by tests/util/test_identity.py.

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

__unittest = True

_T = TypeVar("_T")
_Default = TypeVar("_Default")


class WeakNotes(dict[int, "tuple[weakref.ref[Any], _T]"]):
    """A note for each of some objects, by identity: gone when the object is.

    The objects are the user's. They need not be hashable, and ``==`` of two of them may say anything, or fail.

    None of it refers to the dictionary, or one that is dropped with notes in it would have to wait for the garbage
    collector.
    """

    #: Made for a first note: most of these dictionaries stay empty.
    _forget: Callable[..., None] | None = None

    def note(self, thing: object, what: _T) -> bool:
        """Keep a note of an object; return whether that is possible. Not all objects can be referred to weakly."""
        forget = self._forget
        if forget is None:
            forget = self._forget = functools.partial(_forget, weakref.ref(self))
        key = id(thing)
        try:
            self[key] = (weakref.ref(thing, functools.partial(forget, key)), what)
        except TypeError:
            return False
        return True

    def known(self) -> list[tuple[Any, _T]]:
        """Return the objects that still exist, the oldest first, with their notes."""
        # At once: an object may go in another thread, or by the garbage collector, and its note with it.
        pairs = [(reference(), what) for reference, what in list(self.values())]
        return [pair for pair in pairs if pair[0] is not None]

    def of(self, thing: object, default: _Default) -> _T | _Default:
        """Return the note of an object, or the default if there is none."""
        entry = self.get(id(thing))
        if entry is None or entry[0]() is not thing:
            return default
        return entry[1]

    def take(self, thing: object, default: _Default) -> _T | _Default:
        """Return the note of an object, or the default if there is none, and forget it."""
        what = self.of(thing, default)
        if what is not default:
            self.pop(id(thing), None)
        return what


def _forget(notes: "weakref.ref[WeakNotes[Any]]", key: int, reference: "weakref.ref[Any]") -> None:
    present = notes()
    # Another object may have got the number meanwhile, where objects go some time after their last reference.
    if present is not None and present.get(key, (None,))[0] is reference:
        del present[key]
