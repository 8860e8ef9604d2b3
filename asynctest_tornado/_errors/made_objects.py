"""Records an object for the running test, with the line that made it."""

import threading
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._util import origins
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True


def record(thing: Any, through: frozenset[str], depth: int = 3) -> bool:
    """Record an object that the running test makes; return false if no test or a library makes it.

    The function that stands in for the maker of the object calls this.

    :param through: see `origins.find`.
    :param depth: see `origins.find`.
    """
    origin = origins.find(through, depth)
    return origin is not origins.LIBRARY and record_made_at(thing, origin)


def record_made_at(thing: Any, origin: origins.Origin) -> bool:
    """Record an object that is made at this line, if a test makes it; return true then.

    The test is the outermost context of the running code, which may be a task or a thread of it, and go on after it.
    An object that cannot be referred to weakly is left out.
    """
    chain = contexts.chain_here()
    if not chain or not isinstance(chain[0], Trap):
        return False
    of(chain[0]).note(thing, origin)
    return True


def of(trap: Trap) -> WeakNotes[origins.Origin]:
    """Return the objects that a test has made, with the line that made each."""
    made = trap.made
    if made is None:
        with _making:  # a thread may make another object now
            made = trap.made = WeakNotes() if trap.made is None else trap.made
    return made


_making = threading.Lock()
