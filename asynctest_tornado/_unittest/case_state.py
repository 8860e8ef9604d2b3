"""The private data of a test case, in one attribute of the user's instance."""

# Tested by tests/unittest/test_case.py.

import weakref
from typing import TYPE_CHECKING, Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._schedules import repeat
from asynctest_tornado._schedules.schedule import Schedule

__unittest = True


class State:
    """The private data of a test case. It has no reference to the test case: that would be a reference cycle.

    :param case: the test case.
    :param made_by: the arguments of its constructor, unless the name of the test method is the only one.
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
    #: The server of an AsyncHTTPTestCase, once it has one.
    server: Any = None

    def __init__(self, case: object = None, made_by: repeat.Arguments | None = None) -> None:
        self._case = None if case is None else weakref.ref(case)
        self.made_by = made_by

    def is_of(self, case: object) -> bool:
        """Return false for a copy of the test case, made with ``copy.copy``: it has the attributes of the original."""
        return self._case is not None and self._case() is case

    def __reduce__(self) -> Any:
        return State, (None, self.made_by)  # a copy of the test is another one


if TYPE_CHECKING:
    Attribute = State
else:

    class Attribute:
        """Makes the state of a test case when it is asked for: a constructor of the user may not call unittest's."""

        def __get__(self, case: object, owner: type) -> object:
            if case is None:
                return self
            state = vars(case)[repeat.PRIVATE] = State(case)
            return state


def begin_run(case: Any) -> State:
    """Return the state of a test case that is about to run."""
    state: State = case._asynctest
    if not state.is_of(case):
        state = case._asynctest = State(case, state.made_by)
    return state
