"""Stands in for two methods of the test's `IOLoop`: ``run_sync`` and ``close``."""

# Tested by tests/loop/test_closed_loop.py.

import math
from collections.abc import Callable
from sys import _getframe  # a test may replace it
from typing import Any

from tornado import gen
from tornado.ioloop import IOLoop

from asynctest_tornado._errors import hints
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import OPEN, Harness
from asynctest_tornado._harness.limit import Limit
from asynctest_tornado._util import names

__unittest = True


class _Methods(IOLoop):
    """The methods that the loop of a test has before its own."""

    asyncio_loop: Any

    def run_sync(self, func: Callable[[], Any], timeout: float | None = None) -> Any:
        """Run the loop until the result is there. This also ends at an error, and shows the line where it stood."""
        harness = _harness_of(self)
        if harness is None:
            return super().run_sync(func, timeout)
        if not callable(func):
            is_of_case = LOOP_METHODS not in harness.options
            raise hints.called_already(func, is_of_case, _getframe(1), harness.loop.loop.is_running())

        def call() -> Any:
            result = func()
            return None if result is None else gen.convert_yielded(result)

        call.__qualname__ = names.name_of(func)
        return harness.waits.run(call, Limit(math.inf if timeout is None else timeout, "the argument timeout"))

    def close(self, all_fds: bool = False) -> None:
        """Close the loop; the error of the next wait says so. Or refuse that."""
        harness = _harness_of(self)
        if harness is not None and (harness.loop.is_own or harness.loop.is_lent):  # else the loop is the user's
            # Tornado would drop its files before asyncio refuses to close a running loop.
            if harness.loop.is_lent or harness.loop.loop.is_running():
                raise RuntimeError(_describe_close(harness))
            frame = _getframe(1)
            place = names.line_at(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, frame.f_globals)
            harness.loop.why_closed = _describe_close(harness, f" ({place})")
        super().close(all_fds)


def _harness_of(io_loop: _Methods) -> Harness | None:
    """Return the harness that uses a loop, if it is open."""
    use = getattr(io_loop.asyncio_loop, "_asynctest", None)  # None before its test, and after
    harness: Harness | None = None if use is None else use.trap.data.get(LOOP_METHODS)
    return harness if harness is not None and harness.state is OPEN else None


class LoopMethods(Feature):
    """The methods of the loop of Tornado that a test may call, and that end a wait or a test.

    The option is the moment when the loop is closed, for messages, if no ``tearDown`` closes it.
    """

    io_loop_class = _Methods

    def opened(self, harness: Harness) -> None:
        harness.trap.data[self] = harness


def _describe_close(harness: Harness, place: str = "") -> str:
    closed_at = harness.options.get(LOOP_METHODS)
    if closed_at is not None:
        which = f"its loop, which is closed for it at {closed_at}"
    elif harness.loop.is_lent:
        which = "the loop of its class, which tearDownClass() does"
    else:
        which = "the loop, which tearDown() does"
    return f"{harness.describe()} closes {which}{place}. Take io_loop.close() away."


def check_not_closed(harness: Harness, io_loop: IOLoop | None) -> None:
    """Raise ``RuntimeError`` if the test has closed its loop by Tornado's method, and no error has said so.

    ``tornado.testing`` cannot close it once more, and fails with a ``KeyError``.

    :param io_loop: the attribute of the test, which may be another loop by now.
    """
    loop = harness.loop
    if loop.why_closed is not None and io_loop is loop.io_loop:
        message, loop.why_closed = loop.why_closed, None
        raise RuntimeError(message)


LOOP_METHODS = LoopMethods()
