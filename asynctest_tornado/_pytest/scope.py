"""The loop that the tests and fixtures of a class, a module or the session share."""

# Tested by tests/pytest/test_scopes.py.

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from tornado.ioloop import IOLoop

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._clock.virtual_clock import VirtualClock
from asynctest_tornado._errors import notes
from asynctest_tornado._features.all_features import FEATURES
from asynctest_tornado._features.loop_methods import LOOP_METHODS
from asynctest_tornado._harness.harness import OPEN, Harness
from asynctest_tornado._harness.phase import phase
from asynctest_tornado._http.http_test_server import HTTPTestServer
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._loop import new_loop
from asynctest_tornado._pytest.reporter import Reporter, hide_own
from asynctest_tornado._pytest.serve import SERVES
from asynctest_tornado._pytest.settings import Settings
from asynctest_tornado._sources import installation
from asynctest_tornado._util.settings import CLOCK, Given

__unittest = True
__tracebackhide__ = True

_OF_NO_TEST = (
    "A fixture that several tests share began the code that raised this, on the loop of {}. It surfaced during this "
    "test or before it, and may be no error of the test."
)
_AT_THE_END = "It surfaced at the end of {}, in code of a fixture that several tests share, or that was due later."
#: The places for a setting that counts for a scope.
_PLACES = {"class": "by a marker of the class", "module": "by the pytestmark of the module"}


class Scope:
    """A harness for a class, a module or the session, in which its tests have theirs.

    :param kind: "class", "module" or "session".
    :param node: the class, the module or the session, as pytest knows it.
    :param markers: its markers that are for this library, the closest one first.
    :param item: the test that asks for it.
    :param report_late: see `Reporter`.

    Raises ``TypeError`` or ``ValueError`` for a setting that does not exist, or has a wrong value.
    """

    io_loop: IOLoop

    def __init__(
        self,
        kind: str,
        node: Any,
        markers: list[Any],
        item: Any,
        report_late: Callable[[Any, BaseException, str | None], bool],
    ) -> None:
        settings = Settings(node, markers)
        name = node.nodeid if kind != "session" and node.nodeid else f"the {kind}"
        options = settings.options(None) | {LOOP_METHODS: f"the end of the {kind}"}
        self.kind = kind
        self.limit = settings.limit()
        self.reporter = Reporter(item, report_late)
        self.harness = Harness(lambda: name, None, FEATURES.of_test(options), options, self.reporter)
        self.loop_factory, self._place_of_factory = settings.loop_factory()
        #: By the name of an argument of the marker: the value for the loop, and the place that sets it.
        self._made_with = {
            "clock_factory": settings.clock_factory(),
            "network_factory": settings.network_factory(),
            "loop_factory": (self.loop_factory, self._place_of_factory),
        }
        #: The test that runs on the loop, a `Function`, if one does.
        self.current: Any = None
        #: Called before the loop is closed, the last one first.
        self.dependents: list[Callable[[], object]] = []
        #: The servers for several tests.
        self.servers: list[HTTPTestServer] = []
        self.add_finalizer: Callable[[Callable[[], object]], object] = self.dependents.append
        self.harness.trap.data[SERVES] = self

    @property
    def clock(self) -> VirtualClock | None:
        """The clock of its tests; None if their time is real."""
        clock: VirtualClock | None = self.harness.options.get(VIRTUAL_TIME)
        return clock

    def open(self, run: object, lent: object = None) -> None:
        """Make the loop.

        :param run: the run of pytest, which holds the patches.
        :param lent: the value of the fixture ``io_loop``, if it is the user's; used if it is an ``IOLoop``.
        """
        installation.begin(run)
        harness = self.harness
        if isinstance(lent, IOLoop):
            self.io_loop = harness.open(lambda: lent, is_lent=True)
            return
        self.io_loop = harness.open(
            lambda: new_loop.new_ioloop(self.loop_factory, harness.features, self._place_of_factory)
        )

    def check(self, asked: dict[str, Given]) -> None:
        """Raise ``ValueError`` if a test needs another kind of loop.

        :param asked: the arguments of its markers that are about the loop.
        """
        for name, (value, where, _) in asked.items():
            own, place = self._made_with[name]
            if _call(value) != _call(own):
                had = f"without {name}" if own is None else f"with the {name} {own!r}, by {place}"
                raise ValueError(
                    f"This test has the {name} {value!r}, by {where}, and runs on the loop of "
                    f"{self.harness.describe()}, which was made {had}. {self._how_to_mend(name, value)}"
                )

    def _how_to_mend(self, name: str, value: object) -> str:
        own_loop = (
            "with loop_scope='function' and no asynchronous fixture that is wider, the test has a loop of its own"
        )
        if self.kind in _PLACES:
            return f"Give the {name} to all tests of the {self.kind}, {_PLACES[self.kind]}. Or, {own_loop}."
        wide = (
            f"Let its asynchronous fixtures be no wider than a module, whose pytestmark has the {name}. Or, {own_loop}."
        )
        if _call(value) == _call(VirtualClock):
            setting = f"{CLOCK.ini} = virtual in the settings of pytest"
            return f"Give the {name} to all tests of the session, by {setting}. {wide}"
        return wide

    def begin_test(self, function: Any, item: Any) -> None:
        """Record that a test runs on the loop. The errors of a server are errors of one test."""
        self.current, self.reporter.item = function, item
        for server in self.servers:
            server.errors.clear()

    def end_test(self) -> None:
        """Record that the test has ended, and report errors of code that belongs to no test."""
        self.current = None
        trap = self.harness.trap
        trap.release()
        error = trap.take()
        if error is not None:
            notes.add(error, _OF_NO_TEST.format(self.harness.describe()))
            self.reporter.late(error, self.harness.describe())

    def run(self, func: Callable[[], Any]) -> Any:
        """Run the loop until a coroutine of a fixture has ended; return its result."""
        harness, test = self.harness, self.current
        if test is not None and test.harness.state is OPEN:
            # The test asks for the fixture by getfixturevalue(): the test waits, but the resources belong to the scope.
            run = functools.partial(test.harness.waits.run, func, self.limit)
            return phase(test.harness, functools.partial(harness.context.call, run))
        harness.trap.hold()
        # A test with a loop of its own may have run meanwhile.
        asyncio.set_event_loop(harness.loop.loop)
        try:
            return phase(harness, functools.partial(harness.waits.run, func, self.limit, shared=True))
        finally:
            harness.trap.failure = None  # pytest reports it for the test that asks for the fixture

    def begin_closing(self) -> None:
        """Record that connections are closed from now on."""
        CLOSED_CONNECTIONS.begin(self.harness)

    def close(self) -> None:
        """Close the loop. Raises the errors that were not reported yet."""
        while self.dependents:
            self.dependents.pop()()
        asyncio.set_event_loop(self.harness.loop.loop)
        try:
            self.harness.finish()
        except BaseException as error:
            hide_own(error)
            notes.add(error, _AT_THE_END.format(self.harness.describe()))
            raise
        finally:
            self.harness.trap.forget_reports()


def _call(factory: Any) -> tuple[Any, ...]:
    """Return the function and the arguments of a factory: those of equal partials are equal."""
    if isinstance(factory, functools.partial):
        return factory.func, factory.args, factory.keywords
    return factory, (), {}
