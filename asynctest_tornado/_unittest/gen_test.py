"""gen_test and setup_with_context_manager."""

import contextlib
import functools
import unittest
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from tornado.ioloop import IOLoop

from asynctest_tornado._harness import yieldables
from asynctest_tornado._timeouts import limits
from asynctest_tornado._unittest.case import AsyncTestCase
from asynctest_tornado._unittest.case_run import harness_of
from asynctest_tornado._unittest.returned import Begun, Other
from asynctest_tornado._util import names
from asynctest_tornado._util.settings import TIMEOUT

__unittest = True

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Decorator(Protocol):
    @overload
    def __call__(self, func: Callable[_P, Begun[_T]], /) -> Callable[_P, _T]: ...
    @overload
    def __call__(self, func: Callable[_P, Other], /) -> Callable[_P, Any]: ...


@overload
def gen_test(func: None = None, timeout: float | None = None) -> _Decorator: ...
@overload
def gen_test(func: Callable[_P, Begun[_T]], timeout: float | None = None) -> Callable[_P, _T]: ...
@overload
def gen_test(func: Callable[_P, Other], timeout: float | None = None) -> Callable[_P, Any]: ...
def gen_test(func: Callable[..., Any] | None = None, timeout: float | None = None) -> Any:
    """Make a test method of a coroutine: a generator, as for ``tornado.gen.coroutine``, or an ``async def``.

    ::

        class MyTest(AsyncHTTPTestCase):
            @gen_test
            def test_something(self):
                response = yield self.http_client.fetch(self.get_url("/"))

            @gen_test(timeout=10)
            async def test_something_slow(self):
                response = await self.http_client.fetch(self.get_url("/"))

    The decorated method runs the loop until the coroutine has ended, an error was trapped, or the time is over. It
    hands arguments on.

    :param timeout: how long the coroutine may take, in seconds, 0 for no limit. The default is the class attribute
        ``async_test_timeout``, else the environment variable ``ASYNC_TEST_TIMEOUT``, else 5; looked up when the test
        runs.

    Like the original, it also works for methods of any other object that has a loop of its own as ``self.io_loop``;
    errors of callbacks and tasks are then trapped only if that is the loop of an `AsyncTestCase`.

    Raises ``TypeError`` if the function is not callable. The decorated method raises the error of the coroutine, else
    of a callback or task, or ``TimeoutError``; and ``TypeError`` if ``self`` has no loop.

    From ``tornado.testing``, which looks the environment variable up when it decorates. New in version 0.1.
    """
    if timeout is not None:
        TIMEOUT.read(timeout, "the argument timeout of gen_test")
    if func is None:
        return functools.partial(gen_test, timeout=timeout)
    if not callable(func):
        raise TypeError(
            f"gen_test cannot decorate {func!r}, which is not callable. Write @gen_test, or @gen_test(timeout=10), "
            "above a test method."
        )

    if getattr(func, "__code__", None) is _RUN_TEST:
        # Decorated twice, for example by a class decorator as well: two of them would run the loop inside the loop.
        if timeout is None:
            return func
        func = vars(func)["__wrapped__"]
    return functools.wraps(func)(_decorated(func, timeout))


def _decorated(func: Callable[..., Any], timeout: float | None) -> Callable[..., Any]:
    # `self` may be given by keyword: hypothesis does so.
    def run_test(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = functools.partial(func, self, *args, **kwargs)
        if isinstance(self, AsyncTestCase):
            return harness_of(self).waits.run(call, limits.limit(timeout, self.async_test_timeout))
        io_loop = getattr(self, "io_loop", None)
        if not isinstance(io_loop, IOLoop):
            raise TypeError(
                f"gen_test runs {names.name_of(func)} on the event loop of an AsyncTestCase, and this is none: "
                f"{self!r}. Derive its class from asynctest_tornado.AsyncTestCase."
            )
        limit = limits.limit(timeout, getattr(self, "async_test_timeout", None))
        # 0 is no limit here, and no time at all for Tornado.
        return io_loop.run_sync(functools.partial(_begin, call), limit.seconds or None)

    return run_test


def _begin(call: Callable[[], Any]) -> Any:
    coro: Any = yieldables.run(call)
    coro.__qualname__ = names.name_of_job(call)
    return coro


_RUN_TEST = _decorated(print, None).__code__


# Test runners that look for functions called *test* would take it for one.
gen_test.__test__ = False  # type: ignore[attr-defined]


def setup_with_context_manager(testcase: unittest.TestCase, cm: contextlib.AbstractContextManager[_T]) -> _T:
    """Enter a context manager in ``setUp``; it is left after ``tearDown``.

    ::

        def setUp(self):
            super().setUp()
            setup_with_context_manager(self, warnings.catch_warnings())

    :return: the value that the context manager gives to ``as``.

    From ``tornado.testing``; unittest has it as ``enterContext`` since Python 3.11. New in version 0.1.
    """
    return testcase.enterContext(cm)
