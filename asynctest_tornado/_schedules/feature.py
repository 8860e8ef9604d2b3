"""Gives the loop of a test the order of a schedule."""

import asyncio
from collections.abc import Callable

from asynctest_tornado._errors import notes
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._loop.error_routing import Use
from asynctest_tornado._schedules.schedule import Schedule

__unittest = True


class Order(Feature):
    """Tests whose loops keep to the order of a schedule. The option is the schedule."""

    is_optional = True

    def opened(self, harness: Harness) -> None:
        """Raise ``TypeError`` for a loop that cannot have another order, if the schedule is required."""
        schedule: Schedule = harness.options[self]
        loop = harness.loop.loop
        if isinstance(loop, asyncio.BaseEventLoop):
            use = loop._asynctest
            use.is_ordered = True
            harness.trap.data[self] = use, schedule.attach(loop)
        elif schedule.is_required:
            raise TypeError(
                f"{loop!r} runs ready callbacks in its own order only: schedules are for loops of asyncio. "
                "Leave out schedules, or loop_factory, get_new_ioloop() and policies of your own."
            )

    def notes(self, harness: Harness, error: BaseException) -> None:
        schedule: Schedule = harness.options[self]
        if schedule.hint is not None:
            notes.add(error, schedule.hint, harness.trap, once=True)

    def closed(self, harness: Harness) -> None:
        """Give the loop its own order back."""
        attached: tuple[Use, Callable[[], None]] | None = harness.trap.data.pop(self, None)
        if attached is not None:
            use, detach = attached
            detach()
            use.is_ordered = False


ORDER = Order()
