"""Finds what a test has left behind: what it has made that has not come to an end."""

import asyncio
import contextlib
import types
from collections.abc import Callable, Collection, Iterator
from threading import Thread
from typing import Any

from tornado.ioloop import PeriodicCallback
from tornado.iostream import BaseIOStream

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._leaks import client_requests
from asynctest_tornado._leaks.kinds import CLOSED_BY_HAND, ENDS_BY_ITSELF, Kinds, look_at_stream, safely
from asynctest_tornado._leaks.policy import Leak, Policy
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts.pending_report import roots
from asynctest_tornado._util import names as _names
from asynctest_tornado._util import origins as _origins
from asynctest_tornado._util.tracebacks import MACHINERY, owner_of_file

__unittest = True


class Leftovers:
    """What one test has left, as far as it is known already.

    :param loop: its loop.
    :param trap: knows what it has made.
    :param policy: knows what it may leave.
    """

    def __init__(self, loop: LoopOfTest, trap: Trap, policy: Policy) -> None:
        self._loop = loop
        self._trap = trap
        self._policy = policy
        self._found: list[Leak] = []

    def take(self) -> list[Leak]:
        """Hand over what was found."""
        found, self._found = self._found, []
        return found

    def tasks(self, held: Collection[int] = ()) -> list[Leak]:
        """Return the tasks and coroutines that have not ended.

        :param held: the ids of objects which somebody is still going to end.
        """
        known = {id(leak.thing) for leak in self._found}
        made = [] if id(self._loop.loop) in held else self._loop.own_futures()
        # Such as those that serve a connection: their server ends, and they with that.
        origins = {id(future): origin for future, origin in made if origin is not _origins.LIBRARY}
        if not origins:
            return []
        own = roots(future for future, _ in made if id(future) in origins and future is not self._trap.explained)
        pending = [future for future in own if id(future) not in known and id(future) not in held]
        leaks = [safely(_task, future, origins[id(future)]) for future in pending]
        return [leak for leak in leaks if leak is not None and not self._policy.allows(leak)]

    def requests(self, held: Collection[int] = ()) -> list[Leak]:
        """Return the clients that have not got the response of a request, and nobody waits for it.

        :param held: the ids of objects which somebody is still going to end.
        """
        known = {id(leak.thing) for leak in self._found}
        made = [] if id(self._loop.loop) in held else self._loop.own_futures()
        origins = {id(future): origin for future, origin in made}
        left: dict[int, list[tuple[Any, client_requests.Request]]] = {}
        for future in roots(future for future, _ in made if future is not self._trap.explained):
            request = client_requests.of(future)
            if request is not None and not {id(future), id(request.client())} & known and id(future) not in held:
                left.setdefault(id(request.client()), []).append((future, request))
        leaks = []
        for number, requests in left.items():
            if number not in held:
                first, request = requests[0]
                names = [each.name for _, each in requests]
                what = f"HTTP client {request.client_name} with unfinished requests: {', '.join(names)}"
                leak = Leak(what, (request.client_name, *names), request.client() or first, origins[id(first)])
                leaks.append(leak)
        return [leak for leak in leaks if not self._policy.allows(leak)]

    def add(self, leaks: list[Leak]) -> None:
        """Keep what was found."""
        self._found += leaks

    def find_callbacks(self) -> None:
        """Find the timers, and what was still to run; call that off, unless the loop goes on."""
        for timer in self._loop.own_timers():
            origin = self._trap.made.take(timer, _origins.LIBRARY)
            self._add(safely(_timer, timer, origin, self._loop.loop.time()))
        # Any loop but the test's own goes on, and runs them.
        for handle in self._loop.own_callbacks() if self._loop.is_own else ():
            self._add(safely(_callback, handle))

    def _add(self, leak: Leak | None) -> None:
        if self._keep(leak) and leak is not None and self._loop.is_own:
            leak.thing.cancel()

    def _keep(self, leak: Leak | None) -> bool:
        if leak is None or self._policy.allows(leak):
            return False
        self._found.append(leak)
        return True

    def find_open(self, streams: Collection[BaseIOStream]) -> bool:
        """Find the streams, servers and the like that nobody has closed, and close them; tell whether there are any.

        :param streams: those that were open when the code of the test had ended.
        """
        before = len(self._found)
        known = {id(leak.thing) for leak in self._found}
        for leak, close in list(self._open(CLOSED_BY_HAND)):
            if id(leak.thing) not in known:  # such as a client with an unfinished request
                self._found.append(leak)
            if self._loop.is_own:  # on any other loop, a later test may still have use for it
                # Its own mistakes are none of the test: without this, nobody would have called it.
                with contextlib.suppress(Exception):
                    close()
        for stream in streams:
            # The other end was closed in the last turn of the loop, and this one for that.
            if isinstance(stream.error, ConnectionError) and safely(look_at_stream, stream, None) is None:
                name = type(stream).__name__
                what = f"unclosed stream {name}, until the connection was lost"
                origin = self._trap.made.of(stream, None)
                self._keep(Leak(what, (name,), stream, origin))
        return len(self._found) > before

    def hand_over(self, trap: Trap) -> None:
        """Leave what was not closed to the class, whose loop it is on: it may be in a pool of the class."""
        known = {id(leak.thing) for leak in self._found}
        for leak, _ in list(self._open(CLOSED_BY_HAND)):
            if id(leak.thing) not in known:
                trap.made.note(leak.thing, leak.origin)

    def has_running(self) -> bool:
        """Return whether a thread, a job or an asynchronous generator has not ended."""
        return any(True for _ in self._open(ENDS_BY_ITSELF)) or bool(self._jobs())

    def has_workers(self) -> bool:
        """Return whether a thread or job is among these: they need time, and not only turns of the loop."""
        leaks = [leak for leak, _ in self._open(ENDS_BY_ITSELF)]
        return any(isinstance(leak.thing, Thread) for leak in leaks) or bool(self._jobs())

    def find_running(self) -> None:
        """Find these."""
        self._found += [leak for leak, _ in self._open(ENDS_BY_ITSELF)]
        self._found += self._jobs()

    def _jobs(self) -> list[Leak]:
        pending = self._loop.pending_jobs()
        own = {id(future): origin for future, origin in self._loop.own_futures()} if pending else {}
        leaks = []
        for future, name in pending:
            origin = own.get(id(future), _origins.LIBRARY)
            if origin is not _origins.LIBRARY:
                leaks.append(Leak(f"executor job {name}, which still runs", (name,), future, origin))
        return [leak for leak in leaks if not self._policy.allows(leak)]

    def _open(self, kinds: Kinds) -> Iterator[tuple[Leak, Callable[[], object]]]:
        for thing, origin in self._trap.made.known():
            look = next((look for cls, look in kinds if isinstance(thing, cls)), None)
            state = None if look is None else safely(look, thing, origin)
            if state is not None:
                what, name, close = state
                leak = Leak(what, (name, type(thing).__name__), thing, origin)
                if not self._policy.allows(leak):
                    yield leak, close


def _timer(timer: Any, origin: _origins.Origin, now: float) -> Leak | None:
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
    if code is None or owner_of_file(code.co_filename) in MACHINERY or _is_told_of_future(args):
        return None
    name = _names.name_of(func)
    return Leak(f"callback {name}, which was still to run", (name,), handle, _origins.of_code(code), True)


def _task(future: Any, origin: _origins.Origin) -> Leak | None:
    """Return what to tell of a task or coroutine that has not ended, if that is the user's."""
    coro: Any
    if isinstance(future, asyncio.Task):
        coro = future.get_coro()
        if future.cancelling():
            return None  # it only has not got its turn to end
        names: tuple[str, ...] = (_names.name_of_task(future), future.get_name())
        what = f"pending task {names[0]} <{names[1]}>"
    else:
        coro = getattr(_names.runner_of(future), "gen", None)
        if coro is None:
            return None
        names = (_names.name_of(coro),)
        what = f"pending coroutine {names[0]}"
    code = getattr(coro, "cr_code", None) or getattr(coro, "gi_code", None)
    if origin is None:
        if code is None or owner_of_file(code.co_filename) in MACHINERY:
            return None
        origin = _origins.of_code(code)
    return Leak(what, names, future, origin, True)


def _code_of(func: Any) -> types.CodeType | None:
    code = getattr(getattr(func, "__func__", func), "__code__", None)
    return code if type(code) is types.CodeType else None  # and no mock of one


def _is_told_of_future(args: tuple[Any, ...] | None) -> bool:
    return bool(args) and isinstance(args[-1], asyncio.Future)  # type: ignore[index]
