"""ServedHost: a host that a test serves under a name of its own."""

import inspect
import socket
from collections.abc import Callable
from typing import Any

from tornado import web
from tornado.httputil import HTTPServerRequest
from tornado.tcpserver import TCPServer

from asynctest_tornado._errors import contexts
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._network.host_faults import HostFaults
from asynctest_tornado._network.host_servers import HTTPHost, RecordingApp, StreamHost
from asynctest_tornado._network.hosts import Site
from asynctest_tornado._network.servable import check_app, guarded
from asynctest_tornado._sources.server_errors import ServerErrors

__unittest = True


class ServedHost(HostFaults):
    """A host that a test serves: the result of ``network.serve(url, app)``.

    ::

        self.payments = self.network.serve("https://payments.example", PaymentsStub())
        ...
        self.assertEqual([request.path for request in self.payments.requests], ["/charge"])

    New in version 0.1.
    """

    #: The URL, without a slash at its end.
    url: str

    #: The requests, in the order of their arrival, each with its body. A request is there when it has arrived
    #: completely, before a handler answers it. It is the list of a host of HTTP; the list of another one stays empty.
    requests: list[HTTPServerRequest]

    #: True after `stop`.
    is_stopped: bool = False

    #: The errors of its request handlers, each with its ``error`` and ``request``, except each ``HTTPError`` below 500.
    errors: list[ServerError]

    def __init__(self, site: Site, app: Any, options: dict[str, Any]) -> None:
        super().__init__(site.url)
        vars(self).update(url=site.url, requests=[])
        self._place = site.place
        self._own_context = self._context = ServerErrors()
        vars(self).update(errors=self._context.errors)
        self._server = _make_server(site, app, self.requests.append, options)

    def __repr__(self) -> str:
        return f"<ServedHost {self.url}{', stopped' if self.is_stopped else ''}>"

    def stop(self) -> None:
        """End the host, as if its process had ended: its connections are closed, and it refuses new ones.

        Responses that `hold` keeps back are lost.

        ``network.serve`` can serve its URL again. A host that was stopped already stays so. At the end of the test,
        all hosts are stopped.

        New in version 0.1.
        """
        if not self.is_stopped:
            self._record_stop()
        self._stop()

    def _start(self, sock: socket.socket, trap: contexts.Context) -> None:
        """Let the server accept the connections of a socket, bound and listening.

        :param trap: gets the errors of code that it sets off.
        """
        #: The address and port that it really listens on.
        self._listens_on: tuple[str, int] = sock.getsockname()[:2]
        chain = contexts.contexts.get()
        with contexts.under((*(chain if chain[:1] == (trap,) else (trap,)), self._context)):
            self._server.add_sockets([sock])

    def _stop(self) -> bool:
        """Stop the server. Return whether `_wait_closed` has to wait for connections to end."""
        vars(self).update(is_stopped=True)
        self._server.stop()
        return self._server.close_streams()

    async def _wait_closed(self) -> None:
        await self._server.wait_closed()


def _make_server(
    site: Site, app: Any, record: Callable[[HTTPServerRequest], object], options: dict[str, Any]
) -> HTTPHost | StreamHost:
    """Return the server of a host.

    Raises ``TypeError`` for an application that cannot be served, or options that its server does not have.
    """
    origin = f"The application of {site.url}"
    if site.scheme == "tcp":
        return StreamHost(_check_handler(app, origin), **options)
    _check_http(app, origin)
    return HTTPHost(RecordingApp(guarded(app, origin), record), **options)


def _check_http(app: Any, origin: str) -> None:
    """Raise ``TypeError`` for an application that no ``HTTPServer`` can serve."""
    if isinstance(app, list | tuple):
        raise TypeError(f"{origin} is a {type(app).__name__}. Make an application of it: tornado.web.Application(...).")
    if inspect.isclass(app) and issubclass(app, web.RequestHandler):
        raise TypeError(
            f"{origin} is {app.__qualname__}, a class of handlers. Make an application of it: "
            f'tornado.web.Application([(".*", {app.__qualname__})]).'
        )
    if inspect.isclass(app) and issubclass(app, web.Application):
        raise TypeError(f"{origin} is the class {app.__qualname__}. Write {app.__qualname__}().")
    call = app if inspect.isroutine(app) else getattr(app, "__call__", None)  # noqa: B004  # its kind is the question
    if inspect.iscoroutinefunction(call) and _takes(app, 1):
        raise TypeError(
            f"{origin} is a coroutine function, {_name_of(app)}, and Tornado's HTTPServer does not await the result of "
            "a callback. Write a RequestHandler, whose methods may be coroutines, and give tornado.web.Application."
        )
    check_app(app, origin)


def _check_handler(app: Any, origin: str) -> Callable[[Any, Any], Any]:
    """Return the function that handles the streams of a host.

    Raises ``TypeError`` if there is none.
    """
    if isinstance(app, TCPServer):
        return app.handle_stream
    if not callable(app) or inspect.isclass(app) or not _takes(app, 2):
        raise TypeError(
            f"{origin} is {app!r}, which cannot handle a stream. Give a coroutine function of a stream and an address, "
            "as in 'async def handle(stream, address)', or a tornado.tcpserver.TCPServer."
        )
    handle: Callable[[Any, Any], Any] = app
    return handle


def _takes(function: Any, count: int) -> bool:
    """Return whether a function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        return True  # a function in C, without a signature
    return True


def _name_of(function: Any) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
