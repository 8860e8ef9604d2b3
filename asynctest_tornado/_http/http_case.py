"""AsyncHTTPTestCase and AsyncHTTPSTestCase: a server, a client, a URL."""

import asyncio
import contextlib
import functools
import inspect
import socket
import unittest
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Unpack

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application

from asynctest_tornado._errors import hints
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._http import local_server, sockets, urls
from asynctest_tornado._http.fetch import Arguments, Fetched, Response
from asynctest_tornado._http.websocket import Connecting
from asynctest_tornado._leaks import reachable
from asynctest_tornado._timeouts import limits, pending_report
from asynctest_tornado._tls import ssl_contexts
from asynctest_tornado._unittest import case_run, class_scope
from asynctest_tornado._unittest.case import AsyncTestCase
from asynctest_tornado._unittest.case_run import harness_of
from asynctest_tornado._unittest.descriptors import Missing, computed

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

__unittest = True


def _close(
    site: local_server.Site,
    harness: Harness,
    begin: Callable[[], None],
    limit: limits.Limit,
    get_client: Callable[[], Any],
) -> None:
    try:
        if site.stop() or harness.may_go_on():
            # By a task, as on tornado.testing: before the loop is closed, it takes as many turns for what is still to
            # come.
            harness.run(lambda: asyncio.ensure_future(site.close(begin)), limit)
        begin()
    finally:
        get_client().close()


def _undo(begun: Iterable[Callable[[], object]]) -> None:
    """Close what was opened, the latest first, each even if another one fails."""
    with contextlib.ExitStack() as resources:
        for close in begun:
            resources.callback(close)


class AsyncHTTPTestCase(AsyncTestCase):
    """A test case that starts an HTTP server, on an unused port of 127.0.0.1, for each test.

    Subclasses override `get_app`::

        class TestHello(AsyncHTTPTestCase):
            def get_app(self):
                return make_app()

            def test_homepage(self):
                response = self.fetch("/")
                self.assertEqual(response.code, 200)

            async def test_homepage_in_a_coroutine(self):
                response = await self.fetch("/")
                self.assertEqual(response.body, b"Hello, world")

    When a test fails, its report has the errors of request handlers, as notes. An error that no response can report,
    for example one in ``on_finish`` or after ``finish``, fails the test by itself, except an ``HTTPError`` below 500.

    From ``tornado.testing``. New in version 0.1.
    """

    #: True if an error in a request handler fails the test at once, unless the test expects it by `ExpectError`,
    #: `ExpectLog` or ``assertLogs``. An ``HTTPError`` below 500 is an answer, and no error.
    fail_on_server_error: bool = False

    #: The client, from ``setUp`` on.
    http_client: AsyncHTTPClient

    #: The server, from ``setUp`` on.
    http_server: HTTPServer

    #: Whether the server is to have ``ssl_options``.
    _asynctest_is_https = False
    _app: Any
    _asynctest_site: local_server.Site

    def setUp(self) -> None:
        """Make the loop, the client, the application and the server; or take those of the class.

        From ``tornado.testing``. New in version 0.1.
        """
        super().setUp()
        harness_of(self).trap.is_strict = self.fail_on_server_error
        scope = class_scope.of(type(self))
        if scope is None:
            self._asynctest_serve(harness_of(self), None)
        elif not scope.made:
            scope.call(functools.partial(self._asynctest_serve, scope.harness, scope))
        else:
            vars(self).update(scope.made)
            harness_of(self).clients.append(self.http_client)
        self._asynctest_site.begin()

    def _asynctest_serve(self, harness: Harness, scope: class_scope.ClassScope | None) -> None:
        """Make the client, the application and the server.

        :param harness: closes them.
        :param scope: that of the class, if they are for all of its tests.
        """
        sock = self.get_http_socket()
        # No ExitStack: to fill one takes a dozen calls.
        begun: list[Callable[[], object]] = [sock.close]
        try:
            self._asynctest_start(sock, harness.snapshot if scope is None else scope.describe, begun)
        except BaseException:
            _undo(begun)
            raise
        begin_closing: Callable[[], None] = harness.begin_closing
        if scope is None:
            # Asked for in the end: the test may have another one by then.
            get_client = functools.partial(getattr, self, "http_client")
            begin_closing = self._asynctest_begin_closing
        else:
            names = ("_asynctest_site", "http_client", "_app", "http_server")
            scope.made.update((name, vars(self)[name]) for name in names)
            get_client = functools.partial(scope.made.__getitem__, "http_client")
        limit = limits.limit(None, self.async_test_timeout)
        harness.resources.callback(_close, self._asynctest_site, harness, begin_closing, limit, get_client)

    def _asynctest_start(
        self, sock: socket.socket, describe: Callable[[], str], begun: list[Callable[[], object]]
    ) -> None:
        """Make the client, the application and the server on a socket.

        :param begun: gets what closes what was opened.
        """
        sock.setblocking(False)
        self._asynctest_site = site = local_server.Site(sock, describe, self._asynctest_is_https, trusts_strangers=True)
        self.http_client = self.get_http_client()
        begun.append(self.http_client.close)
        harness_of(self).clients.append(self.http_client)
        try:
            self._app = self._asynctest_complete(self.get_app)
        except Exception as error:
            site.explain_early(error, pending_report.urls_of_requests(self.http_client), type(self).__qualname__)
            hints.before_async_set_up(error, self)
            raise
        self.http_server = self._asynctest_complete(self.get_http_server)
        is_private = getattr(self.get_http_socket, "__func__", None) is _GET_HTTP_SOCKET
        site.listen(self.http_server, is_private=is_private)

    def _asynctest_begin_closing(self) -> None:
        harness_of(self).begin_closing(vars(self).values())

    def _asynctest_complete(self, hook: Callable[[], Any]) -> Any:
        """Return the result of a hook, which may be a coroutine function."""
        result = hook()
        # A callback of HTTPServer may have any methods, and so may a server. To ask of all else takes long.
        while not (callable(result) or isinstance(result, HTTPServer)) and inspect.isawaitable(result):
            awaitable = result
            begun = functools.update_wrapper(lambda awaitable=awaitable: awaitable, hook, ("__qualname__",), ())
            try:
                result = harness_of(self).run(begun, limits.limit(None, self.async_test_timeout), shared=True)
            finally:
                if inspect.iscoroutine(awaitable):
                    awaitable.close()  # or a second report would say that it was never awaited
        return result

    def tearDown(self) -> None:
        """Close the server and its connections, the client, and the loop; or what this test has left open there.

        From ``tornado.testing``. New in version 0.1.
        """
        if "_asynctest_site" not in vars(self):
            super().tearDown()  # setUp() was overridden, and has started nothing
            return
        scope = class_scope.of(type(self))
        if scope is not None:
            self._asynctest_begin_closing()
            harness_of(self).run(self._asynctest_site.close_websockets, limits.limit(None, self.async_test_timeout))
            client = scope.made["http_client"]
            if pending_report.names_of_requests(client):
                # Those who waited for these requests are gone, but they would go on to use up the client.
                client.close()
            if getattr(client, "_closed", False):  # perhaps by the test; there is no public way to ask
                scope.made["http_client"] = self.get_http_client()
        if not case_run.look_for_tasks(self):
            harness_of(self).look_for_requests(lambda: reachable.within_reach(reachable.of(self)))
        harness_of(self).close_resources(vars(self).values())
        del self.http_server
        del self._app
        super().tearDown()

    def get_http_socket(self) -> socket.socket:
        """Return the socket to serve on, bound and listening. May be overridden, for IPv6 or a Unix-domain socket::

            def get_http_socket(self):
                return bind_unused_port(address="::1")[0]

        New in version 0.1.
        """
        return sockets.bind_unused_port()[0]

    def get_http_client(self) -> AsyncHTTPClient:
        """Return the client. May be overridden. From ``tornado.testing``. New in version 0.1."""
        return self._asynctest_site.make_client()

    # Any: overrides may be coroutine functions, and callers of super() have what Tornado's own method returns.
    def get_http_server(self) -> HTTPServer | Any:
        """Return the server for ``self._app``, which need not listen yet. May be overridden.

        An override may be a coroutine function.

        From ``tornado.testing``. New in version 0.1.
        """
        options = self.get_httpserver_options()
        if not isinstance(options, dict) and inspect.isawaitable(options):
            if harness_of(self).is_running_here():  # called by a coroutine function
                return self._asynctest_await_options(options)
            options = self._asynctest_complete(lambda: options)
        return self._asynctest_make_server(options)

    async def _asynctest_await_options(self, options: Awaitable[dict[str, Any]]) -> HTTPServer:
        return self._asynctest_make_server(await options)

    def _asynctest_make_server(self, options: dict[str, Any]) -> HTTPServer:
        origin = f"What get_app() of {type(self).__qualname__} returned"
        return HTTPServer(self._asynctest_site.servable(self._app, origin), **options)

    def get_app(self) -> Application | Awaitable[Application]:
        """Return the application to test, or another callback of ``HTTPServer``. Has to be overridden.

        The override may be a coroutine function. It is awaited before the server listens::

            async def get_app(self):
                return make_app(await connect_to_database())

        From ``tornado.testing``. New in version 0.1.
        """
        raise NotImplementedError(
            f"{type(self).__qualname__} does not say what to serve. Override get_app() to return the "
            "tornado.web.Application to test."
        )

    @computed
    def server_errors(self) -> list[ServerError]:
        """What request handlers have raised in this test: each with its ``error`` and its ``request``.

        An ``HTTPError`` below 500 is none of these.

        New in version 0.1.
        """
        return harness_of(self).trap.server_errors

    @computed
    def cookies(self) -> "CookieJar":
        """The cookies that responses of this test have set. From the first use on, `fetch` sends them.

        Before that, those are missing here which were set by a response that the client has followed elsewhere.

        New in version 0.1.
        """
        cookies = self._asynctest_site.cookies
        cookies.are_sent = True
        return cookies.jar

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Unpack[Arguments]) -> Fetched:
        """Fetch a URL of the server. Return the response; in a coroutine, something to await, as `async_fetch` does.

        :param path: the path and query, which `get_url` makes a URL of; or a full ``http://`` or ``https://`` URL.
        :param raise_error: raise `tornado.httpclient.HTTPError` for a response whose code is not of the 2xx kind.
        :param json: the body, to be encoded as JSON; None is no body, and ``body="null"`` is one. The method is POST
            then, as for the next two, unless it is given.
        :param form: the fields of a form, as a mapping or as pairs, which become the body. A value may be a list; None
            leaves a field out.
        :param files: files to upload in a form, by field: the content, a ``Path``, an open file, or a tuple of file
            name, content and maybe content type. Several files of one field are a list, or pairs.
        :param params: the query, as a mapping or as pairs like those of ``form``, in addition to that of the path.

        All other arguments are handed to ``AsyncHTTPClient.fetch``: ``method``, ``body``, ``headers`` and so on.

        :return: Tornado's own response, whose method ``json()`` decodes the body.

        Raises ``TypeError`` for two bodies at once, ``ValueError`` for what is no path; ``TimeoutError`` after the time
        that is set as for `AsyncTestCase.wait`, the error of a callback or task meanwhile, and what the client raises.

        From ``tornado.testing``, which has neither the arguments from ``json`` on nor ``json()``, and where it cannot
        be called in a coroutine. New in version 0.1.
        """
        url = self._asynctest_site.absolute(path, self.get_url)
        self._asynctest_site.check_listens(url, type(self).__qualname__)
        fetch = functools.partial(self._asynctest_site.fetch, self.http_client, url, raise_error, kwargs)
        harness = harness_of(self)
        if harness.is_running_here():
            return asyncio.ensure_future(fetch())  # type: ignore[return-value]
        response: Fetched = harness.run(fetch, limits.limit(None, self.async_test_timeout), ends_with_future=True)
        return response

    def async_fetch(
        self, path: str, raise_error: bool = False, **kwargs: Unpack[Arguments]
    ) -> "asyncio.Task[Response]":
        """Begin to `fetch` a URL of the server, in a coroutine; return a task whose result is the response.

        What `fetch` returns there, by a name that says so, and with the type of a task.

        Raises ``RuntimeError`` where the loop does not run; the task raises what `fetch` raises.

        New in version 0.1.
        """
        if not harness_of(self).is_running_here():
            raise RuntimeError(
                "async_fetch() is for coroutines, and the event loop does not run here. Use fetch(), which waits."
            )
        task: Any = self.fetch(path, raise_error, **kwargs)
        result: asyncio.Task[Response] = task
        return result

    def ws_connect(
        self, path: str, *, headers: Any = None, subprotocols: Iterable[str] | None = None, **kwargs: Any
    ) -> Connecting:
        """Connect a websocket to the server.

        ::

            async with self.ws_connect("/chat", subprotocols=["v2"]) as socket:
                await socket.write_message("hello")
                self.assertEqual(await socket.read_message(timeout=1), "welcome")

        On leaving, the connection is closed, and the block waits until the ``on_close`` of the server's handler has
        run. In synchronous code, ``socket = self.run_sync(self.ws_connect, "/chat")`` connects; the connection is
        closed at the end of the test at the latest.

        :param path: the path and query, or a full ``ws://`` or ``wss://`` URL.
        :param headers: headers of the request.
        :param subprotocols: those that the client proposes.

        ``client_cert``, ``client_key``, ``validate_cert``, ``ca_certs`` and ``ssl_options`` are as for `fetch`. All
        other arguments are handed to ``tornado.websocket.websocket_connect``.

        :return: what ``async with`` or ``await`` make a `WebSocket` of.

        Raises what that function raises, such as `tornado.httpclient.HTTPError` where the server refuses.

        New in version 0.1.
        """
        site = self._asynctest_site
        url = urls.websocket_url(path, functools.partial(site.absolute, get_url=self.get_url))
        site.check_listens(url, type(self).__qualname__)
        return site.ws_connect(url, headers, subprotocols, kwargs)

    def get_httpserver_options(self) -> dict[str, Any] | Any:
        """Return keyword arguments for the server. May be overridden, also by a coroutine function.

        From ``tornado.testing``. New in version 0.1.
        """
        return {}

    def get_http_port(self) -> int:
        """Return the port of the server, another one in each test. From ``tornado.testing``. New in version 0.1."""
        return self._asynctest_site.port

    def get_protocol(self) -> str:
        """Return the scheme of the URLs. From ``tornado.testing``. New in version 0.1."""
        return "http"

    def get_url(self, path: str) -> str:
        """Return the absolute URL of a path on the server, which begins with a slash.

        From ``tornado.testing``. New in version 0.1.
        """
        return self._asynctest_site.url(path, self.get_protocol(), self.get_http_port())


def _say_no_server(cls: type[unittest.TestCase]) -> str:
    return (
        f"{cls.__qualname__} has no server: AsyncHTTPTestCase.setUp(), which starts it, has not been called. "
        f"Call super().setUp() first thing in the setUp() of {cls.__qualname__}."
    )


if not TYPE_CHECKING:
    AsyncHTTPTestCase.http_client = Missing(_say_no_server)
    AsyncHTTPTestCase.http_server = Missing(_say_no_server)
    AsyncHTTPTestCase._app = Missing(_say_no_server)
    AsyncHTTPTestCase._asynctest_site = Missing(_say_no_server, RuntimeError)


#: The method as it is here: a suite may patch that of the class, and then knows the port.
_GET_HTTP_SOCKET = AsyncHTTPTestCase.get_http_socket


class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """An `AsyncHTTPTestCase` whose server speaks HTTPS.

    The client verifies the server's certificate: a test certificate for ``localhost``, ``127.0.0.1`` and ``::1``.
    Other clients can do so with the authority in the file ``ca_certs``. If `get_ssl_options` is overridden to serve
    another certificate, the client does not verify that, as in ``tornado.testing``, but refuses it if it has expired.

    From ``tornado.testing``, whose client never verifies. New in version 0.1.
    """

    #: The path of the certificate that clients have to trust, in PEM format. The key of the server's certificate is
    #: public by design, a part of this package: it is for tests on one machine, and no system should trust it.
    ca_certs: str = ssl_contexts.AUTHORITY

    _asynctest_is_https = True

    def get_httpserver_options(self) -> dict[str, Any] | Any:
        """Return keyword arguments for the server. May be overridden, also by a coroutine function.

        From ``tornado.testing``. New in version 0.1.
        """
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> dict[str, Any]:
        """Return the ``ssl_options`` of the server. May be overridden.

        To ask clients for a certificate, add ``cert_reqs=ssl.CERT_REQUIRED``, and their authority as ``ca_certs``.

        From ``tornado.testing``. New in version 0.1.
        """
        return AsyncHTTPSTestCase.default_ssl_options()

    @staticmethod
    def default_ssl_options() -> dict[str, Any]:
        """Return the paths of the test certificate and its key, as ``certfile`` and ``keyfile``.

        From ``tornado.testing``. New in version 0.1.
        """
        return ssl_contexts.server_options()

    def get_protocol(self) -> str:
        """Return the scheme of the URLs. From ``tornado.testing``. New in version 0.1."""
        return "https"
