"""The orders that a test runs under: by ``schedules`` and ``seed``."""

# Tested by tests/schedules/test_repeat.py.

from collections.abc import Iterable

from asynctest_tornado._util import settings
from asynctest_tornado._util.settings import Given

__unittest = True


def seeds(attribute: object, nearer: Iterable[Given] = ()) -> range | None:
    """Return the seeds of the orders to run a test under; None for the order of asyncio alone, which has seed 0.

    :param attribute: ``schedules`` of the class, or None.
    :param nearer: places that go before it.

    Raises ``TypeError`` or ``ValueError`` for a setting that is no number, or out of range.
    """
    seed, _ = settings.SEED.find()
    if seed is not None:
        return range(seed, seed + 1)
    count, _ = settings.SCHEDULES.find(attribute, nearer)
    return None if count is None else range(count)


def hint(seed: int, command: str) -> str:
    """Return a note for the report of a failure: the order of the run, and how to replay it.

    :param command: the arguments of ``python`` that run the test.
    """
    if seed == 0:
        return "In the order of asyncio itself, which is the order of seed 0."
    return f"In the order of seed {seed}. To replay it: {settings.SEED.variable}={seed} python {command}"
