"""Explores all orders of a test that have few deviations, each order once.

An order is known by the choices that lead to it. Where several calls are ready, asyncio makes the one that was
registered first. To make another one passes over the steps that were registered before it. The number of deviations of
an order is the number of steps that are passed over at least once, as in `History.holds`.

The orders form a tree. Its root is the order of asyncio. The parent of any other order makes the same choices, but for
the last one that is not the choice of asyncio, and goes on in the order of asyncio from there. So each order has one
parent, and no more deviations than any of its children: a search by the number of deviations meets each order once, and
one with the fewest deviations first.

Some orders are left out: those in which a step is passed over in vain. It is one that touches nothing (see
`footprints`), or all calls that have passed it are. Take such an order, and move the step to the front of these calls.
No call can see a difference. The step itself is not passed over any more. If it has registered one call only, the next
step of a task, this has got an earlier number thereby, and may now be passed over instead; no other step is. So the new
order has no more deviations, and the same outcome. The choices that lead to it are earlier ones, so this ends, with an
order in which no step is passed over in vain. A step that touches nothing has registered nothing but the next one of
its task. For others, the run itself shows what they have registered.

What runs the test, and how it fails, is no matter here.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from asynctest_tornado._schedules import footprints
from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.history import History
from asynctest_tornado._schedules.holds import Hold, Moment
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: How many orders of a test are tried at most, and how many seconds that may take.
MOST_ORDERS = 5_000
MOST_SECONDS = 60.0


class Option(NamedTuple):
    """A call that could be made at some point of a run."""

    moment: Moment
    #: True if it is the step of a task that touches nothing, so that no order passes over it.
    is_inert: bool


class Choices(History):
    """The history of a run for an `Explorer`: with the calls that could have been made instead.

    :param is_reduced: False if each step may be passed over.
    """

    def __init__(self, is_reduced: bool = True) -> None:
        super().__init__()
        self._is_reduced = is_reduced
        #: By the place of a call in the history: the calls to choose from, in the order of their registration.
        self.options: dict[int, list[Option]] = {}
        #: The tasks that were cancelled, by name. A step of such a task is not inert: it meets the cancellation.
        self.cancelled: set[tuple[str, int]] = set()
        self._inert: dict[Moment, bool] = {}
        #: By the place of a call: the calls that it has registered, and whether each is a step that may be held back.
        self._registered: dict[int, list[tuple[Moment, bool]]] = {}

    def register(self, call: Call, task: Any) -> None:
        super().register(call, task)
        if call.by is not None:
            self._registered.setdefault(call.by, []).append((call.moment, call.task is not None))

    def offer(self, steps: Sequence[Call], callbacks: Iterable[Call]) -> None:
        found = []
        # A copy, as other threads add to them.
        callback = next((call for call in tuple(callbacks) if not call.cancelled()), None)
        for step in steps:
            if callback is not None and step.number > callback.number:
                break
            if not step.cancelled():
                found.append(step)
        if callback is not None:
            found.append(callback)
        if len(found) > 1:
            self.options[len(self.calls)] = [Option(call.moment, self._is_inert(call)) for call in found]

    def _is_inert(self, call: Call) -> bool:
        if call.task is None or not self._is_reduced:
            return False
        known = self._inert.get(call.moment)
        if known is None:
            known = self._inert[call.moment] = footprints.is_inert(call.task)
        return known

    def begin(self, call: Call) -> None:
        super().begin(call)
        if footprints.is_cancelled(call.task):
            self.cancelled.add(call.moment[:2])

    def mistaken(self) -> set[tuple[str, int]]:
        """Return the names of tasks with a step that was thought to be inert, and was not."""
        wrong = set()
        for place, (moment, *_) in enumerate(self.calls):
            expected = [(moment._replace(step=moment.step + 1), True)]
            if self._inert.get(moment) and self._registered.get(place) != expected:
                wrong.add(moment[:2])
        return wrong | self.cancelled

    def is_movable(self, place: int) -> bool:
        """Return whether a call has registered at most one call, a step that may be held back."""
        registered = self._registered.get(place, [])
        return len(registered) <= 1 and all(is_step for _, is_step in registered)


class _Order(NamedTuple):
    """An order to try: a prefix of choices."""

    holds: tuple[Hold, ...]
    #: The number of calls of the prefix, and what they were.
    length: int
    checksum: int


class Explored(NamedTuple):
    """How far the search has come."""

    #: By the number of deviations: the orders that were tried, and those that are known to be left.
    tried: dict[int, int]
    left: dict[int, int]
    #: The number of orders that did not come again: something else than the order has an influence on the test.
    strayed: int
    seconds: float
    bound: int | None
    most_orders: int
    most_seconds: float

    @property
    def orders(self) -> int:
        """The number of orders that were tried."""
        return sum(self.tried.values())

    @property
    def is_complete(self) -> bool:
        """True if all orders were tried."""
        return not self.strayed and not sum(self.left.values())

    @property
    def progress(self) -> str:
        """How far the search has come, for the time of the search."""
        count = max(self.tried, default=0)
        left = sum(self.left.values())
        return f"{_orders(self.orders)}, at {count} {_deviations(count)}; at least {left:,} left; {self.seconds:.0f} s"

    def __str__(self) -> str:
        """Return the number of orders, as text: all, or how far the search has come."""
        if self.strayed:
            return (
                f"{_orders(self.orders)}, which is no proof: {self.strayed:,} of them led to other calls than before. "
                "Something else has an influence on the test, such as sockets, the time or random numbers; "
                "VirtualNetwork and VirtualClock put the first two in order"
            )
        if self.is_complete:
            return f"all {_orders(self.orders)}{_at_most(self.bound)}"
        first = min(count for count, left in self.left.items() if left)
        before, within = "", ""
        if first == 1:
            before = "asyncio's own order, and "
        elif first > 1:
            before = (
                f"all {_orders(sum(self.tried.get(count, 0) for count in range(first)))}{_at_most(first - 1)}, and "
            )
            within = f"; 'all:{first - 1}' stays within it"
        tried = self.tried.get(first, 0)
        return (
            f"{before}{tried:,} of at least {tried + self.left[first]:,} with {first}, which is no proof: the limit is "
            f"{self.most_orders:,} orders or {self.most_seconds:g} seconds{within}"
        )


def _orders(count: int) -> str:
    return f"{count:,} {'order' if count == 1 else 'orders'}"


def _at_most(bound: int | None) -> str:
    return "" if bound is None else f" with at most {bound} {_deviations(bound)}"


def _deviations(count: int) -> str:
    return "deviation" if count == 1 else "deviations"


class Explorer:
    """The search. Iterate over it for the orders to try, and give it the history of each run::

        explorer = Explorer(2)
        for holds in explorer:
            history = explorer.history()
            ...  # run the test with Schedule.of_holds(holds, history=history)
            if failed:
                break
            explorer.record(history)
        print(explorer.explored())

    :param bound: the greatest number of deviations; None for no bound.
    :param is_reduced: False to leave out no order.
    """

    def __init__(
        self,
        bound: int | None,
        most_orders: int = MOST_ORDERS,
        most_seconds: float = MOST_SECONDS,
        *,
        is_reduced: bool = True,
    ) -> None:
        self._bound = bound
        self._most = most_orders
        self._seconds = most_seconds
        self._is_reduced = is_reduced
        self._began = monotonic()
        #: The names of tasks whose steps are not inert, whatever their code looks like.
        self._touching: set[tuple[str, int]] = set()
        self._total = 0
        self._start()

    def _start(self) -> None:
        self._tried: dict[int, int] = {}
        self._left: dict[int, int] = {0: 1}
        self._queues: dict[int, deque[_Order]] = {0: deque([_Order((), 0, 0)])}
        self._current: _Order | None = None
        self._strayed = 0

    def history(self) -> Choices:
        """Return the history for the next run."""
        return Choices(self._is_reduced)

    def __iter__(self) -> Iterator[tuple[Hold, ...]]:
        while self._total < self._most and monotonic() - self._began < self._seconds:
            count = min((count for count, queue in self._queues.items() if queue), default=None)
            if count is None:
                return
            self._current = self._queues[count].popleft()
            self._left[count] -= 1
            self._tried[count] = self._tried.get(count, 0) + 1
            self._total += 1
            yield self._current.holds

    def record(self, history: Choices) -> None:
        """Find the orders that follow from a run in the order that was tried last."""
        order = self._current
        assert order is not None
        checksums = [0]
        for made in history.calls:
            checksums.append(hash((checksums[-1], made.moment)))
        if len(history.calls) < order.length or checksums[order.length] != order.checksum:
            self._strayed += 1
            return
        wrong = history.mistaken() - self._touching
        if wrong and self._is_reduced:
            # Orders that were left out because of them have to be tried after all.
            self._touching |= wrong
            self._start()
            return
        self._expand(order, history, checksums)

    def _expand(self, order: _Order, history: Choices, checksums: list[int]) -> None:
        passed: dict[Moment, Moment | None] = {}  # each step that was passed over, and the call before it
        touched: set[Moment] = set()  # those of them that were passed over by a call that may touch the same
        previous: Moment | None = None
        for place, made in enumerate(history.calls):
            options = history.options.get(place, ())
            if place >= order.length and options and options[0].moment != made.moment:
                self._strayed += 1
                return
            before: list[Moment] = []  # the options that the next one passes
            for option in options:
                if place >= order.length and before:
                    # The step that is made has been held until the call before, and the other ones until this step.
                    held = dict.fromkeys([*passed, *before], option.moment)
                    held |= {step: until for step, until in passed.items() if until is not None}
                    if option.moment in passed and previous is not None:
                        held[option.moment] = previous
                    self._add(held, place + 1, hash((checksums[place], option.moment)))
                is_inert = option.is_inert and option.moment[:2] not in self._touching
                if option.moment == made.moment and place < order.length:
                    passed |= {step: None for step in before if step not in passed}
                    touched.update(() if is_inert else before)
                if place >= order.length and is_inert:
                    break
                before.append(option.moment)
            if made.moment in passed:
                if self._is_reduced and made.moment not in touched and history.is_movable(place):
                    return
                passed[made.moment] = previous
            previous = made.moment

    def _add(self, held: dict[Moment, Moment], length: int, checksum: int) -> None:
        """Add an order that is to be tried, unless it has too many deviations."""
        count = len(held)
        if self._bound is not None and count > self._bound:
            return
        self._left[count] = self._left.get(count, 0) + 1
        queue = self._queues.setdefault(count, deque())
        if len(queue) < self._most:  # else it is not going to be tried
            queue.append(_Order(tuple(Hold(*each) for each in held.items()), length, checksum))

    def explored(self) -> Explored:
        """Return how far the search has come."""
        seconds = monotonic() - self._began
        return Explored(
            dict(self._tried), dict(self._left), self._strayed, seconds, self._bound, self._most, self._seconds
        )
