"""Records the tasks, jobs, subprocesses and files that a test begins on a loop."""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from asynctest_tornado._errors import contexts, made_objects
from asynctest_tornado._loop.executor_jobs import Work
from asynctest_tornado._loop.file_handler import FileHandler
from asynctest_tornado._util import names, origins
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

#: The chain of contexts in which a future was made, and the line that made it.
Made = tuple[contexts.Chain, origins.Origin]
_NO_FUTURES: WeakNotes[Made] = WeakNotes()


class Records:
    """The records of one test on a loop.

    :param before: the records of the class, if its loop is lent to the test.
    """

    __slots__ = ("files", "futures", "outer_futures", "work")

    def __init__(self, before: "Records | None") -> None:
        #: Each task, and each future of a coroutine or executor, that still exists.
        self.futures: WeakNotes[Made] = WeakNotes()
        #: The futures that were made before the test got the loop of its class.
        self.outer_futures = _NO_FUTURES if before is None else before.futures
        #: The jobs and subprocesses of the loop; None until there is one, as most tests have none.
        self.work: Work | None = None if before is None else before.work
        #: The functions that are called for files, by file and direction.
        self.files: dict[tuple[int, bool], FileHandler] = {}

    def record_future(
        self, future: "asyncio.Future[Any]", chain: contexts.Chain, origin: origins.Origin = None
    ) -> None:
        self.futures.note(future, (chain, origin))

    def record_job(self, future: "asyncio.Future[Any]", func: Any, origin: origins.Origin) -> None:
        self.record_future(future, contexts.contexts.get(), origin)
        self._get_work().jobs.note(future, names.name_of_job(func))

    def record_process(self, transport: Any) -> None:
        self._get_work().processes.note(transport, True)

    def _get_work(self) -> Work:
        if self.work is None:
            self.work = Work()
        return self.work

    def record_file(self, file: Any, is_write: bool, callback: Any, args: tuple[Any, ...]) -> None:
        """Record a function that the loop calls for a file, for a method of the loop."""
        origin = origins.find(origins.FILES, depth=3)
        if origin is not origins.LIBRARY:
            fd = _number(file)
            handler = FileHandler(fd, callback, args)
            made_objects.record_made_at(handler, origin)
            self.files[fd, is_write] = handler

    def drop_file(self, file: Any, is_write: bool) -> None:
        self.files.pop((_number(file), is_write), None)

    def made(self, future: object) -> Made | None:
        """Return the chain and the line that made a future; None if it was not recorded."""
        return self.futures.of(future, None) or self.outer_futures.of(future, None)

    def lost(self, futures: Iterable[object]) -> Iterator[tuple["asyncio.Future[Any]", BaseException]]:
        """Return the failed futures whose error no code has looked at, with the error.

        :param futures: objects to look through besides the recorded futures.
        """
        known = [future for future, _ in self.futures.known()] if self.futures else ()
        for future in (*known, *futures):
            # The flag of the finalizers: set with the exception, and cleared by the code that retrieves it.
            if isinstance(future, asyncio.Future) and getattr(future, "_log_traceback", False):
                error = getattr(future, "_exception", None)
                if contexts.is_error(error):
                    yield future, error


def _number(file: Any) -> int:
    return file if isinstance(file, int) else file.fileno()
