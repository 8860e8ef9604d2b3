"""The cookies of a test as a mapping; signed cookies."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from tornado.web import create_signed_value

from asynctest_tornado._http.cookie_jar import Jar, decoded

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

__unittest = True


class Cookies(MutableMapping[str, str]):
    """The names and values of the cookies that responses have set. To change them lets requests send them.

    :param jar: the cookies.
    :param get_base: returns the URL of the server, for whose host cookies are set.
    """

    def __init__(self, jar: Jar, get_base: Callable[[], str]) -> None:
        self._cookies = jar
        self._get_base = get_base

    @property
    def jar(self) -> "CookieJar":
        """The cookies with their domains, paths and so on, as a jar of the standard library."""
        return self._cookies.jar

    def __getitem__(self, name: str) -> str:
        found = [cookie for cookie in self._cookies if cookie.name == name]
        if not found:
            raise KeyError(name)
        if len(found) > 1:
            places = " and ".join(f"{cookie.path} on {cookie.domain}" for cookie in found)
            raise ValueError(f"There are {len(found)} cookies {name!r}, for {places}: read them in cookies.jar.")
        return decoded(found[0])

    def __setitem__(self, name: str, value: str | bytes) -> None:
        self._cookies.set(name, value, self._get_base())
        self._cookies.is_sent = True

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._cookies.remove(name)
        self._cookies.is_sent = True

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self._cookies))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        return any(cookie.name == name for cookie in self._cookies)

    def clear(self) -> None:
        self._cookies.jar.clear()
        self._cookies.is_sent = True

    def __repr__(self) -> str:
        inner = ", ".join(f"{cookie.name!r}: {decoded(cookie)!r}" for cookie in self._cookies)
        return f"{{{inner}}}"


def signed(app: Any, name: str, value: str | bytes, version: int | None) -> bytes:
    """Return the value of a signed cookie, as request handlers of an application sign it.

    Raises ``TypeError`` for a value that is no text, and ``RuntimeError`` if the application has no key to sign with.
    """
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"sign_in() got the value {value!r}. Give a text; json.dumps() makes one.")
    settings = getattr(app, "settings", None)
    if not isinstance(settings, dict):
        raise RuntimeError(
            f"sign_in() needs the cookie_secret of a tornado.web.Application, and the test serves {app!r}. Make the "
            "value by tornado.web.create_signed_value(), and set it by cookies[name] = value."
        )
    secret, key_version = settings.get("cookie_secret"), None
    if not secret:
        raise RuntimeError(
            "sign_in() signs the cookie with the cookie_secret of the application, which has none. Give it one, as in "
            "Application(handlers, cookie_secret='for tests')."
        )
    if isinstance(secret, dict):
        key_version = settings.get("key_version")
        if key_version not in secret:
            raise RuntimeError(
                f"The cookie_secret of the application has the keys {sorted(secret)}, and its key_version, which says "
                f"which of them signs, is {key_version!r}. Set key_version to one of them."
            )
    return create_signed_value(secret, name, value, version=version, key_version=key_version)
