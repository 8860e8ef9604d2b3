"""Waits until all that a test has set off has ended."""

import math

from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._harness.timeout_error import error_of
from asynctest_tornado._leaks import passed_over, policy
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._leaks.going_on import GoingOn
from asynctest_tornado._timeouts import limits
from asynctest_tornado._timeouts.quiet import Watch
from asynctest_tornado._util import coroutines, settings

__unittest = True

_ADVICE = "End it, wait for it, or name it in allowed_leaks if it may go on."


async def settle(harness: Harness, timeout: float | None = None, *, operation: str = "settle()") -> None:
    """Wait until all that a test has set off has ended; see `AsyncTestCase.settle`."""

    def error(wait: object) -> BaseException:
        lines = work.describe()
        went_on = "\n".join([": this still goes on:", *lines, _ADVICE]) if lines else ""
        return error_of(wait, TimeoutError, operation, None, went_on)

    with Watch(harness, timeout, error, lambda: work.is_over()) as watch:
        limit = watch.limit
        horizon = limit.seconds if limit is not None and limit.is_set else math.inf
        work = GoingOn(harness, harness.options.get(LEAKS, policy.IGNORE), horizon)
        await coroutines.waiting_for("all other work to end", watch.moment())
        late = f"it was due later than {limit.describe()}" if limit is not None else ""
        passed_over.remember(harness.trap, operation, work.passed_over(late))


def at_end(harness: Harness, limit: Limit, value: bool | float, where: str) -> None:
    """Run `settle` after the body of a test, unless that has failed.

    :param limit: the time limit of the waits of the test.
    :param value: true for that limit, or the seconds that it may take.
    :param where: the place that sets the value.
    """
    if harness.trap.failure is not None:
        return
    if value is not True:
        limit = Limit(float(value), where)

    async def settle_at_end() -> None:
        await settle(harness, operation="settle_at_end")

    settle_at_end.__qualname__ = "settle_at_end"  # for reports
    harness.waits.run(settle_at_end, limit, shared=True)


def at_end_of_test(harness: Harness, attribute: object, timeout: float | None) -> None:
    """Run `settle` after the body of a test, if its class asks for it.

    :param attribute: the class attribute ``settle_at_end``.
    :param timeout: the class attribute ``async_test_timeout``.

    Raises ``TypeError`` or ``ValueError`` for a wrong value.
    """
    value, where = settings.SETTLE_AT_END.find(attribute)
    if value is not False:
        at_end(harness, limits.limit(None, timeout), value, where)
