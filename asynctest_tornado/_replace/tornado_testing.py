"""Imported by the name of ``tornado.testing``."""

# Tested by tests/replace/test_replace.py.

from asynctest_tornado._clock.virtual_clock import VirtualClock as VirtualClock
from asynctest_tornado._errors.server_error import ServerError as ServerError
from asynctest_tornado._errors.stack_context import ExceptionStackContext as ExceptionStackContext
from asynctest_tornado._errors.stack_context import NullContext as NullContext
from asynctest_tornado._expect.expect_error import ExpectError as ExpectError
from asynctest_tornado._expect.expect_log import ExpectLog
from asynctest_tornado._http.http_case import AsyncHTTPTestCase
from asynctest_tornado._http.http_test_server import HTTPTestServer as HTTPTestServer
from asynctest_tornado._http.https_case import AsyncHTTPSTestCase
from asynctest_tornado._http.response import Response as Response
from asynctest_tornado._http.server_sent_events import ServerSentEvent as ServerSentEvent
from asynctest_tornado._http.sockets import bind_unused_port
from asynctest_tornado._http.streamed_response import StreamedResponse as StreamedResponse
from asynctest_tornado._http.websocket import WebSocket as WebSocket
from asynctest_tornado._network.served_host import ServedHost as ServedHost
from asynctest_tornado._network.virtual_network import VirtualNetwork as VirtualNetwork
from asynctest_tornado._replace import import_hook as _import_hook
from asynctest_tornado._runner.command_line import main
from asynctest_tornado._timeouts.limits import get_async_test_timeout
from asynctest_tornado._unittest.case import AsyncTestCase
from asynctest_tornado._unittest.gen_test import gen_test, setup_with_context_manager

__unittest = True
__asynctest_tornado__ = True

#: The names of the original. The others are there for a suite that begins to use this library.
_ORIGINAL = (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectLog,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
    main,
    setup_with_context_manager,
)
# For 'from tornado.testing import *', which also imports the modules and classes that the original uses.
__all__ = sorted(_import_hook.add_imports(globals()) | {thing.__name__ for thing in _ORIGINAL})


if __name__ == "__main__":
    main()
