"""Records the jobs in threads and processes that a loop waits for."""

# Tested by tests/timeouts/test_deadlock.py.

import asyncio
from typing import Any

from asynctest_tornado._errors import contexts, made_objects
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util import names, origins
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


def work_of(loop: Any) -> Work | None:
    """Return the work of a watched loop; None until there is some, as on most loops."""
    work: Work | None = _data_of(loop).get(_WORK)
    return work


def _data_of(loop: Any) -> dict[object, Any]:
    """Return the data of the test that uses the loop; of its class, if the class lends the loop."""
    use = loop._asynctest
    data: dict[object, Any] = (use if use.outer is None else use.outer).trap.data
    return data


_WORK = object()


def pending_jobs(loop: WatchedLoop) -> list[tuple[asyncio.Future[Any], str]]:
    """Return the futures of the jobs that executors still run for a loop, with the names of their functions."""
    work = work_of(loop)
    return [] if work is None else work.pending_jobs


class WorkingLoop(WatchedLoop):
    """The methods of a watched loop that let threads and processes work."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self.record_future(future, contexts.contexts.get())
        made_objects.of(self._asynctest.trap).note(future, origins.LIBRARY)
        self._get_work().jobs.note(future, names.name_of_job(func))
        return future

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        transport, protocol = await super().subprocess_exec(*args, **kwargs)
        self._get_work().processes.note(transport, True)
        return transport, protocol

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        transport, protocol = await super().subprocess_shell(*args, **kwargs)
        self._get_work().processes.note(transport, True)
        return transport, protocol

    def _get_work(self) -> Work:
        work: Work = _data_of(self).setdefault(_WORK, Work())
        return work
