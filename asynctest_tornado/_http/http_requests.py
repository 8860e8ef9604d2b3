"""The requests of an AsyncHTTPTestCase, its cookies, and errors of its server."""

# Tested by tests/http/test_http_case.py.

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Unpack

from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._http import case_server
from asynctest_tornado._http.cookies import Cookies, signed
from asynctest_tornado._http.request_arguments import Arguments
from asynctest_tornado._http.response import Fetched, Response, describe
from asynctest_tornado._http.streamed_response import StreamedResponse
from asynctest_tornado._http.streaming import Streaming
from asynctest_tornado._http.websocket_connect import Connecting
from asynctest_tornado._sources import handler_errors
from asynctest_tornado._unittest.case import AsyncTestCase
from asynctest_tornado._unittest.case_run import harness_of
from asynctest_tornado._unittest.descriptors import computed

__unittest = True


class HTTPRequests(AsyncTestCase):
    """A part of `AsyncHTTPTestCase`: its methods that use the server."""

    #: True if `fetch` and `ws_connect` send the cookies that responses have set, as a browser does. Otherwise, they are
    #: sent from the first change of `cookies` on.
    send_cookies: bool = False

    _app: Any

    @computed
    def server_errors(self) -> list[ServerError]:
        """The errors that request handlers have raised in this test, each with its ``error`` and its ``request``.

        An ``HTTPError`` below 500 is an answer, and not among these.

        New in version 0.1.
        """
        return handler_errors.of(harness_of(self).trap).errors

    @computed
    def cookies(self) -> Cookies:
        """The cookies that responses of this test have set, as a mapping of names to values.

        ::

            self.cookies["theme"] = "dark"
            self.assertEqual(self.cookies["visits"], "1")

        To set or delete one, or to clear them all, lets `fetch` and `ws_connect` send them from then on; to read them
        does not. As long as they are not sent, cookies of redirects that the client has followed are missing here.

        A cookie that is set here is for all paths of the server. ``cookies.jar`` is the jar of the standard library,
        for domains, paths and expiry.

        Raises ``ValueError`` for the value if there are several cookies of the name, for different paths.

        New in version 0.1.
        """
        return case_server.cookies_of(self)

    def sign_in(self, name: str, value: str | bytes, *, version: int | None = None) -> None:
        """Set a signed cookie: ``get_signed_cookie(name)`` in a request handler returns the value.

        ::

            self.sign_in("user", "anna")
            self.assertEqual(self.fetch("/account").code, 200)

        It is signed with the ``cookie_secret`` of the application, and its ``key_version`` if there are several keys.
        `fetch` and `ws_connect` send it, and all other `cookies`, from then on.

        :param name: the name of the cookie.
        :param value: the value, a text.
        :param version: the version of the signature, as for ``tornado.web.create_signed_value``.

        Raises ``RuntimeError`` if the application has no ``cookie_secret``, or does not exist yet: sign in in
        ``asyncSetUp()``, or after ``super().setUp()``; ``TypeError`` if the value is no text.

        New in version 0.1.
        """
        case_server.cookies_of(self)[name] = signed(case_server.app_of(self), name, value, version)

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
        :param params: the query, as a mapping or pairs like ``form``, in addition to the query of the path.
        :param cookies: cookies of this request, as a mapping of names to values: beside the ones of `cookies`, if
            these are sent, or instead of them, if the name is the same. None leaves a cookie out.

        All other arguments are handed to ``AsyncHTTPClient.fetch``: ``method``, ``body``, ``headers`` and so on.

        :return: Tornado's response, as a `Response`: ``json()`` decodes the body.

        Raises ``TypeError`` for two bodies at once, and for ``cookies`` beside a ``Cookie`` header; ``ValueError`` if
        the path does not begin with a slash; ``TimeoutError`` after the time limit that `AsyncTestCase.wait` has; the
        error of a callback or task meanwhile; and the errors of the client.

        From ``tornado.testing``, which has neither the arguments from ``json`` on nor the methods of the response, and
        where it cannot be called in a coroutine. New in version 0.1.
        """
        fetched: Fetched = case_server.fetch(self, path, raise_error, kwargs)
        return fetched

    def async_fetch(
        self, path: str, raise_error: bool = False, **kwargs: Unpack[Arguments]
    ) -> "asyncio.Task[Response]":
        """Begin to `fetch` a URL of the server, in a coroutine; return a task whose result is the response.

        In a coroutine, `fetch` returns the same; this name says so, and has the type of a task.

        Raises ``RuntimeError`` if the loop does not run; the task raises the errors of `fetch`.

        New in version 0.1.
        """
        if not case_server.runs_here(harness_of(self)):
            raise RuntimeError(
                "async_fetch() is for coroutines, and the event loop does not run here. Use fetch(), which waits."
            )
        task: Any = self.fetch(path, raise_error, **kwargs)
        result: asyncio.Task[Response] = task
        return result

    def stream(
        self, path: str, raise_error: bool = False, *, read_timeout: float | None = None, **kwargs: Unpack[Arguments]
    ) -> Streaming:
        """Begin to read a response while it arrives, in a coroutine::

            async with self.stream("/prices") as response:
                self.assertEqual(response.code, 200)
                async for event in response.aiter_sse():
                    ...

        The block begins when the headers have arrived. To leave it early closes the connection, and waits until the
        server has seen that: ``on_connection_close`` of its handler has run, unless it was writing just then, and has
        failed of that. An error in the block has a note with the status, the headers and the latest chunks.

        :param read_timeout: the time limit for the headers, and between two chunks, in seconds; 0 for no limit. By
            default, the time limit of the test is the only one.

        All other arguments are the same as for `fetch`, and redirects are followed as there. Only ``request_timeout``,
        a limit for the whole response, is not set by default.

        :return: an object for ``async with``, which gives a `StreamedResponse`. Without that, the test fails.

        Raises the errors of `fetch`, in the block those of `StreamedResponse.read`, and ``TimeoutError``, which shows
        where the server stood, after ``read_timeout``.

        As in httpx. New in version 0.1.
        """
        return case_server.stream(self, path, raise_error, read_timeout, kwargs)

    def ws_connect(
        self,
        path: str,
        *,
        headers: Any = None,
        subprotocols: Iterable[str] | None = None,
        cookies: Mapping[str, Any] | None = None,
        **kwargs: Any,
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
        :param subprotocols: the subprotocols that the client proposes.
        :param cookies: cookies of this request, as for `fetch`.

        ``client_cert``, ``client_key``, ``validate_cert``, ``ca_certs`` and ``ssl_options`` are as for `fetch`. All
        other arguments are handed to ``tornado.websocket.websocket_connect``.

        :return: an object for ``async with`` or ``await``, which give a `WebSocket`. Without these, the test fails.

        Raises the errors of that function, for example `tornado.httpclient.HTTPError` if the server refuses.

        New in version 0.1.
        """
        return case_server.ws_connect(self, path, headers, subprotocols, {"cookies": cookies, **kwargs})

    def assertStatus(self, response: Response | StreamedResponse, status: int, msg: str | None = None) -> None:
        """Fail unless a response has this status. The failure shows the request, the status and the body.

        ::

            self.assertStatus(self.fetch("/orders", json={"item": "tea"}), 201)

        :param status: the status, as a number or an ``HTTPStatus``.

        Raises ``AssertionError`` for another status, and ``TypeError`` if the status comes first.

        New in version 0.1.
        """
        if isinstance(response, int):
            raise TypeError(
                f"assertStatus() got {response!r} as the response. Write assertStatus(response, {response:d})."
            )
        if response.code != status:
            if isinstance(response, StreamedResponse):  # the report of its block shows the body
                request = f"{response.request.method} {response.effective_url}"
            else:
                request = describe(response)
            text = f"{response.code} {response.reason}, not {int(status)}, is the answer to {request}"
            self.fail(text if msg is None else f"{text} : {msg}")
