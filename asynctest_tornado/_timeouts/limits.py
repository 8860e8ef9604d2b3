"""How long a test may wait: the argument, else the class attribute, else the environment, else 5 seconds."""

import math
import numbers
from typing import NamedTuple

from asynctest_tornado._util import environment

__unittest = True

DEFAULT = 5.0
ENVIRONMENT = "ASYNC_TEST_TIMEOUT"


class Limit(NamedTuple):
    """A time limit and the setting that it comes from, for the report of a timeout."""

    seconds: float
    """0 or infinity: no limit."""
    setting: str

    @property
    def is_set(self) -> bool:
        return 0 < self.seconds < math.inf

    def __str__(self) -> str:
        return f"{self.seconds:g} seconds"


_DEFAULT_LIMIT = Limit(DEFAULT, f"the default, change it by {ENVIRONMENT}")


def check(value: object, setting: str) -> float:
    """Return the value as seconds, or say what is wrong with it.

    Raises ``TypeError`` for what is not a number, ``ValueError`` for a negative number or NaN.
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(
            f"{setting} is not a number: {value!r}. Give the seconds as an int or float, or 0 for no limit."
        )
    seconds = float(value)
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(
            f"{setting} cannot be {value!r}: a test cannot wait for that long. Give 0 (no limit) or more seconds."
        )
    return seconds


def get_async_test_timeout() -> float:
    """Return how long a test may wait where nothing more specific was set, in seconds.

    That is the environment variable ``ASYNC_TEST_TIMEOUT``, read at each call, or else 5. 0 stands for no limit.

    Raises ``ValueError`` if the variable is not a number, negative or NaN; ``tornado.testing`` silently takes 5 for
    the first and the value itself for the others.

    From ``tornado.testing``. New in version 0.1.
    """
    text = environment.get(ENVIRONMENT)
    return DEFAULT if text is None else parse(text)


def parse(text: str, setting: str = f"The environment variable {ENVIRONMENT}") -> float:
    """Return what a text says, in seconds. Raises ``ValueError`` for what is no time limit."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(
            f"{setting} is not a number: {text!r}. "
            "Set it to seconds, for example 10 or 0.5, to 0 for no limit, or unset it."
        ) from None
    return check(value, setting)


def limit(argument: float | None, attribute: float | None) -> Limit:
    """Return the limit in force, given the argument of the call and the attribute of the class, each in seconds."""
    if argument is not None:
        return Limit(check(argument, "timeout"), "the argument timeout")
    if attribute is not None:
        return Limit(check(attribute, "async_test_timeout"), "the class attribute async_test_timeout")
    text = environment.get(ENVIRONMENT)
    return _DEFAULT_LIMIT if text is None else Limit(parse(text), ENVIRONMENT)
