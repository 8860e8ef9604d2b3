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
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asynctest_tornado._schedules.holds import Hold, Moment
from asynctest_tornado._search.choices import Choices, Option
from asynctest_tornado._util.real_time import monotonic

__unittest = True

#: How many orders of a test are tried at most, and how many seconds that may take.
MOST_ORDERS = 5_000
MOST_SECONDS = 60.0


class _Order(NamedTuple):
    """An order to try: a prefix of choices."""

    holds: tuple[Hold, ...]
    #: The number of calls of the prefix, and what they were.
    length: int
    checksum: int


class _Point(NamedTuple):
    """A point of a run where another call may be made."""

    #: The steps that were passed over so far, and the call before each one that was made since.
    passed: dict[Moment, Moment | None]
    #: The call before.
    previous: Moment | None
    #: The number of calls before, and what they were.
    place: int
    checksum: int
    #: True if the step that is made here may not be passed over by calls only that touch nothing.
    is_vain: bool


class Explored(NamedTuple):
    """How far the search has come."""

    #: By the number of deviations: the orders that were tried, and those that are known to be left.
    tried: dict[int, int]
    left: dict[int, int]
    #: The number of orders that did not come again: something else than the order has an influence on the test.
    strayed: int
    #: True if each run had several examples of hypothesis, of which the search knows the last one.
    has_examples: bool
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
        return not (self.strayed or self.has_examples) and not sum(self.left.values())

    @property
    def progress(self) -> str:
        """How far the search has come, for the time of the search."""
        count = max(self.tried, default=0)
        left = sum(self.left.values())
        return f"{_orders(self.orders)}, at {count} {_deviations(count)}; at least {left:,} left; {self.seconds:.0f} s"

    def __str__(self) -> str:
        """Return the number of orders, as text: all, or how far the search has come."""
        if self.has_examples:
            return (
                f"{_orders(self.orders)}, which is no proof: hypothesis runs the test with several inputs in each order"
            )
        if self.strayed:
            return (
                f"{_orders(self.orders)}, which is no proof: {self.strayed:,} of them led to other calls than before. "
                "Something else has an influence on the test: sockets or the time, unless it has a VirtualNetwork and "
                "a VirtualClock; threads, random numbers, or a loop over a set of objects"
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
        self._has_examples = False
        self._start()

    def _start(self) -> None:
        self._tried: dict[int, int] = {}
        self._left: dict[int, int] = {0: 1}
        self._queues: dict[int, deque[_Order]] = {0: deque([_Order((), 0, 0)])}
        #: The number of orders in the queues.
        self._queued = 1
        self._current: _Order | None = None
        self._strayed = 0

    def history(self) -> Choices:
        """Return the history for the next run."""
        return Choices(self._is_reduced)

    def __iter__(self) -> Iterator[tuple[Hold, ...]]:
        while self._total < self._most and monotonic() - self._began < self._seconds:
            count = min(self._queues, default=None)
            if count is None:
                return
            self._current = self._queues[count].popleft()
            self._took_one(count)
            self._left[count] -= 1
            self._tried[count] = self._tried.get(count, 0) + 1
            self._total += 1
            yield self._current.holds

    def record(self, history: Choices) -> None:
        """Find the orders that follow from a run in the order that was tried last."""
        order = self._current
        assert order is not None
        self._has_examples |= history.is_of_example
        checksums = [0]
        for made in history.calls:
            checksums.append(hash((checksums[-1], made.moment)))
        if len(history.calls) < order.length or checksums[order.length] != order.checksum:
            self._strayed += 1
            return
        wrong = history.mistaken() - self._touching
        if self._is_reduced and (wrong or history.is_disturbed):
            # Orders that were left out because of them have to be tried after all.
            self._touching |= wrong
            self._is_reduced = not history.is_disturbed
            self._start()
            return
        self._expand(order, history, checksums)

    def _expand(self, order: _Order, history: Choices, checksums: list[int]) -> None:
        passed: dict[Moment, Moment | None] = {}  # each step that was passed over, and the call before it
        touched: set[Moment] = set()  # those of them that were passed over by a call that may touch the same
        previous: Moment | None = None
        for place, made in enumerate(history.calls):
            options = history.options.get(place, [])
            is_vain = self._is_reduced and made.moment not in touched and history.is_movable(place)
            if place < order.length:
                moments = [option.moment for option in options]
                before = moments[: moments.index(made.moment)] if options else []
                passed |= {step: None for step in before if step not in passed}
                touched.update(() if self._is_inert(made.moment, history) else before)
            elif options and options[0].moment != made.moment:
                self._strayed += 1
                return
            elif len(options) > 1:
                point = _Point(passed, previous, place, checksums[place], is_vain)
                self._branch(point, options, history)
            if made.moment in passed:
                if is_vain:
                    return
                passed[made.moment] = previous
            previous = made.moment

    def _is_inert(self, moment: Moment, history: Choices) -> bool:
        return history.is_inert(moment) and moment[:2] not in self._touching

    def _branch(self, point: _Point, options: Sequence[Option], history: Choices) -> None:
        """Add the orders that make another choice at some point."""
        before: list[Moment] = []  # the options that the next one passes
        count = len(point.passed)  # the steps that are passed over if it does
        for option in options:
            if self._bound is not None and count > self._bound:
                return
            moment = option.moment
            is_inert = self._is_inert(moment, history)
            checksum = hash((point.checksum, moment))
            if before and is_inert and point.is_vain:
                # To go on with the first step now would be in vain. So hold it back for longer, past the next call.
                after = [each for each in options if each is not option]
                if options[-1].is_step:
                    following = moment._replace(step=moment.step + 1)
                    after.append(Option(following, True, history.is_inert(following)))
                passed = point.passed | {step: None for step in before if step not in point.passed}
                self._branch(_Point(passed, moment, point.place + 1, checksum, True), after, history)
            elif before:
                self._left[count] = self._left.get(count, 0) + 1
                if self._make_room(count):
                    # The step that is made has been held until the call before, and the others until this step.
                    held = dict.fromkeys([*point.passed, *before], moment)
                    held |= {step: until for step, until in point.passed.items() if until is not None}
                    if moment in point.passed and point.previous is not None:
                        held[moment] = point.previous
                    holds = tuple(Hold(*each) for each in held.items())
                    self._queues.setdefault(count, deque()).append(_Order(holds, point.place + 1, checksum))
                    self._queued += 1
            if is_inert:
                return
            before.append(moment)
            count += moment not in point.passed

    def _make_room(self, count: int) -> bool:
        """Return whether an order with some deviations may be tried. The queues have only those that may be."""
        if self._queued < self._most:
            return True
        greatest = max(self._queues)
        if greatest <= count:
            return False
        self._queues[greatest].pop()
        self._took_one(greatest)
        return True

    def _took_one(self, count: int) -> None:
        """Learn that an order with some deviations has left its queue."""
        self._queued -= 1
        if not self._queues[count]:
            del self._queues[count]

    def explored(self) -> Explored:
        """Return how far the search has come."""
        seconds = monotonic() - self._began
        return Explored(
            *(dict(self._tried), dict(self._left), self._strayed, self._has_examples, seconds),
            *(self._bound, self._most, self._seconds),
        )
