"""The private data of a test case, in one attribute of the user's instance."""

# Tested by tests/unittest/test_case.py.

import types
import weakref
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import owner as _owner
from asynctest_tornado._features.all_features import PLAIN
from asynctest_tornado._harness.by_hand import Entered
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import runs

__unittest = True


class State:
    """The private data of a test case.

    It has no more than a weak reference to the test case: another one would make a cycle.

    Each test reads most of the attributes. CPython finds them at once only if the class has no defaults for them.
    `_new` sets them: the call of a constructor would cost three times as much.
    """

    __slots__ = (
        *("_case", "bad_setting", "harness", "has_variables", "has_warned", "made_by", "owner", "schedule", "server"),
        *("entered", "is_by_hand", "is_ending"),
        *("early_stop", "is_stopped", "is_waiting", "second_stop", "stop_value"),
    )

    #: The features of the trap that a ``setUpClass`` has.
    features = PLAIN
    #: The harness of the run that is in progress, or of a test case that is used by hand.
    harness: Harness | None
    #: The order of the run, if it is not the order of asyncio.
    schedule: Schedule | None
    #: The owner of the attributes of the test case, after a run.
    owner: _owner.Owner | None
    #: False if the environment of the run has no variable for orders and traces.
    has_variables: bool
    #: True if a run has warned of leaks. Later runs of the same test do not.
    has_warned: bool
    #: The error in a setting of the class, for the next run to raise.
    bad_setting: Exception | None
    #: The arguments of the constructor, unless the name of the test method is the only one.
    made_by: runs.Arguments | None
    #: The server of an AsyncHTTPTestCase, once it has one.
    server: Any
    #: True if the test case is used by hand, as a fixture, and unittest does not run it.
    is_by_hand: bool
    #: The code of the test, from setUp() to tearDown(), if it is used by hand.
    entered: Entered
    #: True if the test is over, up to its cleanups.
    is_ending: bool
    #: True if ``stop`` was called, and has ended no ``wait`` yet.
    is_stopped: bool
    #: True while ``wait`` runs the loop.
    is_waiting: bool
    #: The argument of ``stop``.
    stop_value: Any
    #: The line that has called ``stop`` before ``wait``.
    early_stop: tuple[types.CodeType, int] | None
    #: The arguments of two calls of ``stop`` for one ``wait``, as text.
    second_stop: tuple[str, str, str] | None
    # Returns the test case.
    _case: Callable[[], object]

    def __reduce__(self) -> Any:
        return _copy_of, (self.made_by,)


def _new(case: Callable[[], object], made_by: runs.Arguments | None) -> State:
    state = State()
    state._case = case
    state.made_by = made_by
    state.harness = state.schedule = state.owner = state.bad_setting = state.server = None
    state.stop_value = state.early_stop = state.second_stop = None
    state.has_variables = True
    state.has_warned = state.is_by_hand = state.is_ending = state.is_stopped = state.is_waiting = False
    return state


def _copy_of(made_by: runs.Arguments | None) -> State:
    return _new(types.NoneType, made_by)  # the copy of a test is another test


#: The state of each test case up to its first run.
UNUSED = _copy_of(None)


# vars() would cost more: CPython makes the dictionary of an object when it is first asked for.
def own_state(case: Any) -> State:
    """Return the state of a test case, to be changed. A copy of a test case, made with ``copy.copy``, gets its own."""
    known: State = case._asynctest
    if known._case() is case:
        return known
    state = _new(weakref.ref(case), known.made_by)
    # The __setattr__ of a subclass may need attributes that its constructor makes later.
    object.__setattr__(case, runs.PRIVATE, state)
    return state
