"""The orders that a test runs under: by ``schedules``, ``seed`` and ``order``."""

# Tested by tests/search/test_repeat.py.

import re
from collections.abc import Callable, Iterable, Sequence

from asynctest_tornado._schedules import holds as deviations
from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Hold, Moment
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._util import settings
from asynctest_tornado._util.settings import All, Given

__unittest = True


def seeds(attribute: object, nearer: Iterable[Given] = ()) -> range | All | None:
    """Return the seeds of the orders to run a test under; None for the order of asyncio alone, which has seed 0.

    All orders have no seeds.

    :param attribute: ``schedules`` of the class, or None.
    :param nearer: places that go before it.

    Raises ``TypeError`` or ``ValueError`` for a setting that is wrong.
    """
    seed, _ = settings.SEED.find()
    if seed is not None:
        return range(seed, seed + 1)
    count, _ = settings.SCHEDULES.find(attribute, nearer)
    return range(count) if isinstance(count, int) else count


def replayed(is_required: bool = True, new_history: Callable[[], History] = History) -> Schedule | None:
    """Return the order that ``ASYNC_TEST_ORDER`` asks for, if it is set.

    :param is_required: true if a loop that cannot have another order is an error.
    :param new_history: returns an object that names and records the calls.

    Raises ``ValueError`` if the variable names no order, or if ``ASYNC_TEST_SEED`` names another one.
    """
    token, where = settings.ORDER.find()
    if not token:
        return None
    if settings.SEED.find()[0] is not None:
        reason = ValueError(f"{settings.SEED.variable} is set, too, and a test can have one order only; unset it")
        raise settings.ORDER.error(token, where, reason)
    try:
        return of_token(token, is_required, new_history())
    except ValueError as reason:
        raise settings.ORDER.error(token, where, reason) from None


def of_token(token: str, is_required: bool = True, history: History | None = None) -> Schedule:
    """Return the schedule for the text that `token_of` returns. Raises ``ValueError`` if it stands for none."""
    first, _, rest = token.partition(",")
    found = re.fullmatch(r"seed(\d+)", first.strip())
    schedule = Schedule.of_holds(deviations.of_text(token if found is None else rest), is_required, history)
    if found is not None:
        schedule.seed = int(found[1])
    schedule.token = token
    return schedule


def token_of(holds: Sequence[Hold], seed: int = 0) -> str:
    """Return the text that stands for an order in ``ASYNC_TEST_ORDER``.

    :param seed: the seed of random faults of a network that the failure needs, if it is not 0.
    """
    return ",".join(filter(None, (f"seed{seed}" if seed else "", deviations.text_of(holds))))


def say_missing(moments: Sequence[Moment]) -> str:
    """Return a clause about calls that an order names, and that were not made."""
    return f"{', '.join('.'.join(map(str, moment)) for moment in moments)} never came: the test has changed"
