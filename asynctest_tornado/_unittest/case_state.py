"""The private data of a test case, in one attribute of the user's instance."""

# Tested by tests/unittest/test_case.py.

import types
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._schedules import repeat
from asynctest_tornado._schedules.schedule import Schedule

__unittest = True


class State:
    """The private data of a test case.

    It has no more than a weak reference to the test case: another one would make a cycle.
    """

    #: The harness of the run that is in progress, or of a test case that is used by hand.
    harness: Harness | None = None
    #: The order of the run, if it is not the order of asyncio.
    schedule: Schedule | None = None
    #: The owner of the attributes of the test case, after a run.
    owner: contexts.Owner | None = None
    #: True if a run has warned of leaks. Later runs of the same test do not.
    has_warned = False
    #: The error in a setting of the class, for the next run to raise.
    bad_setting: Exception | None = None
    #: The arguments of the constructor, unless the name of the test method is the only one.
    made_by: repeat.Arguments | None = None
    #: The server of an AsyncHTTPTestCase, once it has one.
    server: Any = None
    # Returns the test case.
    _case: Callable[[], object] = types.NoneType

    def __reduce__(self) -> Any:
        return _copy_of, (self.made_by,)


def _copy_of(made_by: repeat.Arguments | None) -> State:
    state = State()  # the copy of a test is another test
    state.made_by = made_by
    return state


#: The state of each test case up to its first run.
UNUSED = State()


# vars() would cost more: CPython makes the dictionary of an object when it is first asked for.
def own_state(case: Any) -> State:
    """Return the state of a test case, to be changed. A copy of a test case, made with ``copy.copy``, gets its own."""
    known: State = case._asynctest
    if known._case() is case:
        return known
    state: State
    # Without a constructor of its own, which would cost each test three times as much.
    state = State()
    # The __setattr__ of a subclass may need attributes that its constructor makes later.
    object.__setattr__(case, repeat.PRIVATE, state)
    state._case = weakref.ref(case)
    if known.made_by is not None:
        state.made_by = known.made_by
    return state
