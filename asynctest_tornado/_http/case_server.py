"""The server of an AsyncHTTPTestCase: started by hooks, closed with the test."""

# Tested by tests/http/test_http_case.py.

import asyncio
import functools
import inspect
import unittest
import weakref
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer

from asynctest_tornado._errors import hints
from asynctest_tornado._harness.harness import OPEN, Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._http import streaming
from asynctest_tornado._http.cookies import Cookies
from asynctest_tornado._http.local_server import LocalServer
from asynctest_tornado._http.request_arguments import Arguments
from asynctest_tornado._http.streaming import Streaming
from asynctest_tornado._http.websocket_connect import Connecting
from asynctest_tornado._leaks import reachable
from asynctest_tornado._leaks.closing import CLOSED_CONNECTIONS
from asynctest_tornado._leaks.feature import LEAKS
from asynctest_tornado._sources import handler_errors
from asynctest_tornado._timeouts import blocked_servers, limits, pending_requests
from asynctest_tornado._unittest import case_run, class_scope
from asynctest_tornado._unittest.case_run import harness_of
from asynctest_tornado._util import settings
from asynctest_tornado._util.real_time import get_running_loop

__unittest = True

#: The attributes that all tests of a class share, if they share the loop.
_SHARED = ("http_client", "_app", "http_server")
#: The classes of test cases whose servers speak HTTPS.
_HTTPS_CASES: list[type[unittest.TestCase]] = []

_Case = TypeVar("_Case", bound=type[unittest.TestCase])


def speaks_https(cls: _Case) -> _Case:
    """Let the clients of a class of test cases verify the servers."""
    _HTTPS_CASES.append(cls)
    return cls


def set_up(case: Any, is_private: bool) -> None:
    """Start a server for a test, or take the server of its class.

    :param case: the `AsyncHTTPTestCase`, whose hooks make the socket, the client, the application and the server.
    :param is_private: see `LocalServer.start`.
    """
    harness = harness_of(case)
    is_strict, _ = settings.FAIL_ON_SERVER_ERROR.find(case.fail_on_server_error)
    if is_strict:
        handler_errors.strict.add(harness.trap)
    scope = class_scope.of(type(case))
    if scope is None:
        _start(case, harness, None, is_private)
    elif not scope.made:
        scope.call(functools.partial(_start, case, scope.harness, scope, is_private))
    else:
        shared = dict(scope.made)
        case._asynctest.server = shared.pop("server")
        vars(case).update(shared)
        pending_requests.watch_client(harness.loop, case.http_client)
    server = server_of(case)
    server.begin()
    # Weak: the server may be in use for longer.
    server.address.on_asked = functools.partial(_watch, weakref.ref(case))


def _watch(get_case: "weakref.ref[Any]") -> None:
    case = get_case()
    if case is not None and case._asynctest.harness is not None:
        blocked_servers.watch(case._asynctest.harness, lambda: limits.limit(None, case.async_test_timeout))


def server_of(case: Any) -> LocalServer:
    """Return the server of a case. Raises ``RuntimeError`` if its ``setUp`` was not called."""
    server: LocalServer | None = case._asynctest.server
    if server is None:
        raise RuntimeError(say_no_server(type(case)))
    return server


def _start(case: Any, harness: Harness, scope: class_scope.ClassScope | None, is_private: bool) -> None:
    """Make the client, the application and the server.

    :param harness: closes them.
    :param scope: the scope of the class, if they are for all of its tests.
    """
    sock = case.get_http_socket()
    describe = harness.waits.snapshot if scope is None else scope.describe
    is_https = isinstance(case, tuple(_HTTPS_CASES))
    case._asynctest.server = server = LocalServer(sock, describe, is_https, trusts_strangers=True)
    case.http_server = server.start(
        functools.partial(_make_server, case), functools.partial(_make_client, case), is_private
    )
    get_client: Callable[[], AsyncHTTPClient]
    begin: Callable[[], None]
    if scope is None:
        # Asked for in the end: the test may have another one by then.
        get_client, begin = functools.partial(getattr, case, "http_client"), functools.partial(begin_closing, case)
    else:
        scope.made.update({name: vars(case)[name] for name in _SHARED}, server=server)
        get_client, begin = (
            functools.partial(scope.made.__getitem__, "http_client"),
            functools.partial(CLOSED_CONNECTIONS.begin, harness),
        )
    limit = limits.limit(None, case.async_test_timeout)
    harness.resources.callback(_close, server, harness, begin, limit, get_client)


def _make_client(case: Any) -> AsyncHTTPClient:
    client: AsyncHTTPClient = case.get_http_client()
    case.http_client = client
    pending_requests.watch_client(harness_of(case).loop, client)
    return client


def _make_server(case: Any) -> HTTPServer:
    try:
        case._app = complete(case, case.get_app)
    except Exception as error:
        urls = pending_requests.urls_of_requests(case.http_client)
        server_of(case).explain_early(error, urls, type(case).__qualname__)
        hints.before_async_set_up(error, case)
        raise
    server: HTTPServer = complete(case, case.get_http_server)
    return server


def make_server(case: Any) -> Any:
    """Return an ``HTTPServer`` for the application of a case, in a coroutine if the options for it are awaited there.

    To be called by the hook ``get_http_server``, or an override of it, which may be a coroutine function.
    """
    origin = f"The result of get_app() of {type(case).__qualname__}"
    options = case.get_httpserver_options()

    def make(options: dict[str, Any]) -> HTTPServer:
        return HTTPServer(server_of(case).servable(case._app, origin), **options)

    async def make_later() -> HTTPServer:
        return make(await options)

    if isinstance(options, dict) or not inspect.isawaitable(options):
        return make(options)
    return make_later() if runs_here(harness_of(case)) else complete(case, make_later)


def complete(case: Any, hook: Callable[[], Any]) -> Any:
    """Return the result of a hook, which may be a coroutine function."""
    result = hook()
    awaited: list[object] = []
    # A callback of HTTPServer may have any methods, and so may a server. To ask of all else takes long.
    while not (callable(result) or isinstance(result, HTTPServer)) and inspect.isawaitable(result):
        if any(result is each for each in awaited):
            break  # an application that its program starts by "await"
        awaited.append(result)
        begun = functools.update_wrapper(lambda awaitable=result: awaitable, hook, ("__qualname__",), ())
        try:
            result = harness_of(case).waits.run(begun, limits.limit(None, case.async_test_timeout), shared=True)
        finally:
            if inspect.iscoroutine(awaited[-1]):
                awaited[-1].close()  # or a second report would say that it was never awaited
    return result


def fetch(case: Any, path: str, raise_error: bool, arguments: Arguments) -> Any:
    """Fetch a URL, and return the response; in a coroutine, a task whose result is the response."""
    server = server_of(case)
    url = server.address.absolute(path, case.get_url)
    server.check_listens(url, type(case).__qualname__)
    switch_cookies(case)
    begin = functools.partial(server.fetch, case.http_client, url, raise_error, arguments)
    harness = harness_of(case)
    if runs_here(harness):
        return asyncio.ensure_future(begin())
    return harness.waits.run(begin, limits.limit(None, case.async_test_timeout), ends_with_future=True)


def stream(case: Any, path: str, raise_error: bool, read_timeout: float | None, arguments: Arguments) -> Streaming:
    """Return a streamed response to be entered."""
    server = server_of(case)
    url = server.address.absolute(path, case.get_url)
    server.check_listens(url, type(case).__qualname__)
    switch_cookies(case)
    loop = harness_of(case).loop
    if not any(each is server.streams for each in pending_requests.clients_of(loop)):
        pending_requests.watch_client(loop, server.streams)
    return streaming.begin(server, case.http_client, url, raise_error, read_timeout, arguments)


def ws_connect(
    case: Any, path: str, headers: Any, subprotocols: Iterable[str] | None, arguments: dict[str, Any]
) -> Connecting:
    """Return a websocket to be connected to the server of a case, or to another one."""
    server = server_of(case)
    url = server.address.websocket_url(path, case.get_url)
    server.check_listens(url, type(case).__qualname__)
    switch_cookies(case)
    return server.ws_connect(url, headers, subprotocols, arguments)


def switch_cookies(case: Any) -> None:
    """Let requests send the cookies from now on, if the test case says so."""
    value = case.send_cookies
    # A suite may have a method of this name.
    if value is not False and not callable(value) and settings.SEND_COOKIES.find(value)[0]:
        server_of(case).cookies.is_sent = True


def cookies_of(case: Any) -> Cookies:
    """Return the cookies of a test, for the server of the case."""
    server = server_of(case)
    return Cookies(server.cookies, lambda: server.address.absolute("/", case.get_url))


def app_of(case: Any) -> Any:
    """Return the application of a case. Raises ``RuntimeError`` before ``get_app()`` has returned it."""
    server_of(case)
    if not hasattr(case, "_app"):
        raise RuntimeError(
            "The application does not exist yet, or no longer: sign in in asyncSetUp(), or after super().setUp()."
        )
    return case._app


def runs_here(harness: Harness) -> bool:
    """Return whether the loop of a test runs, and called the caller."""
    try:
        return harness.state is OPEN and get_running_loop() is harness.loop.loop
    except RuntimeError:
        return False


def begin_closing(case: Any) -> None:
    """Record that connections are closed from now on."""
    CLOSED_CONNECTIONS.begin(harness_of(case), vars(case).values())


def _close(
    server: LocalServer,
    harness: Harness,
    begin: Callable[[], None],
    limit: Limit,
    get_client: Callable[[], AsyncHTTPClient],
) -> None:
    blocked_servers.end(harness.trap)
    try:
        loop = harness.loop
        if server.stop() or loop.selector is None or not loop.selector.has_nothing_to_do(loop.loop):
            # By a task, as on tornado.testing: before the loop is closed, it takes as many turns for callbacks that
            # are still to come.
            harness.waits.run(lambda: asyncio.ensure_future(server.close(begin)), limit)
        begin()
    finally:
        get_client().close()
    CLOSED_CONNECTIONS.have_cut_off(harness)


def tear_down(case: Any) -> None:
    """Close the server, or the requests and websockets that a test has left open on the server of its class."""
    harness = harness_of(case)
    scope = class_scope.of(type(case))
    if scope is not None:
        blocked_servers.end(harness.trap)
        begin_closing(case)
        harness.waits.run(server_of(case).close_websockets, limits.limit(None, case.async_test_timeout))
        client = scope.made["http_client"]
        if pending_requests.names_of_requests(client):
            # Nothing waits for these requests any more, but they would go on to use up the client.
            client.close()
        if getattr(client, "_closed", False):  # perhaps by the test; there is no public way to ask
            scope.made["http_client"] = case.get_http_client()
    if not case_run.look_for_tasks(case):
        LEAKS.look_for_requests(harness, lambda: reachable.within_reach(reachable.of(case)))
    harness.close_resources()
    CLOSED_CONNECTIONS.have_cut_off(harness)
    del case.http_server
    del case._app


def say_no_server(cls: type[unittest.TestCase]) -> str:
    """Return the message for a case that uses its server, and has none."""
    return (
        f"{cls.__qualname__} has no server: AsyncHTTPTestCase.setUp(), which starts it, has not been called. "
        f"Call super().setUp() first thing in the setUp() of {cls.__qualname__}."
    )
