"""The settings: one table of their names, defaults and right values.

Of several places that set the same thing, the nearest one counts: the argument of a call, or of a marker of pytest; the
class attribute, or the options and the ini file of pytest; the environment variable, which options of
``python -m asynctest_tornado`` set; the default. The environment is read when the value is needed, and not before.

pytest imports this in every project, to declare its options: it imports nothing that costs time.
"""

import functools
import numbers
import re
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from asynctest_tornado._util import fast_environ

__unittest = True

_T = TypeVar("_T")

#: The variables that options of ``python -m asynctest_tornado`` have set, with their values.
by_option: dict[str, str] = {}


class Given(NamedTuple):
    """A value, and the place that sets it."""

    value: Any
    """None: the place does not set it."""
    where: str
    is_text: bool = False
    """True if the value is text because it comes from a command line or a file."""


@dataclass(eq=False)
class Setting(Generic[_T]):
    """A row of the table. A name is empty if the setting cannot be set that way.

    On the path of each test, rooms import this module, and not its names: ``TIMEOUT.find()`` of an imported name takes
    Python 3.11 five times as long as ``settings.TIMEOUT.find()``.
    """

    #: The right values, as the end of the sentence "Set it to ...".
    right: str
    #: Returns the value to use. Raises ``TypeError`` or ``ValueError``, with a reason or without.
    check: Callable[[Any], _T]
    default: _T
    #: The attribute of test cases.
    attribute: str = ""
    #: The environment variable.
    variable: str = ""
    #: The option of ``python -m asynctest_tornado``. It sets the variable.
    option: str = ""
    #: The argument of the marker for test functions of pytest.
    argument: str = ""
    #: The option of pytest.
    pytest_option: str = ""
    #: The key in the ini file of pytest.
    ini: str = ""
    #: The unit of the value, or the possible words, for ``--help``.
    unit: str = ""
    #: The meaning of the option, for ``--help``.
    meaning: str = ""
    #: The meaning of the option of pytest and of the key, for its ``--help``.
    pytest_meaning: str = ""
    #: Returns the value that a text stands for. Raises ``ValueError`` if it stands for none.
    of_text: Callable[[str], Any] = str
    #: The types of values that suites have in attributes of their own with this name. They set nothing.
    of_suites: tuple[type, ...] = (types.FunctionType, types.MethodType, list, dict, set)

    def __post_init__(self) -> None:
        self.by_attribute = f"the class attribute {self.attribute}"
        self._by_variable = f"the environment variable {self.variable}"
        self.set_default(self.default)

    def set_default(self, default: _T) -> None:
        """Change the default, as `asynctest_tornado.replace` does."""
        self.default = default
        #: The result of `find` if no place sets a value: for each of several settings of each test, mostly.
        self.unset = (default, f"the default, change it by {self.variable}")

    def find(self, attribute: object = None, nearer: Iterable[Given] = ()) -> tuple[_T, str]:
        """Return the value that counts, and the place that sets it.

        :param attribute: the value of the class attribute, or None. An attribute of this name may be the suite's own:
            a method, or a collection.
        :param nearer: values that go before it, the nearest first.

        Raises ``TypeError`` or ``ValueError`` if the value is wrong.
        """
        if nearer:  # rarely
            for given in nearer:
                if given.value is not None:
                    return self.read(*given), given.where
        if attribute is not None:
            try:
                return self.read(attribute, self.by_attribute), self.by_attribute
            except (TypeError, ValueError):
                if not isinstance(attribute, self.of_suites):
                    raise
        text = fast_environ.get(self.variable)
        if text is None:
            return self.unset
        return self.read(text, self._by_variable, is_text=True), self._by_variable

    def read(self, value: object, where: str, is_text: bool = False) -> _T:
        """Return the value to use. Raises ``TypeError`` or ``ValueError`` if it is wrong; see `Given`."""
        try:
            known = self.of_text(str(value)) if is_text else value
        except ValueError:
            raise self.error(value, where) from None
        try:
            return self.check(known)
        except (TypeError, ValueError) as reason:
            raise self.error(value, where, reason) from None

    def made(self, factory: object, where: str, cls: type[Any]) -> Any:
        """Return the object that a factory makes. Raises ``TypeError`` if it is not of the class.

        :param where: the place that sets the factory.
        """
        make: Any = self.read(factory, where)
        try:
            made = make()
        except TypeError as error:
            error.add_note(f"It is set by {where}.")
            raise
        if not isinstance(made, cls):
            raise self.error(factory, where, TypeError(f"it returned {made!r}"))
        return made

    def error(self, value: object, where: str, reason: Exception | None = None) -> Exception:
        """Return the error for a wrong value: the place, the value, and the right values."""
        kind = TypeError if isinstance(reason, TypeError) else ValueError
        detail = f": {reason}" if reason is not None and str(reason) else ""
        error = kind(f"{where[0].upper()}{where[1:]} cannot be {value!r}{detail}. Set it to {self.right}.")
        setattr(error, _IS_OF_RUN, where == self._by_variable)
        return error


#: The attribute of the error of a setting.
_IS_OF_RUN = "_asynctest_is_of_run"


def is_of_setting(error: BaseException) -> bool:
    """Return whether the error says that a setting is wrong."""
    return hasattr(error, _IS_OF_RUN)


def is_of_run(error: BaseException) -> bool:
    """Return whether the error is about an environment variable, so that all other tests of the run get it, too."""
    return getattr(error, _IS_OF_RUN, False) is True


def _seconds(value: Any) -> float:
    # Mostly. To ask the abstract class takes longer than the rest.
    if type(value) not in (float, int) and (not isinstance(value, numbers.Real) or isinstance(value, bool)):
        raise TypeError
    seconds = float(value)
    if not seconds >= 0:  # or NaN
        raise ValueError
    return seconds


def _at_least(least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError
        if value < least:
            raise ValueError
        return value

    return check


@dataclass(frozen=True)
class All:
    """The number of orders of a test: all of them."""

    #: The greatest number of deviations from the order of asyncio; None for no bound.
    bound: int | None


_ALL = re.compile(r"all(?::(\d+))?", re.ASCII)


def _count_or_all(value: Any) -> int | All:
    if isinstance(value, str) and value.startswith("all"):
        found = _ALL.fullmatch(value)
        if found is None:
            raise ValueError("after 'all:' stands the greatest number of deviations, 0 or more")
        return All(None if found[1] is None else int(found[1]))
    return _at_least(1)(value)


def _of_count_or_all(text: str) -> int | str:
    return text if text.startswith("all") else int(text)


def _one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError
        return words[words.index(value)]  # str() of a member of an enumeration is another text

    return check


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _word_or_folder(value: Any) -> str | Path:
    if isinstance(value, Path):
        return value
    return _one_of(*_TRACES)(value)


@functools.cache  # a Path costs more than the rest of the setting
def _of_word_or_folder(text: str) -> str | Path:
    return text if text in _TRACES else Path(text)


def _is_yes(text: str) -> bool:
    return text.lower() not in ("", "0", "false", "no", "off")


def _truth_or_seconds(value: Any) -> bool | float:
    if isinstance(value, bool):
        return value
    seconds = _seconds(value)
    if seconds == 0:
        raise ValueError("that is no time")
    return seconds


def _of_truth_or_seconds(text: str) -> bool | float:
    words = {"true": True, "false": False}
    return words[text.lower()] if text.lower() in words else float(text)


def _callable(value: Any) -> Callable[[], Any]:
    if not callable(value):
        raise TypeError
    made: Callable[[], Any] = value
    return made


def _types_and_patterns(value: Any) -> tuple[type | re.Pattern[str], ...]:
    if isinstance(value, (str, type)) or not isinstance(value, Iterable):
        raise TypeError(f"that is no sequence; write ({value!r},)")
    checked: list[type | re.Pattern[str]] = []
    for each in value:
        if isinstance(each, str):
            try:
                checked.append(re.compile(each))
            except re.error as error:
                raise ValueError(f"the pattern {each!r} is malformed, {error}") from None
        elif isinstance(each, (type, re.Pattern)):
            checked.append(each)
        else:
            raise TypeError(f"{each!r} is neither a type nor a pattern")
    return tuple(checked)


ACTIONS = ("ignore", "note", "warn", "fail")

TIMEOUT = Setting[float](
    *("seconds, such as 10 or 0.5, or to 0 for no limit", _seconds, 5.0),
    attribute="async_test_timeout",
    variable="ASYNC_TEST_TIMEOUT",
    option="--timeout",
    argument="timeout",
    pytest_option="--asynctest-tornado-timeout",
    ini="asynctest_tornado_timeout",
    unit="SECONDS",
    meaning="default time limit of each wait, in seconds; 0 disables it",
    pytest_meaning="time limit of each test function or asynchronous fixture, in seconds; 0 disables it. Test cases go "
    "by ASYNC_TEST_TIMEOUT",
    of_text=float,
)
LEAKS = Setting[str](
    *("'ignore', 'note', 'warn' or 'fail'", _one_of(*ACTIONS), "warn"),
    attribute="leaks",
    variable="ASYNC_TEST_LEAKS",
    option="--leaks",
    argument="leaks",
    ini="asynctest_tornado_leaks",
    unit="|".join(ACTIONS),
    meaning="the consequence of leaks for a test",
    pytest_meaning="'ignore', 'note', 'warn' or 'fail': the consequence of leaks for a test",
)
ALLOWED_LEAKS = Setting[tuple[type | re.Pattern[str], ...]](
    *("a sequence of types, such as threading.Thread, and regular expressions for names", _types_and_patterns, ()),
    attribute="allowed_leaks",
    argument="allowed_leaks",
    of_suites=(types.FunctionType, types.MethodType),
)
SCHEDULES = Setting[int | All | None](
    "the number of orders to try, 1 or more, such as 50; to 'all:2' for all orders with at most 2 deviations from the "
    "order of asyncio; or to 'all'",
    *(_count_or_all, None),
    attribute="schedules",
    variable="ASYNC_TEST_SCHEDULES",
    option="--schedules",
    argument="schedules",
    unit="N|all:N|all",
    meaning="the number of orders that each test runs under; or all orders, with at most N deviations from asyncio's",
    of_text=_of_count_or_all,
)
SEED = Setting[int | None](
    *("the number of an order, 0 or more", _at_least(0), None),
    variable="ASYNC_TEST_SEED",
    option="--seed",
    unit="N",
    meaning="the one order to run each test in: replays an order that a report names",
    of_text=int,
)
ORDER = Setting[str](
    *("an order as a report names it, such as close.1.2-after-on_error.1.3", str, ""),
    variable="ASYNC_TEST_ORDER",
    option="--order",
    unit="DEVIATIONS",
    meaning="the deviations from asyncio's own order to run each test with: replays an order that a report names",
)
#: The folder of traces, if no setting names one.
TRACE_FOLDER = "asynctest-traces"
_TRACES = ("off", "failures", "all")
TRACE = Setting[str | Path](
    *("'off', 'failures', 'all', or to a folder, such as Path('traces'), for 'failures'", _word_or_folder, "off"),
    attribute="trace",
    variable="ASYNC_TEST_TRACE",
    option="--trace",
    argument="trace",
    pytest_option="--asynctest-tornado-trace",
    unit="DIR",
    meaning="the folder for a page, and trace events, of each test that fails; or off, failures or all",
    pytest_meaning="the folder for a page, and trace events, of each test that fails; or off, failures or all",
    of_text=_of_word_or_folder,
)
SHOW_LOGS = Setting[bool](
    *("1 or 0", _truth, False),
    variable="ASYNC_TEST_SHOW_LOGS",
    option="--show-logs",
    meaning="print the logs of tests at once, and not only in the reports of failures",
    of_text=_is_yes,
)
CLOCK_FACTORY = Setting[Any](
    "VirtualClock, or to a function that returns one, such as lambda: VirtualClock(autojump=False)",
    *(_callable, None),
    attribute="clock_factory",
    argument="clock_factory",
)
CLOCK = Setting[str](
    *("'real' or 'virtual'", _one_of("real", "virtual"), "real"),
    ini="asynctest_tornado_clock",
    pytest_meaning="'real' or 'virtual': the time of tests on Tornado's loop",
)
NETWORK_FACTORY = Setting[Any](
    "VirtualNetwork, or to a function that returns one",
    *(_callable, None),
    attribute="network_factory",
    argument="network_factory",
)
LOOP_FACTORY = Setting[Any](
    *("a function that returns an asyncio loop, such as uvloop.new_event_loop", _callable, None),
    attribute="loop_factory",
    argument="loop_factory",
)
LOOP_SCOPE = Setting[str](
    "'test', for a loop for each test, or to 'class', for one that all tests of the class share",
    *(_one_of("test", "class"), "test"),
    attribute="loop_scope",
)
FUNCTION_LOOP_SCOPE = Setting[str](
    "'function', for a loop for each test, or to 'class', 'module' or 'session', for one that all tests of it share",
    *(_one_of("function", "class", "module", "session"), "function"),
    argument="loop_scope",
    ini="asynctest_tornado_loop_scope",
    pytest_meaning="'function', 'class', 'module' or 'session': the tests that share a loop",
)
FAIL_ON_SERVER_ERROR = Setting[bool](
    *("True or False", _truth, False),
    attribute="fail_on_server_error",
    argument="fail_on_server_error",
)
SETTLE_AT_END = Setting[bool | float](
    *("True, False, or to the seconds that it may take, such as 2", _truth_or_seconds, False),
    attribute="settle_at_end",
    argument="settle_at_end",
    ini="asynctest_tornado_settle_at_end",
    pytest_meaning="'true', or the seconds that it may take: wait until all that a test function has set off has ended",
    of_text=_of_truth_or_seconds,
)
SEND_COOKIES = Setting[bool](
    *("True or False", _truth, False),
    attribute="send_cookies",
)
MODE = Setting[str](
    *("'strict' or 'auto'", _one_of("strict", "auto"), "strict"),
    ini="asynctest_tornado_mode",
    pytest_meaning="'strict': only tests with one of its fixtures or its marker run on Tornado's loop; 'auto': all "
    "asynchronous tests do, except those of other plugins",
)
FIXTURES = Setting[tuple[str, ...]](
    *("'all', or to names of fixtures", tuple, ()),
    ini="asynctest_tornado_fixtures",
    pytest_meaning="the fixtures to use by their short names if other plugins have the same ones, or 'all'",
)

SETTINGS: tuple[Setting[Any], ...] = (
    *(
        TIMEOUT,
        LEAKS,
        ALLOWED_LEAKS,
        SCHEDULES,
        SEED,
        ORDER,
        TRACE,
        SHOW_LOGS,
        CLOCK_FACTORY,
        CLOCK,
        NETWORK_FACTORY,
        LOOP_FACTORY,
    ),
    *(LOOP_SCOPE, FUNCTION_LOOP_SCOPE, FAIL_ON_SERVER_ERROR, SEND_COOKIES, SETTLE_AT_END, MODE, FIXTURES),
)
