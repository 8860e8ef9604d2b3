"""Time limits: argument, else class attribute, else environment, else 5 seconds."""

from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._util import settings

__unittest = True


def get_async_test_timeout() -> float:
    """Return the default time limit of each wait, in seconds.

    It is the environment variable ``ASYNC_TEST_TIMEOUT``, read at each call, or else 5. 0 stands for no limit.

    Raises ``ValueError`` if the variable is not a number, negative or NaN; ``tornado.testing`` silently takes 5 for
    the first and the value itself for the others.

    From ``tornado.testing``. New in version 0.1.
    """
    return settings.TIMEOUT.find()[0]


_ARGUMENT = "the argument timeout"
_DEFAULT = Limit(*settings.TIMEOUT.unset)


def limit(argument: float | None, attribute: float | None) -> Limit:
    """Return the limit in force, given the argument of the call and the attribute of the class, each in seconds.

    Raises ``TypeError`` for a value that is not a number, ``ValueError`` for a negative number or NaN.
    """
    if argument is not None:
        return Limit(settings.TIMEOUT.read(argument, _ARGUMENT), _ARGUMENT)
    found = settings.TIMEOUT.find(attribute)
    return _DEFAULT if found is settings.TIMEOUT.unset else Limit(*found)
