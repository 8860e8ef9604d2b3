"""Describes the last response that a test got, if the test fails because of it."""

# Tested by tests/http/test_response.py.

import io
import json
import re
import sys
import types
from collections.abc import Collection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from asynctest_tornado._util.exception_notes import text_of

__unittest = True

#: The key in ``trap.data`` for the `Answer` that the test got last, or None.
ANSWER: Any = object()
#: The key for the paths of requests that no handler is for.
UNKNOWN: Any = object()
#: The key for true if a mock that a test has put into the class of its client has got the last request.
IS_MOCKED: Any = object()
#: How many bytes of a body a message shows.
SHOWN = 200
#: The beginning of the note of an error that a client has raised for a response.
ANSWERS = "That is the answer to "


class Answer(NamedTuple):
    """A response, without the object that the test has."""

    code: int
    reason: str
    method: str
    url: str
    buffer: io.BytesIO
    cause: str
    """The cause of the status, as a sentence, or nothing."""
    cookies: str = ""
    """A sentence with the cookies of the request, after a space, or nothing."""

    def describe(self) -> str:
        """Return the status and the request, and a sentence with the cause or with the beginning of the body."""
        details = self.cause or shown(self.buffer.getvalue())
        return f"{self.code} {self.reason} to {self.method} {self.url}. {details}{self.cookies}"


def shown(body: bytes) -> str:
    """Return a sentence that shows the beginning of a body."""
    if is_page_of_tornado(body):
        return "Its body is the error page of Tornado."
    return f"It begins with {body[:SHOWN]!r}." if len(body) > SHOWN else f"Its body is {body!r}."


def is_page_of_tornado(body: bytes) -> bool:
    """Return whether a body is the page that Tornado sends for a status, which says no more than the status."""
    return re.fullmatch(rb"<html><title>(\d+: [^<]*)</title><body>\1</body></html>", body) is not None


def no_handler(path: str) -> str:
    return f"No handler matches {path}."


def is_mocked(client: object) -> bool:
    """Return whether a mock is in the place of the method of the client's class."""
    func: Any = getattr(type(client), "fetch", None)
    if type(func) is types.FunctionType and "mock" not in func.__dict__:  # autospec=True makes a function
        return False
    module = sys.modules.get("unittest.mock")
    return module is not None and any(
        issubclass(type(each), module.NonCallableMock) for each in (func, getattr(func, "mock", None))
    )


def of_mock(is_mocked: bool) -> str | None:
    """Return a note about a mock that has got the last request of the test, or None."""
    if not is_mocked:
        return None
    return (
        "AsyncHTTPClient.fetch was a mock: fetch() of the test called it as well, and the application got no request. "
        "Patch the name by which the application calls the client, or serve a fake of the other service by "
        "network.serve()."
    )


def hint(error: BaseException, answer: Answer | None, unknown: Collection[str] = ()) -> str | None:
    """Return a note about the response that a failure is about, or None.

    :param unknown: the paths that no handler of the server is for.
    """
    if answer is not None:
        if isinstance(error, json.JSONDecodeError):
            body = answer.buffer.getvalue()
            if error.doc in (body.decode(errors="replace"), body):
                return f"That is the body of the last response, {answer.describe()}"
        elif isinstance(error, AssertionError) and answer.code >= 400:
            text = text_of(error) or ""
            # pytest shows the URL, as an attribute of the response.
            is_known = answer.url in text and answer.cause in text
            if re.search(rf"\b{answer.code}\b", text) and not is_known:
                return f"The last response was {answer.describe()}"
    return _of_client(error, unknown)


def _of_client(error: BaseException, unknown: Collection[str]) -> str | None:
    """Return a note about the response that Tornado's client has raised as an error."""
    module = sys.modules.get("tornado.httpclient")  # a test without HTTP does not wait for its import
    if module is None or not isinstance(error, module.HTTPClientError):
        return None
    response = error.response
    if type(response) is not module.HTTPResponse or getattr(error, "__notes__", None):
        return None  # it is no response, or explained already
    body = response.buffer.getvalue() if isinstance(response.buffer, io.BytesIO) else b""
    path = urlsplit(response.effective_url).path or "/"
    reason = no_handler(path) if response.code == 404 and path in unknown else shown(body)
    return f"{ANSWERS}{getattr(response.request, 'method', 'GET')} {response.effective_url}. {reason}"
