"""settle() and eventually() of a test case."""

# Tested by tests/leaks/test_settle.py.

import unittest
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from asynctest_tornado._leaks import settle
from asynctest_tornado._timeouts import eventually
from asynctest_tornado._unittest.case_run import harness_of

__unittest = True

_T = TypeVar("_T")


class Settling(unittest.TestCase):
    """The methods of AsyncTestCase that wait for a state of the test, and not for a coroutine or callback."""

    async def settle(self, timeout: float | None = None) -> None:
        """Wait until all that the test has set off has ended: until nothing of it can go on any more.

        ::

            async def test_order(self):
                await self.fetch("/orders", method="POST", json={})  # the handler spawns a callback that sends mail
                await self.settle()
                self.assertEqual(len(self.outbox), 1)

        In synchronous code, it is ``self.run_sync(self.settle)``. It waits for

        - callbacks, tasks and coroutines, request handlers included;
        - timers, sleeps and time limits that are due within the time limit. Later ones are left aside. With a
          `VirtualClock`, time jumps to all of them, unless it stands still;
        - jobs in executors, threads that are no daemons, and subprocesses that a coroutine or callback waits for. On
          Linux, threads that wait for a job, such as the ones of aiosqlite, are idle, and not waited for.

        It does not wait for things that may go on for ever: the next tick of a ``PeriodicCallback`` (a coroutine that a
        tick has begun is waited for), servers, open websockets, connections that are kept alive, and tasks that wait
        for a queue, an event, a lock, or another end within the test, once nothing is left that could resume them.
        Leaks that ``allowed_leaks`` names are left aside, too. A response that is streamed for ever, or a task that
        sleeps again and again, is waited for until the time is over: end it, or name it in ``allowed_leaks``.

        :param timeout: how long that may take, in seconds of real time, 0 for no limit. By default, it takes as long as
            the test, or the call of ``run_sync``, that it is a part of.

        Raises ``TimeoutError`` when the time is over: it names the work that still goes on. An error in a callback or
        task ends it at once, and fails the test.

        On loops that do not say when they sleep, such as uvloop's, it does not see callbacks and timers, and tasks that
        wait for a future count.

        New in version 0.1.
        """
        await settle.settle(harness_of(self), timeout)

    @overload
    async def eventually(
        self, condition: Callable[[], Awaitable[_T]], timeout: float | None = None, message: str | None = None
    ) -> _T: ...
    @overload
    async def eventually(
        self, condition: Callable[[], _T], timeout: float | None = None, message: str | None = None
    ) -> _T: ...
    async def eventually(
        self, condition: Callable[[], Any], timeout: float | None = None, message: str | None = None
    ) -> Any:
        """Wait until a condition holds, and return its value.

        ::

            async def test_chat(self):
                await self.ws.send("hello")
                await self.eventually(lambda: len(self.room.messages) == 1)

        In synchronous code, it is ``self.run_sync(self.eventually, lambda: ...)``. The condition is called at once,
        then whenever the loop has nothing to do, and every 0.02 seconds meanwhile. With a `VirtualClock`, time jumps
        from timer to timer.

        :param condition: a function, a coroutine function as well. It holds if it returns a true value. One without a
            ``return`` of a value has to make assertions, and holds if they succeed: by ``assert``, by functions whose
            names begin with "assert", or by helpers of yours that do so. As long as it raises an ``AssertionError``,
            ``KeyError`` or ``IndexError``, it does not hold yet; each other error is raised at once.
        :param timeout: how long that may take, in seconds of real time, 0 for no limit. By default, it takes as long as
            the test, or the call of ``run_sync``, that it is a part of.
        :param message: begins the message of the failure.

        Raises ``failureException`` when the time is over: it shows the condition and its last value or exception;
        ``TypeError`` if the condition is no function, or returns nothing and has no assertion.

        New in version 0.1.
        """
        failure = self.failureException
        return await eventually.eventually(harness_of(self), condition, timeout, message, failure=failure)


for _method in (Settling.settle, Settling.eventually):
    _method.__qualname__ = f"AsyncTestCase.{_method.__name__}"  # for reports, for example of a missing "await"
