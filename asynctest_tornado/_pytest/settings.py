"""The settings of a test function: of its markers, of pytest, of the environment."""

# Tested by tests/pytest/test_plugin.py.

import re
from collections.abc import Iterator, Sequence
from typing import Any

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._clock.virtual_clock import VirtualClock, make_clock
from asynctest_tornado._features.loop_methods import LOOP_METHODS
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._leaks import policy
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._network.feature import NETWORK
from asynctest_tornado._network.virtual_network import make_network
from asynctest_tornado._schedules import settings as orders
from asynctest_tornado._schedules.feature import ORDER
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._trace import feature as tracing
from asynctest_tornado._trace.feature import TRACE
from asynctest_tornado._util import commands, settings, spelling
from asynctest_tornado._util.settings import All, Given, Setting
from asynctest_tornado._util.tracebacks import OURS, PACKAGE, USER, owner_of

__unittest = True

#: The arguments of the marker; pytest-tornado has ``run_sync``, which makes no difference here.
ARGUMENTS = {*(setting.argument for setting in settings.SETTINGS if setting.argument), "run_sync"}

#: The arguments that are about the loop.
_OF_LOOP = ("clock_factory", "loop_factory", "network_factory")


class Settings:
    """The settings of one test function. Each is read when it is asked for.

    :param item: the test, as pytest knows it.
    :param markers: its markers that are for this library, the closest one first.

    Raises ``TypeError`` for arguments that the markers do not have. Each method raises ``TypeError`` or ``ValueError``
    for a wrong value.
    """

    def __init__(self, item: Any, markers: Sequence[Any]) -> None:
        self._config = item.config
        self._of_markers = _of_markers(item, markers)

    def _given(self, setting: Setting[Any]) -> Iterator[Given]:
        """Return the values that go before the environment, the nearest first."""
        if setting.argument in self._of_markers:
            yield self._of_markers[setting.argument]
        if setting.pytest_option:
            value = self._config.getoption(setting.pytest_option, None)
            yield Given(value or None, f"the option {setting.pytest_option}", is_text=True)
        if setting.ini:
            yield Given(self._config.getini(setting.ini) or None, f"the setting {setting.ini} of pytest", is_text=True)

    def _find(self, setting: Setting[Any]) -> Any:
        return setting.find(nearer=self._given(setting))[0]

    def limit(self) -> Limit:
        """Return the time limit of each wait of the test."""
        # The option of pytest-tornado and the like comes last: there, it has a default.
        of_others = self._config.getoption("async_test_timeout", None)
        last = Given(of_others if isinstance(of_others, int | float) else None, "the option --async-test-timeout")
        return Limit(*settings.TIMEOUT.find(nearer=[*self._given(settings.TIMEOUT), last]))

    def clock_factory(self) -> tuple[Any, str]:
        """Return the function that makes the clock, None for real time, and the place that sets it."""
        given = self._of_markers.get(settings.CLOCK_FACTORY.argument)
        if given is not None:
            return given.value, given.where
        kind, where = settings.CLOCK.find(nearer=self._given(settings.CLOCK))
        return VirtualClock if kind == "virtual" else None, where

    def clock(self) -> VirtualClock | None:
        """Make the clock of the test, whose time is virtual; None if it is real."""
        factory, where = self.clock_factory()
        return None if factory is None else make_clock(factory, where)

    def network_factory(self) -> tuple[Any, str]:
        """Return the function that makes the network, None for real sockets, and the place that sets it."""
        return settings.NETWORK_FACTORY.find(nearer=self._given(settings.NETWORK_FACTORY))

    def leaks(self, hint: str | None) -> policy.Policy:
        """Return the consequence of leaks for the test.

        :param hint: how to repeat the order of the run, if it is not the order of asyncio.
        """
        return policy.Policy(self._find(settings.LEAKS), self._find(settings.ALLOWED_LEAKS), hint, is_of_function=True)

    def options(self, schedule: Schedule | None) -> dict[Feature, Any]:
        """Return the options of the test for features.

        :param schedule: the order of the run, if it is not the order of asyncio.
        """
        leaks = self.leaks(None if schedule is None else schedule.hint)
        options: dict[Feature, Any] = {LEAKS: leaks, LOOP_METHODS: "the end of the test"}
        clock = self.clock()
        if clock is not None:
            options[VIRTUAL_TIME] = clock
        factory, where = self.network_factory()
        if factory is not None:
            options[NETWORK] = make_network(factory, where, None if schedule is None else schedule.seed)
        if schedule is not None:
            options[ORDER] = schedule
        trace = tracing.chosen(None, list(self._given(settings.TRACE)))
        if trace is not None:
            options[TRACE] = trace
        return options

    def seeds(self) -> range | All | None:
        """Return the seeds of the orders to run the test under, or all; None for the order of asyncio alone."""
        return None if is_replayed() else orders.seeds(None, self._given(settings.SCHEDULES))

    @property
    def is_required(self) -> bool:
        """True if the test itself asks for orders, so that a loop that cannot have another order is an error."""
        return settings.SCHEDULES.argument in self._of_markers

    def schedule(self, seed: int | None) -> Schedule | None:
        """Return the order of one run; None for the order of asyncio.

        :param seed: the seed, if the test runs in several orders: each is a test of its own for pytest.
        """
        if seed is None:
            replayed = orders.replayed(self.is_required)
            if replayed is not None:
                return replayed
            seeds = self.seeds()
            seed = seeds[0] if isinstance(seeds, range) and len(seeds) == 1 else None
        return None if seed is None else Schedule.of_seed(seed, self.is_required)

    def loop_factory(self) -> tuple[Any, str]:
        """Return the function that makes the asyncio loop, or None, and the place that sets it."""
        return settings.LOOP_FACTORY.find(nearer=self._given(settings.LOOP_FACTORY))

    def of_loop(self) -> dict[str, Given]:
        """Return the arguments of the markers that are about the loop, by their names."""
        return {name: self._of_markers[name] for name in _OF_LOOP if name in self._of_markers}

    def loop_scope(self) -> str:
        """Return the scope whose tests share a loop: "function", "class", "module" or "session".

        A marker that is about the loop, and not about its scope, is for a loop that no other test has.
        """
        if "loop_scope" not in self._of_markers and not self._of_markers.keys().isdisjoint(_OF_LOOP):
            return "function"
        scope: str = self._find(settings.FUNCTION_LOOP_SCOPE)
        return scope

    def settle_at_end(self) -> tuple[bool | float, str]:
        """Return whether to wait for all work at the end of the test, or the seconds for that; and the place."""
        return settings.SETTLE_AT_END.find(nearer=self._given(settings.SETTLE_AT_END))

    def fails_on_server_error(self) -> bool:
        """Return whether an error in a request handler fails the test."""
        return bool(self._find(settings.FAIL_ON_SERVER_ERROR))


def _of_markers(item: Any, markers: Sequence[Any]) -> dict[str, Given]:
    """Return the arguments of markers, by their names. Raises ``TypeError`` for arguments that the marker has not."""
    found: dict[str, Given] = {}
    for marker in markers:
        unknown = [name for name in marker.kwargs if name not in ARGUMENTS]
        if marker.args or unknown:
            given = ", ".join([*map(repr, marker.args), *(f"{name}=" for name in marker.kwargs)])
            meant = [spelling.meant(name, ARGUMENTS) for name in unknown]
            question = f" Did you mean {meant[0]}?" if meant and meant[0] else ""
            raise TypeError(
                f"The marker {marker.name} of {item.nodeid} has the arguments ({given}).{question} By keyword, it "
                f"takes {', '.join(sorted(ARGUMENTS))}."
            )
        for name, value in marker.kwargs.items():
            found.setdefault(name, Given(value, f"the argument {name} of the marker {marker.name}"))
    return found


def loop_scope(item: Any, markers: Sequence[Any]) -> str:
    """Return the scope whose tests share a loop; see `Settings.loop_scope`."""
    return Settings(item, markers).loop_scope()


def is_replayed() -> bool:
    """Return whether the user asks for an order that a report names."""
    return settings.ORDER.find()[0] != settings.ORDER.default


def params(item: Any, markers: Sequence[Any]) -> list[int | All]:
    """Return the orders of a test for the fixtures of pytest: a seed each, or all at once; none if it has one order."""
    chosen = Settings(item, markers).seeds()
    if isinstance(chosen, All):
        return [chosen]
    return [] if chosen is None or len(chosen) == 1 else list(chosen)


def id_of(order: int | All) -> str:
    """Return the part of the name of a test for its order."""
    if isinstance(order, All):
        return "all" if order.bound is None else f"all{order.bound}"
    return f"seed{order}"


def without_order(name: str, order: int | All | None) -> str:
    """Return the name of a test without the part for its order."""
    if order is None:
        return name
    part = id_of(order)
    return re.sub(rf"(?<=\[){part}(-|(?=\]))|-{part}(?=[-\]])", "", name, count=1).removesuffix("[]")


def command(item: Any, order: int | All | None) -> str:
    """Return the command that runs a test in the order that a variable sets: one, which has no name."""
    return commands.of_pytest(without_order(item.nodeid, order), item.config)


def shorten_report(report: Any, item: Any, info: Any, is_case: bool) -> None:
    """Report the error of a setting, or of this library in a test case, by its message, if no line is the user's.

    If the setting is an environment variable, end the run: each other test would fail of that, too.
    """
    lines = [entry for entry in info.traceback if owner_of(entry.frame.raw) in (USER, PACKAGE)]
    if settings.is_of_setting(info.value) and not lines:
        report.longrepr = str(info.value)
    elif is_case and not lines and info.traceback and owner_of(info.traceback[-1].frame.raw) is OURS:
        _leave_out_code(report.longrepr)
    if settings.is_of_run(info.value):
        item.session.shouldstop = "each test would fail of the same environment variable"


def _leave_out_code(shown: Any) -> None:
    """Leave all but the message out of the report of a test case that shows code of libraries only."""
    for traceback, *_ in getattr(shown, "chain", ()):
        entry = traceback.reprentries[-1]
        messages = [line for line in entry.lines if line.startswith("E ")]
        if messages:  # else it is of another style
            entry.lines, entry.reprfuncargs, entry.reprlocals, entry.reprfileloc = messages, None, None, None
            traceback.reprentries, traceback.extraline = [entry], None
