"""Tests of asynchronous Tornado code: ``tornado.testing``, with an error trap.

See README.rst. This module only re-exports, and imports a name when it is used: a suite without HTTP does not wait for
the import of HTTP, and pytest waits for none.

PYTEST_DONT_REWRITE: pytest rewrites the assertions of all modules that come with a plugin, and warns if they are
imported already.
"""

import importlib as _importlib
import typing as _typing

if _typing.TYPE_CHECKING:
    from asynctest_tornado._clock.virtual_clock import VirtualClock
    from asynctest_tornado._errors.server_error import ServerError
    from asynctest_tornado._errors.stack_context import ExceptionStackContext, NullContext
    from asynctest_tornado._expect.expect_error import ExpectError
    from asynctest_tornado._expect.expect_log import ExpectLog
    from asynctest_tornado._http.http_case import AsyncHTTPTestCase
    from asynctest_tornado._http.http_test_server import HTTPTestServer
    from asynctest_tornado._http.https_case import AsyncHTTPSTestCase
    from asynctest_tornado._http.response import Response
    from asynctest_tornado._http.server_sent_events import ServerSentEvent
    from asynctest_tornado._http.sockets import bind_unused_port
    from asynctest_tornado._http.streamed_response import StreamedResponse
    from asynctest_tornado._http.websocket import WebSocket
    from asynctest_tornado._network.served_host import ServedHost
    from asynctest_tornado._network.virtual_network import VirtualNetwork
    from asynctest_tornado._runner.command_line import main
    from asynctest_tornado._timeouts.limits import get_async_test_timeout
    from asynctest_tornado._unittest.case import AsyncTestCase
    from asynctest_tornado._unittest.gen_test import gen_test, setup_with_context_manager

__unittest = True

__all__ = [
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "ExceptionStackContext",
    "ExpectError",
    "ExpectLog",
    "HTTPTestServer",
    "NullContext",
    "Response",
    "ServedHost",
    "ServerError",
    "ServerSentEvent",
    "StreamedResponse",
    "VirtualClock",
    "VirtualNetwork",
    "WebSocket",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "main",
    "setup_with_context_manager",
]

_ROOMS = {
    "AsyncHTTPSTestCase": "_http.https_case",
    "AsyncHTTPTestCase": "_http.http_case",
    "AsyncTestCase": "_unittest.case",
    "ExceptionStackContext": "_errors.stack_context",
    "ExpectError": "_expect.expect_error",
    "ExpectLog": "_expect.expect_log",
    "HTTPTestServer": "_http.http_test_server",
    "NullContext": "_errors.stack_context",
    "Response": "_http.response",
    "ServedHost": "_network.served_host",
    "ServerError": "_errors.server_error",
    "ServerSentEvent": "_http.server_sent_events",
    "StreamedResponse": "_http.streamed_response",
    "VirtualClock": "_clock.virtual_clock",
    "VirtualNetwork": "_network.virtual_network",
    "WebSocket": "_http.websocket",
    "bind_unused_port": "_http.sockets",
    "gen_test": "_unittest.gen_test",
    "get_async_test_timeout": "_timeouts.limits",
    "main": "_runner.command_line",
    "setup_with_context_manager": "_unittest.gen_test",
}


def __getattr__(name: str) -> _typing.Any:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if room == "_errors.stack_context":
        # Outside of tests, these patches hand errors to an ExceptionStackContext, once one is entered.
        _importlib.import_module(f"{__name__}._sources.installation")
    value = globals()[name] = getattr(_importlib.import_module(f"{__name__}.{room}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | set(__all__))
