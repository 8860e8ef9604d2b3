"""Fetch a URL for a test; follow redirects with cookies."""

import copy
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from asynctest_tornado._errors.last_answer import ANSWERS
from asynctest_tornado._http.cookie_jar import Jar, gives_cookies, names_of
from asynctest_tornado._http.request_arguments import Arguments, explain, plain
from asynctest_tornado._http.response import Response, describe, improve, is_response

__unittest = True


async def fetch(
    client: AsyncHTTPClient,
    url: str,
    cookies: Jar,
    raise_error: bool,
    arguments: Arguments,
    explain_response: Callable[[Response], None] = lambda response: None,
) -> Response:
    """Fetch a URL. Raises the errors of the client.

    The client may be of any make. Until cookies are sent, it gets the same arguments as from ``tornado.testing``.

    :param explain_response: called with each response, to add the reason for it.
    """
    url, kwargs = plain(url, **arguments)
    cookies = cookies.for_request(kwargs, url)
    try:
        if cookies.is_sent:
            response = await _fetch_with_cookies(client, HTTPRequest(url, **kwargs), cookies, raise_error)
        else:
            response = await client.fetch(url, raise_error=raise_error, **kwargs)
            if is_response(response):
                cookies.record(response.headers, response.effective_url)
    except HTTPClientError as error:
        if error.response is not None and is_response(error.response):
            cookies.record(error.response.headers, error.response.effective_url)
            improve(error.response)
            explain_response(error.response)  # type: ignore[arg-type]
            error.add_note(f"{ANSWERS}{describe(error.response)}")
        raise
    except (TypeError, ValueError) as error:
        if explain(error, kwargs):
            raise error.with_traceback(None) from None  # the user's line has the reason
        raise
    if is_response(response):
        improve(response)
        explain_response(response)  # type: ignore[arg-type]
    return response  # type: ignore[return-value]


async def _fetch_with_cookies(
    client: AsyncHTTPClient, request: HTTPRequest, cookies: Jar, raise_error: bool
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
    if is_response(response) and not has_own_cookies:
        vars(response)["_sent_cookies"] = names_of(hop)
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
