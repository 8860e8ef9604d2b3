"""Explains requests of Tornado's client that get no response."""

# Tested by tests/errors/test_hints.py.

import functools
from collections.abc import Callable
from typing import Any

from tornado.httpclient import HTTPResponse
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient

from asynctest_tornado._errors import contexts, hints
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._timeouts import pending_requests
from asynctest_tornado._tls import https_servers
from asynctest_tornado._util.patching import Patch

__unittest = True


def _fetch_and_explain(self: Any, request: Any, callback: Callable[[HTTPResponse], None]) -> None:
    if _fetch_impl.is_active and contexts.contexts.get():
        callback = functools.partial(_explain, self, request, callback)
    _fetch_impl.found(self, request, callback)


_fetch_impl = Patch(SimpleAsyncHTTPClient, "fetch_impl", _fetch_and_explain)


def _explain(client: Any, request: Any, callback: Callable[[HTTPResponse], None], response: HTTPResponse) -> None:
    """Add the request, and a typical mistake, to the error of a client, before other code gets the error."""
    error = response.error
    if isinstance(error, OSError):
        # The error of a stream is raised where no frame knows the request.
        hints.add_request(error, request.method, request.url)
        hints.add(error, https_servers.hint(error, request.url))
    elif isinstance(error, HTTPTimeoutError):
        hints.add(error, pending_requests.mistaken_scheme(client, request.url))
    callback(response)


class FailedRequests(Feature):
    """The notes of such errors."""

    patches = (_fetch_impl,)


FAILED_REQUESTS = FailedRequests()
