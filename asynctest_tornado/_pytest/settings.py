"""The settings of a test function of pytest: its markers, and the options and settings of pytest itself."""

# Tested by tests/pytest/test_plugin.py.

from collections.abc import Sequence
from typing import Any

from asynctest_tornado._clock.virtual_clock import VirtualClock, make_clock
from asynctest_tornado._schedules import repeat
from asynctest_tornado._timeouts import limits

__unittest = True

#: What the marker takes; ``run_sync`` is that of pytest-tornado, and makes no difference here.
SETTINGS = {
    "allowed_leaks",
    "clock_factory",
    "fail_on_server_error",
    "leaks",
    "loop_factory",
    "run_sync",
    "schedules",
    "timeout",
}


def settings_of(item: Any, markers: Sequence[Any]) -> dict[str, Any]:
    """Return what the markers of a test say.

    :param markers: those that are for this library, the closest one first.

    Raises ``TypeError`` for arguments that there are not.
    """
    found: dict[str, Any] = {}
    for marker in markers:
        if marker.args or not marker.kwargs.keys() <= SETTINGS:
            given = ", ".join([*map(repr, marker.args), *(f"{name}=" for name in marker.kwargs)])
            raise TypeError(
                f"The marker {marker.name} of {item.nodeid} has the arguments ({given}). By keyword, it takes "
                f"{', '.join(sorted(SETTINGS))}."
            )
        for name, value in marker.kwargs.items():
            found.setdefault(name, value)
    return found


def seeds(item: Any, markers: Sequence[Any]) -> range | None:
    """Return the seeds of the orders to run a test under; None for that of asyncio alone.

    Raises ``TypeError`` or ``ValueError`` for a setting that is no number, or out of range.
    """
    return repeat.seeds(settings_of(item, markers).get("schedules"))


def limit(config: Any, markers: Sequence[Any]) -> limits.Limit:
    """Return how long each wait of a test may take: by its markers, the options or the settings of pytest.

    Raises ``ValueError`` for a setting that is no number, or out of range.
    """
    for marker in markers:
        if marker.kwargs.get("timeout") is not None:
            setting = f"timeout of the marker {marker.name}"
            return limits.Limit(limits.check(marker.kwargs["timeout"], setting), setting)
    # That of pytest-tornado and the like, last: there, it has a default.
    of_others = config.getoption("async_test_timeout", None)
    for value, setting in (
        (config.getoption("asynctest_tornado_timeout", None), "the option --asynctest-tornado-timeout"),
        (config.getini("asynctest_tornado_timeout"), "asynctest_tornado_timeout in the settings of pytest"),
        (of_others if isinstance(of_others, int | float) else None, "the option --async-test-timeout"),
    ):
        if value is not None and value != "":
            try:
                return limits.Limit(limits.check(float(value), setting), setting)
            except ValueError:
                raise ValueError(f"{setting} cannot be {value!r}. Give seconds, or 0 for no limit.") from None
    return limits.limit(None, None)


def clock(config: Any, factory: Any) -> VirtualClock | None:
    """Make the clock of a test, whose time is virtual; None if it is real.

    :param factory: that of the marker, if it has one.

    Raises ``ValueError`` for a setting that there is not.
    """
    if factory is not None:
        return make_clock(factory)
    word = config.getini("asynctest_tornado_clock")
    if word not in ("", "real", "virtual"):
        raise ValueError(
            f"asynctest_tornado_clock in the settings of pytest cannot be {word!r}. Set it to 'real' or 'virtual'."
        )
    return VirtualClock() if word == "virtual" else None
