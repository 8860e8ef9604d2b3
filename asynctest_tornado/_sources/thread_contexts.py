"""Lets threads inherit the chain of handlers of the code that starts them.

A thread inherits context variables by itself only from Python 3.14 on, if the interpreter is started with that option.
The place is below ``Thread.start``, in functions that only the module ``threading`` calls: a mock of that method starts
no thread, an instrumentation of it stays as it is, and a thread cannot be started twice.
"""

# Tested by tests/sources/test_neighbours.py.

import concurrent.futures.thread
import contextlib
import contextvars
import functools
import sys
import threading
from collections.abc import Callable
from typing import Any

from asynctest_tornado._errors import contexts, made_objects
from asynctest_tornado._sources import class_trap
from asynctest_tornado._sources.outliving_threads import InThread
from asynctest_tornado._util import origins
from asynctest_tornado._util.patching import Patch

__unittest = True

#: A test may put a mock in its place, and start threads of a class that is derived from it.
_Thread = threading.Thread
_pool_worker = getattr(concurrent.futures.thread, "_worker", None)
#: True if a thread starts with the context variables of the code that starts it.
_INHERITS = bool(getattr(sys.flags, "thread_inherit_context", False))


def _patch_of(name: str) -> Patch:
    def start(function: Any, *args: Any, **kwargs: Any) -> Any:
        thread = getattr(function, "__self__", None)
        if isinstance(thread, _Thread) and patch.is_active:
            function = _in_contexts(thread, function)
        return patch.found(function, *args, **kwargs)

    patch = Patch(threading, name, start)
    return patch


#: They let all threads that are started inherit their contexts.
# These are private to the module; the first one is there from Python 3.13 on. Without them, threads inherit nothing,
# and the interpreter reports their errors as usual.
patches = [_patch_of(name) for name in ("_start_joinable_thread", "_start_new_thread") if hasattr(threading, name)]


#: The threads that have a chain, and still run.
_alive: set[int] = set()


def are_alive() -> bool:
    """Return true if a thread still runs that has inherited a chain of handlers."""
    return bool(_alive)


def _in_contexts(thread: threading.Thread, bootstrap: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that a thread runs instead of its own, called by the function that stands in for the start.

    The worker of a pool inherits nothing: it works for all code that submits jobs.
    """
    is_worker = _pool_worker is not None and getattr(thread, "_target", None) is _pool_worker
    chain = () if is_worker else _chain_for(thread)
    if chain:
        chain = (*chain, InThread(thread))
        made_objects.record(thread, origins.THREADS, depth=4)
    elif not (is_worker and _INHERITS):
        return bootstrap
    return functools.partial(_run, thread, chain, bootstrap)


def _chain_for(thread: threading.Thread) -> contexts.Chain:
    # From Python 3.14 on, a thread can be given a context, as a task can.
    given: contextvars.Context | None = getattr(thread, "_context", None)
    chain: contexts.Chain = () if given is None else given.get(contexts.contexts, ())
    return chain or contexts.chain_here() or class_trap.chain_here()


def _run(thread: threading.Thread, chain: contexts.Chain, bootstrap: Callable[..., Any], *args: Any) -> None:
    if not chain:
        _run_in(thread, chain, bootstrap, *args)
        return
    number = threading.get_ident()
    _alive.add(number)
    try:
        _run_in(thread, chain, bootstrap, *args)
    finally:
        _alive.discard(number)


def _run_in(thread: threading.Thread, chain: contexts.Chain, bootstrap: Callable[..., Any], *args: Any) -> None:
    # For all code of the thread, up to the hook that is called if it fails.
    contexts.contexts.set(chain)
    given: contextvars.Context | None = getattr(thread, "_context", None)
    if given is None:
        bootstrap(*args)
        return
    # It may be the user's, and be used again. If it is in use, Python reports that.
    token: contextvars.Token[contexts.Chain] | None = None
    with contextlib.suppress(RuntimeError):
        token = given.run(contexts.contexts.set, chain)
    try:
        bootstrap(*args)
    finally:
        if token is not None:
            with contextlib.suppress(RuntimeError):
                given.run(contexts.contexts.reset, token)
