"""Response: Tornado's response, with json() and raise_for_status()."""

import functools
import io
import json as json_module
from typing import TYPE_CHECKING, Any

from tornado.httpclient import HTTPClientError, HTTPResponse

from asynctest_tornado._errors import last_answer
from asynctest_tornado._errors.last_answer import SHOWN
from asynctest_tornado._errors.server_error import ServerError
from asynctest_tornado._sources import handler_errors

if TYPE_CHECKING:
    from collections.abc import Generator

__unittest = True


class Response(HTTPResponse):
    """A response as `AsyncHTTPTestCase.fetch` returns it: Tornado's ``HTTPResponse``, with two methods more.

    New in version 0.1.
    """

    #: The reason for the status, as a sentence, if the server knows it.
    _reason_of_server = ""
    #: The error of the handler, if no report of a test will show it.
    _failures: tuple[ServerError, ...] = ()
    #: The names of the cookies that the cookie jar of the test has added to the request.
    _sent_cookies: tuple[str, ...] = ()

    def json(self) -> Any:
        """Return the body, decoded. Raises ``ValueError`` if the body is no JSON. New in version 0.1."""
        return decode(self)

    def raise_for_status(self) -> "Response":
        """Raise `tornado.httpclient.HTTPClientError` if the status is 400 or more; return this response otherwise.

        The error shows the request, the status and the beginning of the body, and the error of the request handler::

            order = self.fetch("/orders", json={"item": "tea"}).raise_for_status().json()

        As in httpx. New in version 0.1.
        """
        if self.code >= 400:
            error = HTTPClientError(self.code, f"{self.reason}, the answer to {describe(self)}", self)
            for failure in self._failures:
                error.add_note(handler_errors.describe(failure))
            raise error
        return self

    def __repr__(self) -> str:
        body = _body_of(self)
        shown = "the error page of Tornado" if last_answer.is_page_of_tornado(body) else repr(body[:SHOWN])
        return f"<Response [{self.code} {self.reason}] to {request_of(self)}: {self._reason_of_server or shown}>"


class Fetched(Response):
    """The result of `AsyncHTTPTestCase.fetch`: the response; in a coroutine, an awaitable for it."""

    if TYPE_CHECKING:

        def __await__(self) -> Generator[Any, Any, Response]:
            raise NotImplementedError


def is_response(response: object) -> bool:
    """Return whether this is a response of Tornado, and no mock. Its attributes may be mocks all the same."""
    return issubclass(type(response), HTTPResponse)


def improve(response: HTTPResponse) -> None:
    """Give a response of Tornado the methods of `Response`. One of another class keeps its own."""
    if type(response) is HTTPResponse:
        response.__class__ = Response
    elif not hasattr(type(response), "json"):  # else the client has a method of its own
        vars(response)["json"] = functools.partial(decode, response)


def request_of(response: HTTPResponse) -> str:
    """Return the method and URL that a response answers."""
    return f"{getattr(response.request, 'method', 'GET')} {response.effective_url}"


def describe(response: HTTPResponse) -> str:
    """Return the request of a response, the beginning of its body, and the reason for it if that is known."""
    reason = getattr(response, "_reason_of_server", "") or last_answer.shown(_body_of(response))
    return f"{request_of(response)}. {reason}{_cookies_of(response)}"


def _cookies_of(response: HTTPResponse) -> str:
    """Return a sentence with the cookies of a request that is refused: the name of one may be wrong."""
    names = getattr(response, "_sent_cookies", ())
    if response.code not in (401, 403) or not names:
        return ""
    return f" The request sent {'this cookie' if len(names) == 1 else 'these cookies'}: {', '.join(names)}."


def answer_of(response: Response) -> last_answer.Answer | None:
    """Return the answer that a report may show; None for a response that the test has made."""
    if type(response) is not Response or not isinstance(response.buffer, io.BytesIO):
        return None
    method = getattr(response.request, "method", "GET")
    return last_answer.Answer(
        response.code,
        response.reason,
        method,
        response.effective_url,
        response.buffer,
        response._reason_of_server,
        _cookies_of(response),
    )


def decode(response: HTTPResponse) -> Any:
    """Return the body of a response, decoded from JSON. Raises ``ValueError`` if it is none."""
    body = _body_of(response)
    reason = f" {known}" if (known := getattr(response, "_reason_of_server", "")) else ""
    try:
        return json_module.loads(body)
    except ValueError as error:
        raise ValueError(
            f"The answer to {request_of(response)} is no JSON: {error}. It has the status {response.code}, the type "
            f"{response.headers.get('Content-Type')!r}, and begins with {body[:60]!r}.{reason}"
        ) from None


def _body_of(response: HTTPResponse) -> bytes:
    # The test may have made the response, with a buffer of any class.
    return response.buffer.getvalue() if isinstance(response.buffer, io.BytesIO) else b""
