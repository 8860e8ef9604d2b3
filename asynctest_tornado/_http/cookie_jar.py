"""The cookie jar of a test: cookies of its responses, sent on request."""

# Tested by tests/http/test_cookies.py.

from collections.abc import Iterator, Mapping
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any

from tornado.escape import to_unicode
from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders

if TYPE_CHECKING:
    from http.cookiejar import Cookie, CookieJar

__unittest = True


class Jar:
    """A cookie jar, made for the first cookie, or if the test asks for it.

    The modules of the standard library that it needs take as long to import as the rest of this library.

    :param outer: the jar that records the cookies of responses as well.
    """

    def __init__(self, outer: "Jar | None" = None) -> None:
        #: True if requests send the cookies.
        self.is_sent: bool = outer is not None
        self._outer = outer
        self._jar: CookieJar | None = None

    @property
    def jar(self) -> "CookieJar":
        if self._jar is None:
            from http.cookiejar import CookieJar

            self._jar = CookieJar()
        return self._jar

    def __iter__(self) -> "Iterator[Cookie]":
        """Iterate over the cookies that have not expired."""
        return iter(() if self._jar is None else [cookie for cookie in self._jar if not cookie.is_expired()])

    def record(self, headers: HTTPHeaders, url: str) -> None:
        """Record the cookies that the headers of a response set."""
        # The response may be made by the test, with headers of any class.
        values = headers.get_list("Set-Cookie") if isinstance(headers, HTTPHeaders) else []
        if values and isinstance(url, str) and "://" in url:
            self.jar.extract_cookies(_Reply(values), _make_request(url))  # type: ignore[arg-type]
            if self._outer is not None:
                self._outer.record(headers, url)

    def add_to(self, request: HTTPRequest) -> None:
        """Set the ``Cookie`` header of a request to the cookies for its URL."""
        if self.is_sent:
            wanted = _make_request(request.url)
            self.jar.add_cookie_header(wanted)
            header = wanted.get_header("Cookie")
            request.headers = HTTPHeaders(request.headers)
            request.headers.pop("Cookie", None)
            if header is not None:
                request.headers["Cookie"] = header

    def set(self, name: str, value: object, url: str) -> None:
        """Set a cookie for the host of a URL, as a response would: so a later response can change or delete it.

        Raises ``ValueError`` for a name or value that cannot be sent, and ``TypeError`` for a value of another type.
        """
        self.remove(name)
        self.jar.extract_cookies(_Reply([_set_cookie(name, value)]), _make_request(url))  # type: ignore[arg-type]

    def remove(self, name: str) -> None:
        """Remove all cookies of this name."""
        for cookie in list(self):
            if cookie.name == name:
                self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def for_request(self, arguments: dict[str, Any], url: str) -> "Jar":
        """Take ``cookies`` out of the arguments of a request, and return the jar that counts for it."""
        given = arguments.pop("cookies", None)
        if given is None:
            return self
        check_header(arguments.get("headers"))
        return self.with_cookies(given, url)

    def with_cookies(self, given: object, url: str) -> "Jar":
        """Return a jar for one request, which has these cookies in addition, or instead of cookies of the same names.

        :param given: names with values; None leaves a cookie out.
        :param url: the URL of the request.

        Raises ``TypeError`` for anything else.
        """
        if not isinstance(given, Mapping):
            raise TypeError(
                f"cookies= got {given!r}. Give a mapping of names to values, or the header itself, by headers=."
            )
        jar = Jar(self)
        if self.is_sent:
            for cookie in self:
                jar.jar.set_cookie(cookie)
        for name, value in given.items():
            if value is None:
                jar.remove(name)
            else:
                jar.set(name, value, url)
        return jar


def check_header(headers: Any) -> None:
    """Raise ``TypeError`` for headers with cookies, beside ``cookies=``."""
    if headers and "Cookie" in HTTPHeaders(headers):
        raise TypeError(
            "The request has cookies= and a Cookie header, which is sent as it is. Give all cookies by one of them."
        )


def gives_cookies(request: HTTPRequest) -> bool:
    """Return whether the request has cookies of its own."""
    return any(name.lower() == "cookie" for name in request.headers)


def names_of(request: HTTPRequest) -> tuple[str, ...]:
    """Return the names of the cookies in the header of a request."""
    header = request.headers.get("Cookie", "")
    return tuple(pair.partition("=")[0].strip() for pair in header.split(";") if pair.strip())


def decoded(cookie: "Cookie") -> str:
    """Return the value of a cookie as a request handler gets it, without quotes."""
    value: str = SimpleCookie().value_decode(cookie.value or "")[0]
    return value


def _set_cookie(name: str, value: object) -> str:
    """Return the header that sets a cookie for all paths, quoted as Tornado quotes it."""
    if isinstance(value, Morsel):
        value = value.value
    if isinstance(value, bytes):
        value = to_unicode(value)
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"The cookie {name!r} cannot be {value!r}. Give a text; json.dumps() makes one.")
    cookie: SimpleCookie = SimpleCookie()
    try:
        str(value).encode("latin-1")
        cookie[name] = str(value)
    except (CookieError, UnicodeEncodeError) as error:
        raise ValueError(
            f"No request can send the cookie {name!r} with the value {value!r}: {error}. Encode it, for example by "
            "tornado.escape.url_escape()."
        ) from None
    cookie[name]["path"] = "/"
    return cookie[name].OutputString()


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
