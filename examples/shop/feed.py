"""The live feed: who listens learns of each change of the stock."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """The new stock of a product."""

    product: int
    stock: int


#: None stands for the end of the feed.
Changes = asyncio.Queue[Change | None]


class Feed:
    """All listeners, each with a queue of the changes that it has not seen yet."""

    def __init__(self) -> None:
        self.listeners: set[Changes] = set()

    @contextmanager
    def listen(self) -> Iterator[Changes]:
        """Listen while the block runs."""
        changes: Changes = asyncio.Queue()
        self.listeners.add(changes)
        try:
            yield changes
        finally:
            self.listeners.remove(changes)

    def publish(self, change: Change | None) -> None:
        for changes in self.listeners:
            changes.put_nowait(change)
