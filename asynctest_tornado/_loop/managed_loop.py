"""Makes the event loop of a test current, asks it, closes it."""

import asyncio
import gc
from collections.abc import Callable, Iterable
from typing import Any

from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOMainLoop
from tornado.process import Subprocess

from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._loop.error_routing import Use
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util.real_time import all_tasks

__unittest = True


def _loops() -> set[asyncio.AbstractEventLoop]:
    """Return the loops of asyncio that Tornado uses; all loops that exist, if Tornado does not say."""
    known = getattr(IOLoop, "_ioloop_for_asyncio", None)
    if known is not None:
        return set(known)
    return {thing for thing in gc.get_objects() if issubclass(type(thing), asyncio.AbstractEventLoop)}


class LoopOfTest:
    """A Tornado loop in the hands of a test: current, and watched.

    :param make: returns the loop. It is the test's own, and closed in the end, unless it was there before.
    :param trap: gets the errors.
    :param is_lent: true if other code uses the loop as well: the test ends nothing but its own tasks and timers.
    """

    def __init__(self, make: Callable[[], IOLoop], trap: Trap, is_lent: bool = False) -> None:
        self.is_lent = is_lent
        self.trap = trap
        #: The error of the next wait if the test has closed the loop, or None.
        self.why_closed: str | None = None
        before = _loops()
        try:
            self.io_loop = make()
        except BaseException:
            for loop in _loops() - before:
                getattr(IOLoop, "_ioloop_for_asyncio", {}).get(loop, loop).close()
            raise
        self.loop: WatchedLoop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        self.is_own = self.loop not in before and not isinstance(self.io_loop, AsyncIOMainLoop)
        hooks = trap.features
        self._classes = cls, io_loop_class = type(self.loop), type(self.io_loop)
        if (composed := hooks.loop_classes[cls]) is not cls:
            self.loop.__class__ = composed
        if (composed := hooks.io_loop_classes[io_loop_class]) is not io_loop_class:
            self.io_loop.__class__ = composed
        self.loop._asynctest = Use(trap, self.is_own, getattr(self.loop, "_asynctest", None))
        #: The selector of the loop, if a feature has given it an alarm and the hook before sleep; else None.
        self.selector: Any = None
        asyncio.set_event_loop(self.loop)

    def before_sleep(self, timeout: float | None) -> float | None:
        """Return the seconds that the loop may sleep, given the seconds that it would sleep; None for no limit."""
        for feature in self.trap.features.before_sleep:
            if timeout != 0:
                timeout = feature.before_sleep(self, timeout)
        return timeout

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Callable[[], object]:
        """Call a function once, in real time if the loop can. The next call replaces this one.

        :return: a function that calls it off.
        """
        if self.selector is None:
            return self.loop.call_later(seconds, callback).cancel
        cancel: Callable[[], object] = self.selector.call_later(seconds, callback)
        return cancel

    def report_lost_errors(
        self, futures: Iterable[object] = (), wanted: Callable[[BaseException], bool] = lambda error: True
    ) -> None:
        """Report the errors of failed futures that no code has looked at, as the finalizers of these would do later.

        :param futures: objects to look through besides the recorded futures.
        :param wanted: returns false for errors to leave out.
        """
        recorded = self.loop._asynctest.futures
        if not (futures or recorded):  # mostly
            return
        for future, error in recorded.lost(futures):
            if wanted(error):
                future.exception()
                kind = "task" if isinstance(future, asyncio.Task) else "future"
                message = f"{kind.capitalize()} exception was never retrieved"
                self.loop.call_exception_handler({"message": message, "exception": error, kind: future})

    def all_tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done."""
        return list(all_tasks(self.loop))

    def pending_tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done, and that the test has to end."""
        own = [future for future in self.own_futures() if isinstance(future, asyncio.Task)]
        if not self.is_lent:
            # In the order in which they were made, as far as it is known.
            known = set(map(id, own))
            own += [task for task in self.all_tasks() if id(task) not in known]
        return own

    def own_futures(self) -> list[asyncio.Future[Any]]:
        """Return the pending futures that the test has made."""
        return [
            future
            for future, chain in self.loop._asynctest.futures.known()
            if not future.done() and (not self.is_lent or chain[:1] == (self.trap,))
        ]

    def may_have_pending_tasks(self) -> bool:
        """Return whether there may be pending tasks, at little cost: asyncio would go through the tasks of all loops.

        Tasks that bypass the loop's ``create_task`` do not count.
        """
        if not (self.is_own or self.is_lent):
            return True
        return bool(self.loop._asynctest.futures) and bool(self.own_futures())

    def is_tidy(self) -> bool:
        """Return whether no call is ready, and no asynchronous generator is open. False if the loop does not say."""
        return not (getattr(self.loop, "_ready", True) or getattr(self.loop, "_asyncgens", True))

    def close(self) -> None:
        """Close the loop and its files, or restore a loop that was there before."""
        if not self.is_lent:
            # The handler of child processes belongs to a loop; the next test has another one.
            Subprocess.uninitialize()
            asyncio.set_event_loop(None)
        if self.is_own and not self.loop.is_closed():
            self.io_loop.close(all_fds=True)
        if not self.is_own:
            self._restore()

    def _restore(self) -> None:
        loop: Any = self.loop
        outer = loop._asynctest.outer
        if outer is None:
            del loop._asynctest
        else:
            loop._asynctest = outer
        for each, cls in zip((loop, self.io_loop), self._classes, strict=True):
            if type(each) is not cls:
                each.__class__ = cls
