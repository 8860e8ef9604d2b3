"""Requests as tests like to write them, and the cookies between them."""

import copy
import functools
import io
import json as json_module
import mimetypes
import ssl
import uuid
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlencode, urljoin, urlsplit

from tornado.escape import utf8
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders, url_concat

from asynctest_tornado._http.cookies import Cookies, gives_cookies

__unittest = True

Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]
Content = bytes | bytearray | memoryview | str | Path | IO[bytes] | IO[str]
#: The content, or the name of the file and its content, or these and its type.
File = Content | tuple[str, Content] | tuple[str, Content, str]
Files = Mapping[str, File | list[File]] | Iterable[tuple[str, File]]

if TYPE_CHECKING:

    class Response(HTTPResponse):
        """A response as `AsyncHTTPTestCase.fetch` returns it: Tornado's own, with one method more."""

        def json(self) -> Any:
            """Return the body, decoded. Raises ``ValueError`` for what is no JSON."""

    class Fetched(Response):
        """What `AsyncHTTPTestCase.fetch` returns: the response, and in a coroutine something to await."""

        def __await__(self) -> Generator[Any, Any, Response]:
            raise NotImplementedError
else:
    Response = Fetched = HTTPResponse


class Arguments(TypedDict, total=False):
    """What fetch() takes: its own arguments, and those of ``tornado.httpclient.HTTPRequest``."""

    json: Any
    form: Pairs | None
    files: Files | None
    params: Pairs | None
    method: str
    headers: Mapping[str, str] | None
    body: bytes | str | None
    auth_username: str | None
    auth_password: str | None
    auth_mode: str | None
    connect_timeout: float | None
    request_timeout: float | None
    if_modified_since: float | datetime | None
    follow_redirects: bool | None
    max_redirects: int | None
    user_agent: str | None
    use_gzip: bool | None
    network_interface: str | None
    streaming_callback: Callable[[bytes], Any] | None
    header_callback: Callable[[str], None] | None
    prepare_curl_callback: Callable[[Any], None] | None
    proxy_host: str | None
    proxy_port: int | None
    proxy_username: str | None
    proxy_password: str | None
    proxy_auth_mode: str | None
    allow_nonstandard_methods: bool | None
    validate_cert: bool | None
    ca_certs: str | None
    allow_ipv6: bool | None
    client_key: str | None
    client_cert: str | None
    body_producer: Callable[[Callable[[bytes], None]], Any] | None
    expect_100_continue: bool
    decompress_response: bool | None
    ssl_options: dict[str, Any] | ssl.SSLContext | None


def plain(
    url: str,
    json: Any = None,
    form: Pairs | None = None,
    files: Files | None = None,
    params: Pairs | None = None,
    **kwargs: Any,
) -> tuple[str, dict[str, Any]]:
    """Return a URL, and arguments that Tornado knows, given the `Arguments`.

    Raises ``TypeError`` where these do not go together.
    """
    has_extras = not (json is None and form is None and files is None and params is None)
    if not has_extras and "body_producer" not in kwargs:
        return url, kwargs  # most requests
    form_name = "files" if form is None else "form"
    bodies = {"json": json, form_name: files if form is None else form}
    bodies |= {name: kwargs.get(name) for name in ("body", "body_producer")}
    given = [f"{name}=" for name, value in bodies.items() if value is not None]
    if len(given) > 1:
        raise TypeError(
            f"fetch() got {' and '.join(given)}: each is the body of the request, which has one. Give one of them; "
            "form= and files= go together."
        )
    if params is not None:
        url = url_concat(url, _texts("params", params))
    if json is not None or form is not None or files is not None:
        kwargs["body"], content_type = _encode(json, form, files)
        kwargs.setdefault("method", "POST")
        kwargs["headers"] = HTTPHeaders(kwargs.get("headers") or {})
        kwargs["headers"].setdefault("Content-Type", content_type)
    return url, kwargs


def _pairs(name: str, fields: Any) -> list[tuple[str, Any]]:
    """Return names with one value each, given values that may be lists. None stands for no value.

    :param name: that of the argument.

    Raises ``TypeError`` for what is neither a mapping nor pairs.
    """
    pairs = list(fields.items()) if isinstance(fields, Mapping) else fields
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise TypeError(f"fetch() got {name}={fields!r}. Give a mapping, or pairs of a name and a value.")
    found: list[tuple[str, Any]] = []
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"fetch() got {pair!r} in {name}=, which is no pair of a name and a value.")
        key, value = pair
        # Of files, a tuple is one.
        values = value if isinstance(value, list) or (name != "files" and isinstance(value, tuple)) else [value]
        found += [(key, each) for each in values if each is not None or name == "files"]
    return found


def _texts(name: str, fields: Any) -> list[tuple[str, Any]]:
    """Return such pairs, whose values are text or bytes."""
    return [(key, each if isinstance(each, (str, bytes)) else str(each)) for key, each in _pairs(name, fields)]


def _encode(json: Any, form: Pairs | None, files: Files | None) -> tuple[bytes, str]:
    """Return a body, and its type."""
    if json is not None:
        return json_module.dumps(json).encode(), "application/json"
    if not files:
        return urlencode(_texts("form", form or {})).encode(), "application/x-www-form-urlencoded"
    boundary = uuid.uuid4().hex
    parts = [_part(boundary, f'name="{_quote(name)}"', "", utf8(value)) for name, value in _texts("form", form or {})]
    for field, file in _pairs("files", files):
        filename, content, content_type = _read(field, file)
        disposition = f'name="{_quote(field)}"; filename="{_quote(filename)}"'
        parts.append(_part(boundary, disposition, f"Content-Type: {content_type}\r\n", content))
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, more: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n"
    return head.encode() + content + b"\r\n"


def _quote(name: str) -> str:
    """Write a name as browsers do (https://html.spec.whatwg.org/#multipart-form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _read(field: str, file: Any) -> tuple[str, bytes, str]:
    """Return the name of a file, its content and its type. Raises ``TypeError`` for what is no file."""
    filename, content, content_type = None, file, None
    if isinstance(file, tuple) and 2 <= len(file) <= 3:
        filename, content, content_type = (*file, None)[:3]
        if not isinstance(filename, str) or not isinstance(content_type, (str, type(None))):
            raise _no_file(field, file)
    if isinstance(content, Path):
        filename, content = filename or content.name, content.read_bytes()
    elif callable(getattr(content, "read", None)):
        filename, content = filename or Path(str(getattr(content, "name", field))).name, content.read()
    if not isinstance(content, (bytes, bytearray, memoryview, str)):
        raise _no_file(field, file)
    filename = filename or field
    content = content.encode() if isinstance(content, str) else bytes(content)
    return filename, content, content_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _no_file(field: str, file: object) -> TypeError:
    return TypeError(
        f"fetch() got no content for the file {field!r}: {file!r}. Give bytes, text, a Path or an open file, or "
        "a tuple of a name, the content, and maybe the type; or a list of these."
    )


async def fetch(
    client: AsyncHTTPClient, url: str, cookies: Cookies, raise_error: bool, arguments: Arguments
) -> Response:
    """Fetch a URL. Raises what the client raises.

    The client may be of any make. As long as there are no cookies, it gets what it would get from ``tornado.testing``.
    """
    url, kwargs = plain(url, **arguments)
    try:
        if cookies.are_sent:
            response = await _fetch_with_cookies(client, HTTPRequest(url, **kwargs), cookies, raise_error)
        else:
            response = await client.fetch(url, raise_error=raise_error, **kwargs)
            if _is_response(response):
                cookies.keep(response.headers, response.effective_url)
    except HTTPClientError as error:
        if error.response is not None and _is_response(error.response):
            cookies.keep(error.response.headers, error.response.effective_url)
            _add_json(error.response)
            body = error.response.buffer.getvalue() if isinstance(error.response.buffer, io.BytesIO) else b""
            error.add_note(f"That is the answer to {_request_of(error.response)}. It begins with {body[:200]!r}.")
        raise
    if _is_response(response):
        _add_json(response)
    return response  # type: ignore[return-value]


def _is_response(response: object) -> bool:
    """Return whether this is a response of Tornado's, and no mock of one. Its parts may be of any kind even so."""
    return issubclass(type(response), HTTPResponse)


def _request_of(response: HTTPResponse) -> str:
    return f"{getattr(response.request, 'method', 'GET')} {response.effective_url}"


def _add_json(response: HTTPResponse) -> None:
    if not hasattr(type(response), "json"):  # else the client has a method of its own
        what = _request_of(response)
        vars(response)["json"] = functools.partial(_decode, what, response.code, response.headers, response.buffer)


async def _fetch_with_cookies(
    client: AsyncHTTPClient, request: HTTPRequest, cookies: Cookies, raise_error: bool
) -> HTTPResponse:
    """Fetch, and follow redirects as Tornado's client does, with the cookies that are set on the way."""
    is_followed, left = _redirects(client, request)
    given = request.follow_redirects
    if is_followed:
        request.follow_redirects = False
    has_own_cookies = gives_cookies(request)
    hop = request
    while True:
        if not has_own_cookies:
            cookies.add_to(hop)
        response = await client.fetch(hop, raise_error=False)
        cookies.keep(response.headers, hop.url)
        location = response.headers.get("Location")
        if not (left > 0 and location and response.code in (301, 302, 303, 307, 308)):
            break
        left -= 1
        hop = _redirected(request, hop, response.code, location)
        response.error = None  # which refers to the response
    request.follow_redirects = given
    response.request = request
    if raise_error:
        response.rethrow()
    return response


def _redirects(client: AsyncHTTPClient, request: HTTPRequest) -> tuple[bool, int]:
    """Return whether redirects are to be followed here, and how many."""
    if request.streaming_callback is not None or request.header_callback is not None:
        return False, 0  # these would see what comes before a redirect
    defaults = getattr(client, "defaults", {})
    follow, most = (
        defaults.get(name, default) if (given := getattr(request, name)) is None else given
        for name, default in (("follow_redirects", True), ("max_redirects", 5))
    )
    return bool(follow), most if follow else 0


def _redirected(request: HTTPRequest, hop: HTTPRequest, code: int, location: str) -> HTTPRequest:
    """Return the next request, after an answer to this hop that sends the client elsewhere."""
    following = copy.copy(hop)
    following.url = urljoin(hop.url, location)
    following.headers = HTTPHeaders(hop.headers)
    unwanted = ["Host"]
    old, new = urlsplit(request.url), urlsplit(following.url)
    if (old.scheme, old.netloc) != (new.scheme, new.netloc):
        # What the test has given for one server is not for another one.
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


def _decode(what: str, code: int, headers: HTTPHeaders, buffer: Any) -> Any:
    body = b"" if buffer is None else buffer.getvalue()
    try:
        return json_module.loads(body)
    except ValueError as error:
        raise ValueError(
            f"The answer to {what} is no JSON: {error}. It has the status {code}, the type "
            f"{headers.get('Content-Type')!r}, and begins with {body[:60]!r}."
        ) from None
