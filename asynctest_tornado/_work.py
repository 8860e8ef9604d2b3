"""What works for a loop in threads and processes."""

import asyncio
import weakref
from typing import Any

__unittest = True


class Work:
    """The jobs and subprocesses of one loop."""

    def __init__(self) -> None:
        #: The functions that executors run, by what waits for them.
        self.jobs: weakref.WeakKeyDictionary[asyncio.Future[Any], Any] = weakref.WeakKeyDictionary()
        #: The subprocesses that the loop has begun.
        self.processes: weakref.WeakSet[asyncio.SubprocessTransport] = weakref.WeakSet()

    @property
    def pending_jobs(self) -> dict[asyncio.Future[Any], Any]:
        """The functions that still run, by what waits for them."""
        return {future: func for future, func in list(self.jobs.items()) if not future.done()}

    @property
    def pending_processes(self) -> list[asyncio.SubprocessTransport]:
        """Those that have not ended."""
        return [process for process in list(self.processes) if process.get_returncode() is None]

    @property
    def is_going_on(self) -> bool:
        """Whether something will come back to the loop."""
        return bool(self.pending_jobs or self.pending_processes)
