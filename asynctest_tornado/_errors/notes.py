"""Adds notes to the exceptions that a test fails of.

Each note belongs to a test, and is gone in the report of another one: an application may raise one and the same object
again and again.
"""

# Tested by tests/util/test_exceptions.py.

import itertools
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._util import exception_notes, exceptions

__unittest = True

_numbers = itertools.count(1)


class Note(str):
    """A note of this library.

    :ivar owner: the number of the test that it was added for, 0 for none.
    """

    owner = 0

    def __reduce__(self) -> Any:  # for another process, which need not have this library
        return str, (str(self),)


def add(error: BaseException, text: str, context: contexts.Context | None = None, once: bool = False) -> None:
    """Add a note.

    :param context: the context of the test; by default, of the running code.
    :param once: if true, add nothing if the note is there already.
    """
    owner = _number_of(context)
    _begin(error, owner)
    notes = exception_notes.notes_of(error)
    if not (once and text in notes):
        note = Note(text)
        note.owner = owner
        notes.append(note)


def begin(error: BaseException, context: contexts.Context) -> None:
    """Take the notes of other tests from an exception that a test fails of."""
    if "__notes__" in exceptions.attributes_of(error):
        _begin(error, _number_of(context))


def _begin(error: BaseException, owner: int) -> None:
    notes = exceptions.attributes_of(error).get("__notes__")
    if isinstance(notes, list):
        notes[:] = [note for note in notes if not isinstance(note, Note) or note.owner == owner]


def _number_of(context: contexts.Context | None) -> int:
    if context is None:
        chain = contexts.contexts.get()
        if not chain:
            return 0
        context = chain[0]
    if context.number == 0:
        context.number = next(_numbers)
    return context.number
