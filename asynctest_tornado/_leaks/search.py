"""Finds the tasks, timers, resources and threads that a test has left."""

import asyncio
import contextlib
import types
from collections.abc import Callable, Collection, Iterator
from threading import Thread
from typing import Any

from tornado.ioloop import PeriodicCallback
from tornado.iostream import BaseIOStream

from asynctest_tornado._errors import hints, made_objects
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._leaks import client_requests, dropped_streams
from asynctest_tornado._leaks.kinds import Kind, kind_of, look_at_stream, safely
from asynctest_tornado._leaks.policy import Leak, Policy
from asynctest_tornado._leaks.recording_loop import lines_of_futures
from asynctest_tornado._loop import own_handles
from asynctest_tornado._loop.executor_jobs import pending_jobs
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts.pending_report import roots
from asynctest_tornado._util import names as _names
from asynctest_tornado._util import origins as _origins
from asynctest_tornado._util.tracebacks import MACHINERY, owner_of_file

__unittest = True

_Pending = list[tuple["asyncio.Future[Any]", _origins.Origin]]


class Leftovers:
    """The leaks of one test that are known so far.

    :param loop: its loop.
    :param trap: knows the objects that it has made.
    :param policy: knows the leaks that are allowed.
    """

    def __init__(self, loop: LoopOfTest, trap: Trap, policy: Policy) -> None:
        self.loop = loop
        self._trap = trap
        self._policy = policy
        self._made_objects = made_objects.of(trap)
        self._found: list[Leak] = []

    def take(self) -> list[Leak]:
        """Hand over the leaks that were found."""
        found, self._found = self._found, []
        return found

    def tasks(self, held: Collection[int] = ()) -> list[Leak]:
        """Return the tasks and coroutines that have not ended.

        :param held: the ids of objects which the test is still going to end.
        """
        # Tasks of a library, for example those that serve a connection, end with their server.
        made = [(future, origin) for future, origin in self._made(held) if origin is not _origins.LIBRARY]
        leaks = [safely(_task, future, origin) for future, origin in self._roots(made, held)]
        return [leak for leak in leaks if leak is not None and not self._policy.allows(leak)]

    def requests(self, held: Collection[int] = ()) -> list[Leak]:
        """Return the clients that have not got the response of a request for which no task waits.

        :param held: the ids of objects which the test is still going to end.
        """
        known = {id(leak.thing) for leak in self._found}
        left: dict[int, list[tuple[Any, client_requests.Request, _origins.Origin]]] = {}
        for future, origin in self._roots(self._made(held), held):
            request = client_requests.of(future)
            if request is not None and id(request.client()) not in known:
                left.setdefault(id(request.client()), []).append((future, request, origin))
        leaks = []
        for number, requests in left.items():
            if number not in held:
                first, request, origin = requests[0]
                names = [each.name for _, each, _ in requests]
                text = f"HTTP client {request.client_name} with unfinished requests: {', '.join(names)}"
                leaks.append(Leak(text, (request.client_name, *names), request.client() or first, origin))
        return [leak for leak in leaks if not self._policy.allows(leak)]

    def _made(self, held: Collection[int]) -> _Pending:
        if id(self.loop.loop) in held:
            return []
        of: Callable[..., _origins.Origin] = lines_of_futures(self._trap).of
        return [(future, of(future, _origins.LIBRARY)) for future in self.loop.own_futures()]

    def _roots(self, made: _Pending, held: Collection[int]) -> _Pending:
        """Return the futures that no other of these waits for, unless they are known or held."""
        if not made:
            return []
        pending = {id(future): (future, origin) for future, origin in made}
        known = {id(leak.thing) for leak in self._found}
        own = roots(future for future, _ in made if future is not self._trap.data.get(hints.EXPLAINED))
        return [pending[id(future)] for future in own if id(future) not in known and id(future) not in held]

    def add(self, leaks: list[Leak]) -> None:
        """Record leaks."""
        self._found += leaks

    def find_callbacks(self) -> None:
        """Find the timers, and the callbacks that had not run; cancel them, unless the loop goes on."""
        for timer in own_handles.timers_of(self.loop):
            func = _names.function_of_callback(*_names.call_of(timer))
            if self._trap.is_failing and getattr(func, "__qualname__", "") == "AsyncTestCase.stop":
                continue  # for a wait() that the test has not come to
            origin = self._made_objects.of(timer, _origins.LIBRARY)
            self._made_objects.pop(id(timer), None)
            self._cancel(safely(look_at_timer, timer, origin, self.loop.loop.time()))
        # Any loop but the test's own goes on, and runs them.
        ready = self.loop.loop.ready_calls() if self.loop.is_own else ()
        for handle in own_handles.of_test(self._trap, ready):
            self._cancel(safely(_callback, handle))

    def _cancel(self, leak: Leak | None) -> None:
        if leak is not None and not self._policy.allows(leak):
            self._found.append(leak)
            if self.loop.is_own:
                leak.thing.cancel()

    def find_open(self, streams: Collection[BaseIOStream]) -> bool:
        """Find the resources that the test has not closed, and close them. Return whether there are any.

        :param streams: those that were open when the code of the test had ended.
        """
        before = len(self._found)
        known = {id(leak.thing) for leak in self._found}
        for leak, kind in list(self._open(ends_by_itself=False)):
            if id(leak.thing) not in known:  # for example a client with an unfinished request
                self._found.append(leak)
            if self.loop.is_own and kind.close is not None:  # on any other loop, a later test may still use it
                # The test is not to fail of an error in code that it has not called.
                with contextlib.suppress(Exception):
                    kind.close(leak.thing)
        for stream in streams:
            # The other end was closed in the last turn of the loop, and so was this one.
            if isinstance(stream.error, ConnectionError) and safely(look_at_stream, stream, None) is None:
                name = type(stream).__name__
                text = f"unclosed stream {name}, until the connection was lost"
                origin = self._made_objects.of(stream, None)
                leak = Leak(text, (name,), stream, origin)
                if not self._policy.allows(leak):
                    self._found.append(leak)
        return len(self._found) > before

    def find_ended(self) -> None:
        """Find the resources that no later test can use, though the loop goes on.

        The next call of a ``PeriodicCallback`` is a timer of the test, which ends with it. A stream may be dropped.
        """
        known = {id(leak.thing): leak for leak, _ in self._open(ends_by_itself=False)}
        for timer in own_handles.timers_of(self.loop):
            func = _names.function_of_callback(*_names.call_of(timer))
            leak = known.get(id(getattr(func, "__self__", None)))
            if leak is not None and isinstance(leak.thing, PeriodicCallback):
                self._found.append(leak)
        handlers = getattr(self.loop.io_loop, "handlers", {})
        self._found += dropped_streams.dropped(known.values(), handlers.values())

    def hand_over(self, trap: Trap) -> None:
        """Leave open resources to the class, whose loop they are on: they may be in a pool of the class."""
        known = {id(leak.thing) for leak in self._found}
        for leak, _ in list(self._open(ends_by_itself=False)):
            if id(leak.thing) not in known:
                made_objects.of(trap).note(leak.thing, leak.origin)

    def has_running(self) -> bool:
        """Return whether a thread, a job or an asynchronous generator has not ended."""
        return any(True for _ in self._open(ends_by_itself=True)) or bool(self._jobs())

    def has_workers(self) -> bool:
        """Return whether a thread or job is among these: they need time, and not only turns of the loop."""
        leaks = [leak for leak, _ in self._open(ends_by_itself=True)]
        return any(isinstance(leak.thing, Thread) for leak in leaks) or bool(self._jobs())

    def find_running(self) -> None:
        """Find these."""
        self._found += [leak for leak, _ in self._open(ends_by_itself=True)]
        self._found += self._jobs()

    def _jobs(self) -> list[Leak]:
        pending = pending_jobs(self.loop.loop)
        own = {id(future): origin for future, origin in self._made(())} if pending else {}
        leaks = []
        for future, name in pending:
            origin = own.get(id(future), _origins.LIBRARY)
            if origin is not _origins.LIBRARY:
                leaks.append(Leak(f"executor job {name}, which still runs", (name,), future, origin))
        return [leak for leak in leaks if not self._policy.allows(leak)]

    def _open(self, ends_by_itself: bool) -> Iterator[tuple[Leak, Kind]]:
        for thing, origin in self._made_objects.known():
            kind = kind_of(thing)
            if kind is None or kind.ends_by_itself is not ends_by_itself:
                continue
            state = safely(kind.look, thing, origin)
            if state is not None:
                leak = Leak(state.description, (state.name, type(thing).__name__), thing, origin)
                if not self._policy.allows(leak):
                    yield leak, kind


def look_at_timer(timer: Any, origin: _origins.Origin, now: float) -> Leak | None:
    """Return the leak of a pending timer; None if it is a library's, or a ``PeriodicCallback``."""
    if origin is _origins.LIBRARY or (origin is not None and origin.is_of_package):
        return None
    func = _names.function_of_callback(*_names.call_of(timer))
    if isinstance(getattr(func, "__self__", None), PeriodicCallback):
        return None
    name = _names.name_of(func)
    return Leak(f"pending timer {name}, due in {max(0.0, timer.when() - now):.3g} s", (name,), timer, origin, True)


def _callback(handle: Any) -> Leak | None:
    callback, args = _names.call_of(handle)
    func = _names.function_of_callback(callback, args)
    code = _code_of(func)
    if code is None or owner_of_file(code.co_filename) in MACHINERY or _is_called_by_future(args):
        return None
    name = _names.name_of(func)
    return Leak(f"callback {name}, which was still to run", (name,), handle, _origins.of_code(code), True)


def _task(future: Any, origin: _origins.Origin) -> Leak | None:
    """Return the leak of a task or coroutine that has not ended; None if it is a library's, or about to end."""
    coro: Any
    if isinstance(future, asyncio.Task):
        coro = future.get_coro()
        if future.cancelling():
            return None  # it only has not got its turn to end
        names: tuple[str, ...] = (_names.name_of_task(future), future.get_name())
        text = f"pending task {names[0]} <{names[1]}>"
    else:
        coro = getattr(_names.runner_of(future), "gen", None)
        if coro is None:
            return None
        names = (_names.name_of(coro),)
        text = f"pending coroutine {names[0]}"
    code = getattr(coro, "cr_code", None) or getattr(coro, "gi_code", None)
    if origin is None:
        if code is None or owner_of_file(code.co_filename) in MACHINERY:
            return None
        origin = _origins.of_code(code)
    return Leak(text, names, future, origin, True)


def _code_of(func: Any) -> types.CodeType | None:
    code = getattr(getattr(func, "__func__", func), "__code__", None)
    return code if type(code) is types.CodeType else None  # and no mock of one


def _is_called_by_future(args: tuple[Any, ...] | None) -> bool:
    return bool(args) and isinstance(args[-1], asyncio.Future)  # type: ignore[index]
