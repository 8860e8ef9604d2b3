"""One run of a test function of pytest, on the harness.

It is a second thin shell, beside `AsyncTestCase`. It knows pytest by the objects that it is handed, and does not import
it.
"""

# Tested by tests/pytest/test_plugin.py.

import asyncio
import contextvars
import functools
import inspect
import re
import shlex
import socket
import traceback
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from asynctest_tornado._errors import contexts, failure_notes, notes
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._harness.phase import phase
from asynctest_tornado._http import sockets
from asynctest_tornado._http.local_server import LocalServer
from asynctest_tornado._loop import new_loop
from asynctest_tornado._pytest.settings import Settings, seeds
from asynctest_tornado._schedules import settings as orders
from asynctest_tornado._sources.place_in_run import Place, place_of
from asynctest_tornado._tls import own_certificate
from asynctest_tornado._unittest.late_errors import PLUGIN
from asynctest_tornado._util import exceptions, process_end
from asynctest_tornado._util.tracebacks import OURS, owner_of, strip

__unittest = True

add_note = notes.add
text_of = exceptions.text_of
__tracebackhide__ = True

__all__ = ["Function", "Served", "is_ours", "seeds", "ssl_options_of_tests", "unused_socket"]

_MISSING = object()


class Function:
    """One run of a test function, with its fixtures.

    :param item: the test, as pytest knows it.
    :param markers: its markers that are for this library, the closest one first.
    :param seed: of the order to run in, if that is not the one of asyncio.
    :param report_late: called with the test and an error that surfaces after its end; returns whether it will report.

    Raises ``TypeError`` or ``ValueError`` for settings that there are not.
    """

    io_loop: IOLoop

    def __init__(
        self, item: Any, markers: Sequence[Any], seed: int | None, report_late: Callable[[Any, BaseException], bool]
    ) -> None:
        settings = Settings(item, markers)
        schedule = settings.schedule(seed)
        self.limit = settings.limit()
        self.harness = Harness(
            lambda: str(item.nodeid), clock=settings.clock(), leaks=settings.leaks(), schedule=schedule
        )
        self.harness.has_shell = True
        self.harness.closer = "the fixture"
        self._loop_factory, self._place_of_factory = settings.loop_factory()
        self._item = item
        self._chain: contexts.Chain = ()
        self._is_inside = False
        #: Whether the report that pytest makes is that of a subtest.
        self.is_in_subtest = False
        # That the time was over, once a subtest has reported it.
        self._told: BaseException | None = None
        #: What variables have been around the context of the test.
        self._tokens: dict[contextvars.ContextVar[Any], contextvars.Token[Any]] = {}
        trap = self.harness.trap
        trap.is_strict = settings.fails_on_server_error()
        trap.report.hint = None if schedule is None else _hint(schedule.seed, item)

        def place() -> Place | None:
            plugin = item.config.pluginmanager.get_plugin(PLUGIN)
            return None if plugin is None else place_of(plugin, plugin.number, item.nodeid)

        def report(error: BaseException, other: str | None) -> bool:
            if not report_late(item, error):
                process_end.fail_later(f"ERROR: {item.nodeid}\n{''.join(traceback.format_exception(error))}")
            return True

        trap.report_late = report
        trap.place = place
        # The report of the failure is written already.
        self.harness.amend = lambda error, text: item.add_report_section("teardown", "leaks", text)

    @property
    def needs_own_loop(self) -> bool:
        """Whether the settings of the test are for a loop that this library makes."""
        return self._loop_factory is not None or self.harness.clock is not None

    def open(self, lent: object = None) -> None:
        """Make the loop. From now on, all code that pytest runs is that of the test, up to `finish`.

        :param lent: the value of a fixture ``io_loop`` that is the user's. If it is an ``IOLoop``, the test runs on
            that.
        """
        self._chain = contexts.contexts.get()
        if isinstance(lent, IOLoop):
            self.io_loop = self.harness.open(lambda: lent, is_lent=True)
        else:
            self.io_loop = self.harness.open(
                lambda: new_loop.new_ioloop(self._loop_factory, True, self._place_of_factory)
            )
        contexts.contexts.set((self.harness.trap,))

    def call(self, func: Callable[..., Any], waits: bool, **kwargs: Any) -> Any:
        """Call the test itself.

        :param waits: whether what it returns is to be waited for.
        :return: what it returned.

        Raises what it raises, else what is in the trap.
        """
        call = functools.partial(func, **kwargs)

        def call_test() -> Any:
            try:
                return self.run(call) if waits else self._inside(functools.partial(self.harness.context.call, call))
            except BaseException as error:
                if error is not self._told:
                    raise
                self.harness.trap.record_failure(error)
                return None  # pytest itself fails a test for its subtests

        return phase(self.harness.trap, call_test, is_main=True)

    def run(self, func: Callable[[], Any]) -> Any:
        """Run the loop until a coroutine of the test or of a fixture has ended; return its result."""
        if self.harness.is_ending:
            self.harness.trap.hold()
        run = functools.partial(self.harness.waits.run, func, self.limit, shared=True)
        return phase(self.harness.trap, self._inside, run)

    def _inside(self, func: Callable[[], Any]) -> Any:
        """Call a function that runs code in the context of the test.

        That is one context from the first fixture to the last, so that what a fixture sets it can also reset. Around
        it, fixtures that are not asynchronous see the same variables, up to the end of the test.
        """
        if self._is_inside:
            return func()
        context = self.harness.context.variables
        for variable, value in contextvars.copy_context().items():
            if variable is not contexts.contexts and context.get(variable, _MISSING) is not value:
                context.run(variable.set, value)
        self._is_inside = True
        try:
            return func()
        finally:
            self._is_inside = False
            self._bring_back()

    def _bring_back(self) -> None:
        context = self.harness.context.variables
        for variable in [variable for variable in self._tokens if variable not in context]:
            variable.reset(self._tokens.pop(variable))
        for variable, value in context.items():
            if variable is not contexts.contexts and variable.get(_MISSING) is not value:
                self._tokens.setdefault(variable, variable.set(value))

    def set_up(
        self, func: Callable[..., Any], add_finalizer: Callable[[Callable[[], None]], None], **kwargs: Any
    ) -> Any:
        """Run an asynchronous fixture; return its value."""
        if not inspect.isasyncgenfunction(func):
            return self.run(functools.partial(func, **kwargs))
        generator = func(**kwargs)

        async def begin() -> Any:
            try:
                return await generator.__anext__()
            except StopAsyncIteration:
                raise RuntimeError(
                    f"The asynchronous fixture '{generator.__name__}' has ended without a 'yield'. Let each way "
                    "through it yield the value once, None for no value."
                ) from None

        value = self.run(_named(func, begin))
        add_finalizer(functools.partial(self._tear_down, func, generator))
        return value

    def _tear_down(self, func: Callable[..., Any], generator: AsyncGenerator[Any, None]) -> None:
        async def end() -> None:
            try:
                await generator.__anext__()
            except StopAsyncIteration:
                return
            await generator.aclose()
            raise RuntimeError(
                f"The asynchronous fixture {generator.__name__} yields more than once. What comes after its one "  # type: ignore[attr-defined]
                "'yield' cleans up."
            )

        self.run(_named(func, end))

    def error_of_subtest(self, error: BaseException) -> BaseException | None:
        """Return the error that a subtest has to report, in the place of one that has left its block; or None."""
        trap = self.harness.trap
        own: BaseException | None = error
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            is_cancelled = isinstance(error, asyncio.CancelledError)
            if is_cancelled and trap.has_errors:
                own = trap.take()
            elif self._told is None:
                own = self._told = self.harness.waits.error_of_block(error)
            else:
                own = None
            if own is None and not is_cancelled:
                own = error  # the user's
        if own is not None:
            failure_notes.explain(own, trap)
        return own

    def end_report(self, is_made: bool) -> None:
        """Note that pytest has made the report of a subtest, or was kept from that."""
        self.is_in_subtest = False
        if self._told is not None:
            if not is_made:
                self._told = None  # so that the test itself fails of it
            self.harness.waits.go_on_after_report()

    def ends_with_subtest(self, error: BaseException | None, own: BaseException | None) -> bool:
        """Return whether the test ends at the end of a subtest.

        :param error: has left its block.
        :param own: was reported for it.
        """
        return error is not None and own is not error and (own is None or own is self._told)

    def ends_with(self, error: BaseException, is_failure: bool) -> None:
        """Note what pytest makes of an error: one that skips the test is none."""
        trap = self.harness.trap
        if is_failure:
            trap.failure = trap.failure or error
        elif not self.is_in_subtest:
            trap.failure = None

    def begin_closing(self) -> None:
        """Note that connections are closed from now on."""
        self.harness.begin_closing(self._futures())

    def _futures(self) -> Iterable[object]:
        """Return what may keep a future that has failed: the values of the fixtures."""
        return (self._item.funcargs or {}).values()

    def begin_to_end(self) -> None:
        """Keep errors for the verdict from now on: they must not keep fixtures from cleaning up."""
        self.harness.is_ending = True
        self.harness.trap.hold()

    def finish(self) -> None:
        """Close the loop. Raises what nobody has told yet."""
        try:
            self.harness.waits.check_not_closed(self.io_loop)
        except RuntimeError as error:
            self.harness.trap.add(error)
        try:
            self.harness.finish(self._futures())
        except BaseException as error:
            tb = strip(error).__traceback__
            if tb is not None and owner_of(tb.tb_frame) is OURS:
                error.__traceback__ = None  # it was raised by nobody but us, to tell of leaks
            raise
        finally:
            for variable, token in self._tokens.items():
                variable.reset(token)
            contexts.contexts.set(self._chain)
            self.harness.trap.forget_reports()
            self._told = None  # it holds frames

    def serve(self, app: Any, sock: socket.socket, ssl_options: Any = None) -> "Served":
        """Serve an application on a socket, which listens."""
        return Served(self, app, sock, ssl_options)


class Served:
    """An application that is served for a test function.

    :param function: the test.
    :param app: the application.
    :param sock: the socket to serve on. It is closed in the end.
    :param ssl_options: those of the server, if it speaks HTTPS.
    """

    def __init__(self, function: Function, app: Any, sock: socket.socket, ssl_options: Any) -> None:
        self._function = function
        self._server = LocalServer(sock, function.harness.waits.snapshot, is_https=ssl_options is not None)
        app = self._server.servable(app, "The result of the fixture app")
        self.http_server = self._server.start(lambda: HTTPServer(app, ssl_options=ssl_options), is_private=True)

    def make_client(self) -> AsyncHTTPClient:
        """Return a client that verifies the certificate of the server."""
        client = self._server.make_client()
        self._function.harness.waits.clients.append(client)
        return client

    def close(self) -> None:
        """Close the server and its connections."""
        self._function.harness.look_for_requests()
        try:
            self._function.run(functools.partial(self._server.close, self._function.begin_closing))
        finally:
            self._function.harness.trap.closing.have_cut_off()


def is_ours(error: BaseException) -> bool:
    """Return whether an error was raised by this library, without a call of code of the user."""
    return all(owner_of(frame) is OURS for frame, _ in traceback.walk_tb(error.__traceback__))


def unused_socket() -> socket.socket:
    """Return a socket that listens on a port of 127.0.0.1 that nobody uses."""
    return sockets.bind_unused_port()[0]


def ssl_options_of_tests() -> dict[str, Any]:
    """Return ``ssl_options`` for a server with the test certificate."""
    return own_certificate.server_options()


def _named(fixture: Callable[..., Any], part: Callable[[], Any]) -> Callable[[], Any]:
    """Let reports call a part of a fixture by the name of that."""
    return functools.update_wrapper(part, fixture, ("__name__", "__qualname__"), ())


def _hint(seed: int, item: Any) -> str:
    # By the variable there is one order, which is not part of the name.
    name = re.sub(rf"(?<=\[)seed{seed}(-|(?=\]))|-seed{seed}(?=[-\]])", "", item.nodeid, count=1).removesuffix("[]")
    return orders.hint(seed, f"-m pytest {shlex.quote(name)}")
