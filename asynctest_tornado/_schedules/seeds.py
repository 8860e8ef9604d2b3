"""The policies that the seeds stand for."""

# Tested by tests/schedules/test_policies.py.

from asynctest_tornado._schedules.pct import Pct
from asynctest_tornado._schedules.policies import Favourite, Policy, Uniform

__unittest = True

#: Of this many seeds in a row, all but two are of PCT, in pairs with opposite priorities.
_ROUND = 12


def policy_of(seed: int) -> Policy:
    """Return the policy of a seed; 0 stands for the order of asyncio.

    PCT finds most races soonest. Those that need a task to be passed several times, in turns with others, are for the
    rest of the seeds, which mix calls well, let one task after the other run ahead, or let it fall behind.
    """
    if seed == 0:
        return Policy()
    place, turn = seed % _ROUND, seed // _ROUND
    if place == 3:
        return Uniform(seed)
    if place == 4:
        return Favourite(seed, is_ahead=True) if turn % 2 else Favourite(seed, is_ahead=False)
    first = seed - place % 2
    return Pct(first, is_reversed=first != seed)
