"""The notes of a failure in an order: which order it is, and how to replay it."""

# Tested by tests/search/test_repeat.py.

from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search.shrink import Shrunk
from asynctest_tornado._util import settings

__unittest = True


def hint(seed: int, command: str) -> str:
    """Return a note for the report of a failure: the order of the run, and how to replay it.

    :param command: the command that runs the test.
    """
    if seed == 0:
        return "In the order of asyncio itself, which is the order of seed 0."
    return f"In the order of seed {seed}. To replay it: {settings.SEED.variable}={seed} {command}"


def hint_of(schedule: Schedule, command: str) -> str:
    """Return the note of `hint` for a schedule, which may have a token in the place of a seed."""
    if not schedule.token:
        return hint(schedule.seed, command)
    return f"To replay this order: {settings.ORDER.variable}={schedule.token} {command}"


def hint_explored(count: int, tried: int, schedule: Schedule, command: str) -> str:
    """Return the note for the report of a failure with the fewest deviations that fail.

    :param count: the number of deviations.
    :param tried: the number of orders that were tried before.
    """
    number = "1 deviation" if count == 1 else f"{count} deviations"
    before = "1 order" if tried == 1 else f"{tried:,} orders"
    return (
        f"It fails with {number} from asyncio's own order, and does not with fewer ({before} passed before this one)."
        f"\n{hint_of(schedule, command)}"
    )


def hint_shrunk(shrunk: Shrunk, seed: int, schedule: Schedule, command: str, explanation: str) -> str:
    """Return the note for the report of an order that was shrunk.

    :param seed: the seed of the order before.
    :param schedule: the order now.
    :param explanation: sentences about the deviations; they may be empty.
    """
    count = len(shrunk.holds)
    number = "1 deviation" if count == 1 else f"{count} deviations"
    faults = f" and the random faults of seed {schedule.seed}" if schedule.seed else ""
    end = "" if shrunk.is_complete else "; the time or the runs for shrinking were used up, so fewer may do"
    lines = [
        f"It fails with {number} from asyncio's own order{faults} (of {shrunk.before} in the order of seed {seed}; "
        f"{shrunk.runs} runs{end}).",
        explanation,
        hint_of(schedule, command),
        f"To replay the order of seed {seed}, in which it was found: {settings.SEED.variable}={seed} {command}",
    ]
    return "\n".join(filter(None, lines))
