"""The cookie jar of a test: cookies of its responses, sent on request."""

# Tested by tests/http/test_fetch.py.

from typing import TYPE_CHECKING, Any

from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

__unittest = True


class Cookies:
    """A cookie jar, made for the first cookie, or if the test asks for it.

    The modules of the standard library that it needs take as long to import as the rest of this library.
    """

    def __init__(self) -> None:
        self.are_sent = False
        self._jar: CookieJar | None = None

    @property
    def jar(self) -> "CookieJar":
        if self._jar is None:
            from http.cookiejar import CookieJar

            self._jar = CookieJar()
        return self._jar

    def record(self, headers: HTTPHeaders, url: str) -> None:
        """Record the cookies that the headers of a response set."""
        # The response may be made by the test, with headers of any class.
        values = headers.get_list("Set-Cookie") if isinstance(headers, HTTPHeaders) else []
        if values and isinstance(url, str) and "://" in url:
            self.jar.extract_cookies(_Reply(values), _make_request(url))  # type: ignore[arg-type]

    def add_to(self, request: HTTPRequest) -> None:
        """Set the ``Cookie`` header of a request to the cookies for its URL."""
        if self.are_sent:
            wanted = _make_request(request.url)
            self.jar.add_cookie_header(wanted)
            header = wanted.get_header("Cookie")
            request.headers = HTTPHeaders(request.headers)
            request.headers.pop("Cookie", None)
            if header is not None:
                request.headers["Cookie"] = header


def gives_cookies(request: HTTPRequest) -> bool:
    """Return whether the request has cookies of its own."""
    return any(name.lower() == "cookie" for name in request.headers)


def _make_request(url: str) -> Any:
    """Return a request of the kind that a cookie jar knows."""
    from urllib.request import Request

    return Request("http" + url[2:] if url.lower().startswith("ws") else url)


class _Reply:
    """A response, as far as a cookie jar asks for it."""

    def __init__(self, values: list[str]) -> None:
        from email.message import Message

        self._headers = Message()
        for value in values:
            self._headers["Set-Cookie"] = value

    def info(self) -> Any:
        return self._headers
