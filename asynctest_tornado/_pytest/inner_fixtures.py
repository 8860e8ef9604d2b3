"""The fixtures that the public fixtures lead to."""

# Tested by tests/pytest/test_plugin.py.

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from asynctest_tornado._pytest import claims

if TYPE_CHECKING:
    import socket

    from asynctest_tornado._pytest.function import Function
    from asynctest_tornado._pytest.scope import Scope
    from asynctest_tornado._pytest.served import Served

__unittest = True
__tracebackhide__ = claims.is_hidden

_T = TypeVar("_T")


class Inner:
    """Their names are this library's alone."""

    @pytest.fixture(name=claims.ROOT)
    def _root(self, request: Any) -> Generator["Function", None, None]:
        item = request.node
        other = claims.other(item) if isinstance(item, pytest.Function) else None
        if other is not None:
            claims.refuse(
                f"{item.name} asks for asynctest_tornado, by a fixture or its marker, and {other} runs it, on an event "
                f"loop of its own. Take the marker or mode of {other} away from the test, or that fixture or marker."
            )
        if claims.is_own_case(item):
            claims.refuse(
                f"{item.name} is a method of an AsyncTestCase, which has a loop, and asks for another one. Use "
                "self.io_loop, and the server and client of AsyncHTTPTestCase, instead of fixtures."
            )
        from asynctest_tornado._pytest.function import Function

        kind = item.stash.get(claims.LOOP_SCOPE, "function")
        scope = None if kind == "function" else request.getfixturevalue(claims.SCOPES[kind])

        def make() -> Function:
            seed = getattr(request, "param", None)
            order = item.stash.get(claims.ORDERED, None)
            function = Function(item, list(claims.markers_of(item)), seed, claims.add_late, scope, order)
            lent = None if function.needs_own_loop else claims.loop_of_user(request)
            item.stash[claims.FUNCTION] = function
            function.open(lent)
            return function

        function = _check_settings(make)
        yield function
        function.finish()

    # pytest wants no fixture of a wide scope that is a method of an instance.
    @pytest.fixture(name=claims.SCOPES["class"], scope="class")
    @staticmethod
    def _class(request: Any) -> Generator["Scope", None, None]:
        yield from _open_scope(request)

    @pytest.fixture(name=claims.SCOPES["module"], scope="module")
    @staticmethod
    def _module(request: Any) -> Generator["Scope", None, None]:
        yield from _open_scope(request)

    @pytest.fixture(name=claims.SCOPES["session"], scope="session")
    @staticmethod
    def _session(request: Any) -> Generator["Scope", None, None]:
        yield from _open_scope(request)

    @pytest.fixture(name=claims.SERVE, scope="session")
    @staticmethod
    def _serve() -> Any:
        from asynctest_tornado._pytest.serve import serve

        return serve

    @pytest.fixture(name=claims.PORTS)
    def _ports(self) -> Generator[Callable[[str], "socket.socket"], None, None]:
        # By the protocol; each is bound when it is first asked for.
        from asynctest_tornado._pytest.served import unused_socket

        sockets: dict[str, socket.socket] = {}

        def get(protocol: str) -> "socket.socket":
            if protocol not in sockets:
                sockets[protocol] = unused_socket()
            return sockets[protocol]

        yield get
        for sock in sockets.values():
            sock.close()

    @pytest.fixture
    def asynctest_tornado_app(self, app: Any) -> Any:
        """The application that the server of this library serves: the fixture ``app``. May be overridden."""
        return app

    @pytest.fixture
    def asynctest_tornado_ssl_options(self, ssl_options: Any) -> Any:
        """The ``ssl_options`` of the HTTPS server of this library: the fixture ``ssl_options``. May be overridden."""
        return ssl_options

    @pytest.fixture
    def _asynctest_tornado_http(
        self, request: Any, _asynctest_tornado: "Function", _asynctest_tornado_ports: Any, asynctest_tornado_app: Any
    ) -> Generator["Served", None, None]:
        from asynctest_tornado._pytest.served import Served

        _use_io_loop(request)
        served = Served(_asynctest_tornado, asynctest_tornado_app, _asynctest_tornado_ports("http"))
        yield served
        served.close()

    @pytest.fixture
    def _asynctest_tornado_https(
        self,
        request: Any,
        _asynctest_tornado: "Function",
        _asynctest_tornado_ports: Any,
        asynctest_tornado_app: Any,
        asynctest_tornado_ssl_options: Any,
    ) -> Generator["Served", None, None]:
        from asynctest_tornado._pytest.served import Served

        _use_io_loop(request)
        sock = _asynctest_tornado_ports("https")
        served = Served(_asynctest_tornado, asynctest_tornado_app, sock, asynctest_tornado_ssl_options)
        yield served
        served.close()


def _check_settings(func: Callable[[], _T]) -> _T:
    """Return the result of a function. Fail the test, without any line of code, if one of its settings is wrong."""
    from asynctest_tornado._pytest.reporter import is_ours

    try:
        return func()
    except (TypeError, ValueError) as error:
        if not is_ours(error):
            raise
        wrong_setting = error  # no line of code says more
    # Not in the block above, or the report would have the message twice.
    return claims.refuse(str(wrong_setting), wrong_setting)


def _open_scope(request: Any) -> Generator["Scope", None, None]:
    from asynctest_tornado._pytest.scope import Scope

    plugin = request.config.pluginmanager.get_plugin(claims.NAME)

    def make() -> Scope:
        markers = list(claims.markers_of(request.node))
        scope = Scope(request.scope, request.node, markers, plugin.current, claims.add_late)
        scope.open(plugin, claims.shared_loop_of_user(request, plugin.current))
        return scope

    scope = _check_settings(make)
    yield scope
    scope.close()


def _use_io_loop(request: Any) -> None:
    """Set up the fixture ``io_loop`` if the user overrides it: in pytest-tornado, the server depends on it."""
    if claims.leads_to_ours(request.node, "io_loop"):
        request.getfixturevalue("io_loop")
