"""Notes and texts of exceptions for reports, also if they refuse to be changed."""

# Tested by tests/util/test_exceptions.py.

import re
import traceback
from collections.abc import Iterator
from typing import Any

from asynctest_tornado._util.exceptions import attributes_of
from asynctest_tornado._util.tracebacks import OURS, owner_of_file

__unittest = True

_cause: Any = BaseException.__dict__["__cause__"]
_context: Any = BaseException.__dict__["__context__"]
#: A note of hypothesis, and a line below it.
_EXPLANATION, _LINE = "Explanation:", re.compile(r"\s+(\S.*):\d+")


def text_of(error: BaseException) -> str | None:
    """Return the text of an exception, or None if its class fails to make one."""
    try:
        return str(error)
    except Exception:
        return None


def can_be_assigned_to(error: BaseException) -> bool:
    """Return whether an attribute of an exception can be set in the ordinary way."""
    try:
        error.__traceback__ = error.__traceback__
    except Exception:
        return False
    return True


def notes_of(error: BaseException) -> list[str]:
    """Return the list of notes, which the traceback module prints, to be changed."""
    # Not by add_note(), because that assigns to the object if it has no notes yet.
    attributes = attributes_of(error)
    notes: Any = attributes.get("__notes__")
    if not isinstance(notes, list):
        notes = attributes["__notes__"] = list(notes) if isinstance(notes, tuple) else []
    return notes  # type: ignore[no-any-return]


def drop_own_lines(error: BaseException) -> None:
    """Take lines of this library out of the notes in which hypothesis explains an error, by lines that have run."""
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        drop_own_lines(inner)
    notes = attributes_of(error).get("__notes__")
    if not isinstance(notes, list) or _EXPLANATION not in notes:
        return
    begin = notes.index(_EXPLANATION)
    lines = [(place, _LINE.fullmatch(str(notes[place]))) for place in range(begin, len(notes))]
    found = [(place, line[1]) for place, line in lines if line is not None]
    own = [place for place, filename in found if owner_of_file(filename) is OURS]
    if own and len(own) == len(found):  # nothing is left to be explained
        own = [place for place in range(begin, len(notes)) if str(notes[place]).startswith((_EXPLANATION, "    "))]
    for place in reversed(own):
        del notes[place]


def unchain(error: BaseException) -> None:
    """Turn causes and contexts that cannot be assigned to into notes.

    unittest assigns to each of them for its report, and the run would end there.
    """
    for part in list(chain(error)):
        for place in _cause, _context:
            other = place.__get__(part)
            if other is None or can_be_assigned_to(other):
                continue
            if place is _cause or not (part.__suppress_context__ or part.__cause__ is other):
                notes_of(part).append("It comes of:\n" + "".join(traceback.format_exception(other)).rstrip())
            place.__set__(part, None)


def drop_chain(error: BaseException) -> None:
    """Drop the cause and the context."""
    for place in _cause, _context:
        place.__set__(error, None)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Return an exception, and its causes and contexts."""
    left, seen = [error], set()
    while left:
        part = left.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            left += [other for other in (part.__cause__, part.__context__) if other is not None]
