"""Records the jobs in threads and processes that a loop waits for."""

# Tested by tests/timeouts/test_deadlock.py.

import asyncio
from typing import Any

from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True


class Work:
    """The jobs and subprocesses of one loop."""

    def __init__(self) -> None:
        #: The names of the functions that executors run, by the futures of the jobs. Not the functions, which would
        #: live for as long as the futures.
        self.jobs: WeakNotes[str] = WeakNotes()
        #: The subprocesses that the loop has begun.
        self.processes: WeakNotes[bool] = WeakNotes()

    @property
    def pending_jobs(self) -> list[tuple[asyncio.Future[Any], str]]:
        """The futures of the jobs that still run, with the names of their functions."""
        return [(future, name) for future, name in self.jobs.known() if not future.done()]

    @property
    def pending_processes(self) -> list[asyncio.SubprocessTransport]:
        """The subprocesses that have not ended."""
        return [process for process, _ in self.processes.known() if process.get_returncode() is None]

    @property
    def is_going_on(self) -> bool:
        """Whether something will come back to the loop."""
        return bool(self.pending_jobs or self.pending_processes)
