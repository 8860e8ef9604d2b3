"""Tests for asynchronous Tornado code that tell the truth: ``tornado.testing``, with an error trap.

See README.rst. This module only re-exports.

PYTEST_DONT_REWRITE: pytest rewrites the assertions of whatever comes with a plugin for it, and warns where that was
imported already.
"""

from asynctest_tornado._case import AsyncTestCase
from asynctest_tornado._clock import VirtualClock
from asynctest_tornado._expect import ExpectError
from asynctest_tornado._fetching import Response
from asynctest_tornado._gen_test import gen_test, setup_with_context_manager
from asynctest_tornado._handlers import ServerError
from asynctest_tornado._http import AsyncHTTPSTestCase, AsyncHTTPTestCase
from asynctest_tornado._logs import ExpectLog
from asynctest_tornado._ports import bind_unused_port
from asynctest_tornado._runner import main
from asynctest_tornado._server import HTTPTestServer
from asynctest_tornado._timeouts import get_async_test_timeout
from asynctest_tornado._trap import ExceptionStackContext, NullContext
from asynctest_tornado._websocket import WebSocket

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
    "ServerError",
    "VirtualClock",
    "WebSocket",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "main",
    "setup_with_context_manager",
]
