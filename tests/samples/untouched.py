"""Records the attributes of the modules that this library patches, and other state of the process, to compare them.

Run as a program, it runs the samples below by unittest or pytest, and prints the differences as JSON.
"""

import asyncio
import concurrent.futures.thread
import contextlib
import contextvars
import ctypes  # noqa: F401  # plugins of pytest import it, whereupon libffi may open its own file
import decimal
import faulthandler
import gc
import json
import logging
import os
import signal
import sys
import threading
import types
import unittest
import warnings
from collections.abc import Iterator
from typing import Any

import tornado.httpserver
import tornado.log
import tornado.netutil
import tornado.process
import tornado.simple_httpclient
import tornado.testing
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

_PACKAGES = ("asyncio", "concurrent", "gc", "logging", "sys", "threading", "tornado", "warnings")
#: They change by themselves.
_VOLATILE = {"threading._counter", "warnings._filters_version"}
_LAST = ("last_exc", "last_traceback", "last_type", "last_value")
_LISTS: dict[str, list[Any]] = {
    "gc.callbacks": gc.callbacks,
    "sys.meta_path": sys.meta_path,
    "sys.path_hooks": sys.path_hooks,
    "warnings.filters": warnings.filters,  # type: ignore[dict-item]
}


def _owners() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the names of modules, of their classes, and of loggers, with the attributes of each."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _PACKAGES:
            yield name, vars(module)
            for each in list(vars(module).values()):
                if isinstance(each, type) and each.__module__ == name:
                    yield f"{name}.{each.__qualname__}", dict(vars(each))
    for name, logger in logging.Logger.manager.loggerDict.items():
        yield f"logger {name}", vars(logger)


def _state() -> dict[str, Any]:
    """Return other state of the process, as plain data."""
    for name in _LAST:
        vars(sys).pop(name, None)  # pytest sets them: they keep the last failed test
    gc.collect()
    folder = "/proc/self/fd/"
    return {
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "files": sorted(os.readlink(f"{folder}{fd}") for fd in os.listdir(folder) if os.path.lexists(f"{folder}{fd}")),
        "threads": sorted(os.listdir("/proc/self/task")),
        "policy": getattr(asyncio.events, "_event_loop_policy", None),
        "loops": [loop for loop in IOLoop._ioloop_for_asyncio if not loop.is_closed()],
        "clients": len(AsyncHTTPClient._async_clients()),
        "context": {variable.name for variable in contextvars.copy_context()},
        "faulthandler": faulthandler.is_enabled(),
        "tracing": (sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile()),
        "collector": (gc.isenabled(), gc.get_threshold(), gc.get_debug()),
        **{name: list(each) for name, each in _LISTS.items()},
    }


class Snapshot:
    """The state of the process at one moment."""

    def __init__(self) -> None:
        self._attributes = {(owner, name): value for owner, names in _owners() for name, value in list(names.items())}
        self._owners = {owner for owner, _ in self._attributes}
        self._state = _state()

    def differences(self) -> list[str]:
        """Return the names of all that has become another one, come or gone, as far as the module was there before."""
        found = []
        now = Snapshot()
        for owner, name in self._attributes.keys() | now._attributes.keys():
            before, after = (each._attributes.get((owner, name), _MISSING) for each in (self, now))
            is_same = before is after or (_is_plain(before) and before == after)
            is_new = owner not in self._owners or (before is _MISSING and isinstance(after, types.ModuleType))
            if not (is_same or is_new or f"{owner}.{name}" in _VOLATILE):
                found.append(f"{owner}.{name}")
        found += [f"{name}: {now._state[name]}" for name, value in self._state.items() if value != now._state[name]]
        return sorted(found)


_MISSING = object()


def _is_plain(value: object) -> bool:
    return isinstance(value, (bool, int, float, str, tuple, types.NoneType))


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


APPLICATION = Application([("/", Hello), ("/echo", Echo)], log_function=lambda handler: None)


async def serve_and_fetch(count: int = 1) -> None:
    """Serve traffic as an application does, by Tornado alone."""
    server = tornado.httpserver.HTTPServer(APPLICATION)
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    place = f"://127.0.0.1:{sockets[0].getsockname()[1]}/"
    client = AsyncHTTPClient(force_instance=True)
    for _ in range(count):
        assert (await client.fetch(f"http{place}")).body == b"hello"
    connection = await websocket_connect(f"ws{place}echo")
    await connection.write_message("hello")
    assert await connection.read_message() == "hello"
    connection.close()
    assert await connection.read_message() is None
    await asyncio.get_running_loop().run_in_executor(None, threading.Thread(target=int).start)
    await asyncio.to_thread(int)
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    client.close()
    server.stop()
    await server.close_all_connections()


def warm_up() -> None:
    """Let Tornado, asyncio and unittest make all that they make at their first use."""
    asyncio.run(serve_and_fetch())
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(int).result()

    class Plain(unittest.TestCase):
        def test(self) -> None:
            logging.getLogger("tornado.general").debug("hello")
            IOLoop(make_current=False).close()
            AsyncHTTPClient._async_clients()

    with open(os.devnull, "w") as stream:
        unittest.TextTestRunner(stream).run(Plain("test"))
    tornado.process.Subprocess.uninitialize()
    decimal.getcontext()
    forget_policy()


def forget_policy() -> None:
    """Let the process be one in which no code has set a loop."""
    vars(asyncio.events)["_event_loop_policy"] = None


def load_samples() -> unittest.TestSuite:
    from tests.samples import untouched_cases

    return unittest.defaultTestLoader.loadTestsFromModule(untouched_cases)


def run_unittest() -> None:
    with open(os.devnull, "w") as stream:
        result = unittest.TextTestRunner(stream).run(load_samples())
    assert len(result.failures) == 1, result.failures
    assert len(result.errors) == 2, result.errors


def run_pytest() -> None:
    import pytest

    with open(os.devnull, "w") as stream, contextlib.redirect_stdout(stream):
        # Of these plugins, some set a policy for loops.
        status = pytest.main([*["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:anyio"], *_MODULES])
    assert status == pytest.ExitCode.TESTS_FAILED, status


_MODULES = ("tests/samples/untouched_cases.py", "tests/samples/untouched_functions.py")


def main() -> None:
    run = {"unittest": run_unittest, "pytest": run_pytest}[sys.argv[1]]
    warm_up()
    if sys.argv[1] == "unittest":
        load_samples()
    before = Snapshot()
    found = []
    for _ in range(int(sys.argv[2])):
        run()
        found.append(before.differences())
    print(json.dumps(found))


if __name__ == "__main__":
    main()
