"""Describes pending tasks and the lines at which they wait, timers, requests."""

import asyncio
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tornado.ioloop import IOLoop
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import RequestHandler

from asynctest_tornado._errors import notes
from asynctest_tornado._harness import yieldables
from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._loop import executor_jobs
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._timeouts import pending_requests, stopped_clock
from asynctest_tornado._timeouts.report_sections import MOST_SHOWN, merged, section, timers
from asynctest_tornado._util import coroutines
from asynctest_tornado._util import names as _names
from asynctest_tornado._util.tracebacks import MACHINERY, OURS, STDLIB, TORNADO, Owner, owner_of

__unittest = True

NOTHING = "No task, timer or request was pending."
_CLIENT = SimpleAsyncHTTPClient.__module__
_MOST_DEEP = 30
#: The most tasks of a gather that are looked at.
_MOST_CHILDREN = 100
_MOST_LOOKED_AT = 1000


def describe(
    io_loop: IOLoop,
    tasks: Iterable["asyncio.Task[Any]"],
    main: "asyncio.Task[Any] | None" = None,
    jobs: Iterable[str] = (),
    clients: Iterable[object] = (),
) -> str:
    """Return the pending work of a loop, in several lines.

    :param tasks: the pending tasks, in any order.
    :param main: the task that the test waits for.
    :param jobs: the names of the functions that run in executors.
    :param clients: HTTP clients, whose requests are listed.
    """
    loop: Any = io_loop.asyncio_loop  # type: ignore[attr-defined]
    try:
        return _describe(loop, list(tasks), main, jobs, clients)
    except Exception as error:
        # Attributes of the user's objects can do anything. The timeout has to be reported all the same.
        return f"The pending tasks cannot be shown: {type(error).__name__}"


def _describe(
    loop: Any,
    tasks: list["asyncio.Task[Any]"],
    main: "asyncio.Task[Any] | None",
    jobs: Iterable[Any],
    clients: Iterable[object],
) -> str:
    requests = [line for client in clients for line in pending_requests.names_of_requests(client)]
    # The requests stand for a fetch() that the test waits for.
    tasks = [task for task in tasks if (task is main and not requests) or not _is_of(OURS, task)]
    tasks = [task for task in tasks if task is main or not _is_of(TORNADO, task)] or ([] if requests else tasks)
    # The time limits of these requests are timers, too.
    hidden = _CLIENT if requests else None
    parts = [
        section("Pending tasks", merged(_trees(tasks, main, loop))),
        section("Timers", [([line], 1) for line in timers(loop, hidden)]),
        section("HTTP requests in flight", [([line], 1) for line in requests]),
        section("Running in an executor", [([name], 1) for name in jobs]),
    ]
    return "\n".join(part for part in parts if part) or NOTHING


def _is_of(owner: Owner, task: "asyncio.Task[Any]") -> bool:
    """Return whether a task of a library has no line of the user: for example, it serves a connection."""
    coro = task.get_coro()
    frame = getattr(coro, "cr_frame", None)
    return frame is not None and owner_of(frame) is owner and handler_of(coro) is None and not lines_of(task)[0]


def _trees(
    tasks: list["asyncio.Task[Any]"], main: "asyncio.Task[Any] | None", loop: asyncio.AbstractEventLoop
) -> Iterator[list[str]]:
    """Draw the tasks. A task that another task waits for is drawn below the latter."""
    drawn: set[int] = set()
    waited_for = {id(below) for task in tasks for below in _next_tasks(task)}

    # Tasks that wait for each other have no root among them, and come last. By their length first, names sort as the
    # tasks were made: Task-9, Task-10.
    def key(task: "asyncio.Task[Any]") -> tuple[bool, bool, int, str]:
        name = task.get_name()
        return task is not main, id(task) in waited_for, len(name), name

    order = sorted(tasks, key=key)
    for number, task in enumerate(order):
        if id(task) in drawn:
            continue
        if number > _MOST_LOOKED_AT:
            yield ["..."]
        else:
            yield list(_draw(task, loop, drawn, title=" (the test)" if task is main else ""))


def _next_tasks(task: "asyncio.Task[Any]") -> Iterator["asyncio.Task[Any]"]:
    """Return the tasks that a task waits for, maybe by way of a gather or a Tornado coroutine."""
    left, seen = awaited(task), 0
    while left and seen < _MOST_LOOKED_AT:
        seen += 1
        below = left.pop()
        if isinstance(below, asyncio.Task):
            yield below
        else:
            left += awaited(below)


def roots(futures: Iterable["asyncio.Future[Any]"]) -> list["asyncio.Future[Any]"]:
    """Return the futures that none of the others waits for."""
    pending = list(futures)
    below: set[int] = set()
    for future in pending:
        left = awaited(future)
        while left and len(below) < _MOST_LOOKED_AT:
            inner = left.pop()
            if id(inner) not in below:
                below.add(id(inner))
                left += awaited(inner)
    return [future for future in pending if id(future) not in below] or pending


def _draw(
    future: Any, loop: asyncio.AbstractEventLoop, drawn: set[int], title: str = "", depth: int = 0
) -> Iterator[str]:
    if id(future) in drawn or depth > _MOST_DEEP:
        yield f"{name_of(future)}, see above" if id(future) in drawn else "..."
        return
    drawn.add(id(future))
    yield name_of(future) + title
    lines, call = lines_of(future)
    yield from (f"  at {line}" for line in lines)
    children = awaited(future)
    entries = []
    for child in children[:_MOST_CHILDREN]:
        foreign = child.get_loop() is not loop
        if _is_own_call(child):
            drawn.add(id(child))
            entries.append([f"waits for {_names.name_of_task(child)}()"])
        elif _is_drawn_apart(child) and not foreign:
            first, *rest = _draw(child, loop, drawn, depth=depth + 1)
            entries.append([f"waits for {first}", *rest])
        else:
            entries.append([f"waits for {_describe_future(child, foreign, call)}"])
    groups = merged(entries)
    for entry, _ in groups[:MOST_SHOWN]:
        yield from (f"  {line}" for line in entry)
    hidden = sum(count for _, count in groups[MOST_SHOWN:]) + len(children[_MOST_CHILDREN:])
    if hidden:
        drawn.update(map(id, children))
        yield f"  ... and {hidden} more"


def _is_own_call(future: Any) -> bool:
    """Return whether a task is a call of this library that waits for nothing else that can be drawn, like a fetch()."""
    return isinstance(future, asyncio.Task) and _is_of(OURS, future) and not any(map(_is_drawn_apart, awaited(future)))


def _is_drawn_apart(future: Any) -> bool:
    return isinstance(future, asyncio.Task) or _names.runner_of(future) is not None or hasattr(future, "_children")


def name_of(future: Any) -> str:
    if isinstance(future, asyncio.Task):
        coro = future.get_coro()
        handler = handler_of(coro)
        return f"{_names.name_of_task(future) if handler is None else describe_handler(handler)} <{future.get_name()}>"
    runner = _names.runner_of(future)
    if runner is not None:
        return f"{getattr(runner.gen, '__qualname__', runner.gen)} <coroutine>"
    return "gather()" if hasattr(future, "_children") else _describe_future(future)


def describe_handler(handler: RequestHandler) -> str:
    """Return the name of a request handler, and of its request."""
    return f"{type(handler).__qualname__}, which serves {handler.request.method} {handler.request.uri}"


def handler_of(coro: Any) -> RequestHandler | None:
    return handler_in(getattr(coro, "cr_frame", None))


def handler_in(frame: types.FrameType | None) -> RequestHandler | None:
    """Return the request handler of which a frame of Tornado runs a method, if it does so."""
    # Not of the user: a method of a handler may run on its own.
    handler = frame.f_locals.get("self") if frame is not None and owner_of(frame) is TORNADO else None
    return handler if isinstance(handler, RequestHandler) else None


def _describe_future(future: Any, foreign: bool = False, call: str = "") -> str:
    if foreign:
        return f"a future of another event loop: {future!r}"
    callbacks = [callback for callback, _ in getattr(future, "_callbacks", None) or ()]
    if any("chain" in getattr(callback, "__qualname__", "") for callback in callbacks):
        return "the result of a thread or of another future"
    return call or "a future that is not resolved yet"


def awaited(future: Any) -> list[Any]:
    """Return the futures that a task, a gather or a Tornado coroutine waits for."""
    if isinstance(future, asyncio.Task):
        waiter = getattr(future, "_fut_waiter", None)
        return [] if waiter is None else [waiter]
    children = getattr(future, "_children", None)
    if children is not None:
        return [child for child in children if not child.done()]
    runner = _names.runner_of(future)
    inner = getattr(runner, "future", None)
    return [inner] if isinstance(inner, asyncio.Future) and not inner.done() else []


def coroutine_of(future: Any) -> Any:
    """Return the coroutine or generator that a task or a Tornado coroutine runs, or None."""
    return future.get_coro() if isinstance(future, asyncio.Task) else getattr(_names.runner_of(future), "gen", None)


def lines_of(future: Any) -> tuple[list[str], str]:
    """Return the lines of the user at which a task or coroutine waits, the outermost first, and their last call."""
    lines, call = [], ""
    for awaitable, frame in frames_of(coroutine_of(future)):
        code = frame.f_code
        owner = owner_of(frame)
        if owner not in MACHINERY and owner is not STDLIB:  # such as contextlib
            lines.append(_names.line_at(code.co_filename, frame.f_lineno, code.co_name, frame.f_globals))
            call = ""
        elif owner is OURS:
            call = call or coroutines.thing_of(awaitable)
        elif code.co_name == "_receive_frame_loop":  # of a websocket, and no code of the user runs
            call = "the next message on its websocket"
        elif not call:
            call = f"{code.co_qualname}() of {frame.f_globals.get('__name__')}"
    if len(lines) > 2 * MOST_SHOWN:
        lines[MOST_SHOWN:-MOST_SHOWN] = [f"... {len(lines) - 2 * MOST_SHOWN} more ..."]
    return lines, call


def frames_of(awaitable: Any) -> Iterator[tuple[Any, types.FrameType]]:
    """Return a coroutine or generator, the coroutine that it waits for, and so on, each with its frame."""
    for _ in range(_MOST_LOOKED_AT):
        frame = (
            getattr(awaitable, "cr_frame", None)
            or getattr(awaitable, "gi_frame", None)
            or getattr(awaitable, "ag_frame", None)
        )
        if frame is None:
            return
        yield awaitable, frame
        awaitable = (
            _generator_of(frame)
            or getattr(awaitable, "cr_await", None)
            or getattr(awaitable, "gi_yieldfrom", None)
            or getattr(awaitable, "ag_await", None)
        )
        awaitable = _unwrapped(awaitable)


def _generator_of(frame: types.FrameType) -> Any:
    """Return the generator that a coroutine of ours runs; None if there is none."""
    reference = yieldables.generators.get(id(frame))
    return None if reference is None else reference()


def _unwrapped(awaitable: Any) -> Any:
    """Return the asynchronous generator that a coroutine iterates over, instead of an object in between."""
    if type(awaitable).__name__ in ("async_generator_asend", "async_generator_athrow", "anext_awaitable"):
        import gc

        for referred in gc.get_referents(awaitable):
            if isinstance(referred, types.AsyncGeneratorType):
                return referred
    return awaitable


class Pending(Feature):
    """The pending tasks, timers and requests, for the reports of timeouts and of exceptions that leave the loop."""

    def pending(self, loop: LoopOfTest, tasks: Sequence["asyncio.Task[Any]"], main: "asyncio.Task[Any] | None") -> str:
        jobs = [name for _, name in executor_jobs.pending_jobs(loop.loop)]
        text = describe(loop.io_loop, tasks, main, jobs, pending_requests.clients_of(loop))
        return "\n".join(filter(None, (stopped_clock.describe(loop.loop), text)))

    def interrupted(self, wait: Deadline, error: BaseException) -> bool:
        if not wait.loop.loop.is_running():  # else a block may handle it
            notes.add(error, wait.describe(), wait.loop.trap)
        return False


PENDING = Pending()
