"""The arguments of fetch(): json=, form=, files= and params= as a URL and a body."""

# Tested by tests/http/test_fetch.py.

import json as json_module
import mimetypes
import re
import ssl
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypedDict
from urllib.parse import urlencode

from tornado.escape import utf8
from tornado.httputil import HTTPHeaders, url_concat

from asynctest_tornado._errors import hints
from asynctest_tornado._util import spelling

__unittest = True

Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]
Content = bytes | bytearray | memoryview | str | Path | IO[bytes] | IO[str]
#: The content, or the name of the file and its content, or these and its type.
File = Content | tuple[str, Content] | tuple[str, Content, str]
Files = Mapping[str, File | list[File]] | Iterable[tuple[str, File]]


class Arguments(TypedDict, total=False):
    """The arguments of fetch(): its own, and all of ``tornado.httpclient.HTTPRequest``."""

    json: Any
    form: Pairs | None
    files: Files | None
    params: Pairs | None
    cookies: Mapping[str, Any] | None
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

    Raises ``TypeError`` if these do not go together.
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


#: The arguments of other clients for HTTP, and the ones that fetch() has for them.
_OF_OTHERS = {
    "data": "json= or form=",
    "content": "body=",
    "query": "params=",
    "timeout": "request_timeout=",
    "auth": "auth_username= and auth_password=",
    "allow_redirects": "follow_redirects=",
    "verify": "validate_cert=",
    "cert": "client_cert= and client_key=",
}
_UNKNOWN = re.compile(r"got an unexpected keyword argument '(\w+)'")


def explain(error: TypeError | ValueError, arguments: Mapping[str, Any]) -> bool:
    """Add a hint to the error of a client that does not take the arguments of a request; return whether there is one.

    :param arguments: the ones that the client got.
    """
    text = str(error)
    unknown, body = _UNKNOWN.search(text), arguments.get("body")
    if unknown is not None and unknown[1] in arguments:
        name = unknown[1]
        meant = _OF_OTHERS.get(name) or spelling.meant(name, Arguments.__annotations__)
        hint = "" if meant is None else f" Did you mean {meant.removesuffix('=')}=?"
        hints.add(error, f"fetch() has no argument {name}=.{hint}")
    elif isinstance(error, TypeError) and body is not None and not isinstance(body, (bytes, str)):
        hints.add(error, f"body= got {body!r}, and takes bytes or text. Did you mean json= or form=?")
    elif text.startswith("Body must not be None"):
        hints.add(error, 'Give body="" for an empty body, or json= or form=.')
    else:
        return False
    return True


def _pairs(name: str, fields: Any) -> list[tuple[str, Any]]:
    """Return names with one value each, given values that may be lists. None stands for no value.

    :param name: the name of the argument.

    Raises ``TypeError`` if they are neither a mapping nor pairs.
    """
    pairs = list(fields.items()) if isinstance(fields, Mapping) else fields
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise TypeError(f"fetch() got {name}={fields!r}. Give a mapping, or pairs of a name and a value.")
    found: list[tuple[str, Any]] = []
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(
                f"fetch() got {pair!r} in {name}=, which is no pair of a name and a value. Give a mapping, or "
                "such pairs."
            )
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
    """Return the name of a file, its content and its type. Raises ``TypeError`` if it is no file."""
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
