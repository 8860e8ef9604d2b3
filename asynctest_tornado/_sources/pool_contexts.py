"""Lets jobs of thread pools inherit the chain of handlers.

The code that hands a job over has the chain. A job is a function that a ``ThreadPoolExecutor`` runs, or a callback of a
future of any pool. Whether a callback runs in a thread of the pool or in the thread of the test is a matter of chance.
"""

import functools
import types
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._sources import class_trap
from asynctest_tornado._util import names
from asynctest_tornado._util.patching import Patch
from asynctest_tornado._util.weak_notes import WeakNotes

__unittest = True

#: The logger that gets the error of a callback.
LOGGER = "concurrent.futures"
#: The key in ``trap.data`` for the futures of jobs, with the names of their functions.
_JOBS = object()
#: Its jobs are serialized, for another interpreter.
_OF_INTERPRETERS = "concurrent.futures.interpreter"


def _submit_in_contexts(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
    if not _submit.is_active or type(self).__module__ == _OF_INTERPRETERS:
        return _submit.found(self, fn, *args, **kwargs)
    job = _in_contexts(fn)
    future = _submit.found(self, job, *args, **kwargs)
    if job is not fn and isinstance(job.args[0][0], Trap):
        job.args[0][0].data.setdefault(_JOBS, WeakNotes()).note(future, names.name_of_job(fn))
    return future


def pending_jobs(trap: Trap) -> list[str]:
    """Return the names of the functions that a test has handed to thread pools, and that have not ended."""
    jobs: WeakNotes[str] | None = trap.data.get(_JOBS)
    return [] if jobs is None else [name for future, name in jobs.known() if not future.done()]


def _add_callback_in_contexts(self: Any, fn: Any) -> Any:
    return _add_callback.found(self, _in_contexts(fn) if _add_callback.is_active else fn)


_submit = Patch(ThreadPoolExecutor, "submit", _submit_in_contexts)
_add_callback = Patch(Future, "add_done_callback", _add_callback_in_contexts)
#: They let all jobs and callbacks that are handed over inherit their contexts.
patches = [_submit, _add_callback]


def _in_contexts(func: Any) -> Any:
    chain = contexts.chain_here() or class_trap.chain_here()
    return functools.partial(_call, chain, func) if chain else func


def _call(chain: contexts.Chain, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    with contexts.under(chain):
        return func(*args, **kwargs)


def chain_of(error: BaseException) -> contexts.Chain:
    """Return the contexts of the callback that raised an error; none if it was no callback of a test."""
    tb: types.TracebackType | None = error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code is _call.__code__:
            chain: contexts.Chain = tb.tb_frame.f_locals["chain"]
            return chain
        tb = tb.tb_next
    return ()
