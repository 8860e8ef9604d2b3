"""Fetch a URL for a test: redirects with cookies, and json() of responses."""

import copy
import functools
import io
import json as json_module
from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from asynctest_tornado._http.cookie_jar import Cookies, gives_cookies
from asynctest_tornado._http.request_arguments import Arguments, plain

__unittest = True

if TYPE_CHECKING:

    class Response(HTTPResponse):
        """A response as `AsyncHTTPTestCase.fetch` returns it: Tornado's own, with one method more."""

        def json(self) -> Any:
            """Return the body, decoded. Raises ``ValueError`` if it is no JSON."""

    class Fetched(Response):
        """The result of `AsyncHTTPTestCase.fetch`: the response; in a coroutine, an awaitable for it."""

        def __await__(self) -> Generator[Any, Any, Response]:
            raise NotImplementedError
else:
    Response = Fetched = HTTPResponse


async def fetch(
    client: AsyncHTTPClient, url: str, cookies: Cookies, raise_error: bool, arguments: Arguments
) -> Response:
    """Fetch a URL. Raises the errors of the client.

    The client may be of any make. Until cookies are sent, it gets the same arguments as from ``tornado.testing``.
    """
    url, kwargs = plain(url, **arguments)
    try:
        if cookies.are_sent:
            response = await _fetch_with_cookies(client, HTTPRequest(url, **kwargs), cookies, raise_error)
        else:
            response = await client.fetch(url, raise_error=raise_error, **kwargs)
            if _is_response(response):
                cookies.record(response.headers, response.effective_url)
    except HTTPClientError as error:
        if error.response is not None and _is_response(error.response):
            cookies.record(error.response.headers, error.response.effective_url)
            _add_json(error.response)
            body = error.response.buffer.getvalue() if isinstance(error.response.buffer, io.BytesIO) else b""
            error.add_note(f"That is the answer to {_request_of(error.response)}. It begins with {body[:200]!r}.")
        raise
    if _is_response(response):
        _add_json(response)
    return response  # type: ignore[return-value]


def _is_response(response: object) -> bool:
    """Return whether this is a response of Tornado, and no mock. Its attributes may be mocks all the same."""
    return issubclass(type(response), HTTPResponse)


def _request_of(response: HTTPResponse) -> str:
    return f"{getattr(response.request, 'method', 'GET')} {response.effective_url}"


def _add_json(response: HTTPResponse) -> None:
    if not hasattr(type(response), "json"):  # else the client has a method of its own
        vars(response)["json"] = functools.partial(
            _decode, _request_of(response), response.code, response.headers, response.buffer
        )


async def _fetch_with_cookies(
    client: AsyncHTTPClient, request: HTTPRequest, cookies: Cookies, raise_error: bool
) -> HTTPResponse:
    """Fetch, and follow redirects like Tornado's client, but with the cookies that they set."""
    is_followed, left = redirects(client, request)
    given = request.follow_redirects
    if is_followed:
        request.follow_redirects = False
    has_own_cookies = gives_cookies(request)
    hop = request
    while True:
        if not has_own_cookies:
            cookies.add_to(hop)
        response = await client.fetch(hop, raise_error=False)
        cookies.record(response.headers, hop.url)
        following = redirected(request, hop, response.code, response.headers) if left > 0 else None
        if following is None:
            break
        left -= 1
        hop = following
        response.error = None  # which refers to the response
    request.follow_redirects = given
    response.request = request
    if raise_error:
        response.rethrow()
    return response


def redirects(client: AsyncHTTPClient, request: HTTPRequest) -> tuple[bool, int]:
    """Return whether to follow redirects here, and how many."""
    if request.streaming_callback is not None or request.header_callback is not None:
        return False, 0  # the callback would get the headers or body of the redirect itself
    defaults = getattr(client, "defaults", {})
    follow, most = (
        defaults.get(name, default) if (given := getattr(request, name)) is None else given
        for name, default in (("follow_redirects", True), ("max_redirects", 5))
    )
    return bool(follow), most if follow else 0


def redirected(request: HTTPRequest, hop: HTTPRequest, code: int, headers: HTTPHeaders) -> HTTPRequest | None:
    """Return the next request, after an answer to this hop that sends the client elsewhere; None after another one."""
    location = headers.get("Location")
    if not location or code not in (301, 302, 303, 307, 308):
        return None
    following = copy.copy(hop)
    following.url = urljoin(hop.url, location)
    following.headers = HTTPHeaders(hop.headers)
    unwanted = ["Host"]
    old, new = urlsplit(request.url), urlsplit(following.url)
    if (old.scheme, old.netloc) != (new.scheme, new.netloc):
        # Secrets that the test has given for one server are not for another one.
        following.auth_username = following.auth_password = None
        unwanted += ["Authorization", "Cookie"]
    # As browsers do, and Tornado.
    if (code == 303 and hop.method != "HEAD") or (code in (301, 302) and hop.method == "POST"):
        following.method = "GET"
        following.body = following.body_producer = None  # type: ignore[assignment]
        unwanted += ["Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding"]
    for name in unwanted:
        following.headers.pop(name, None)
    return following


def _decode(request: str, code: int, headers: HTTPHeaders, buffer: Any) -> Any:
    body = b"" if buffer is None else buffer.getvalue()
    try:
        return json_module.loads(body)
    except ValueError as error:
        raise ValueError(
            f"The answer to {request} is no JSON: {error}. It has the status {code}, the type "
            f"{headers.get('Content-Type')!r}, and begins with {body[:60]!r}."
        ) from None
