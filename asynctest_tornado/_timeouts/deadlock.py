"""Detects deadlocks: whether anything can still wake the loop.

A loop that nothing can wake would sleep for ever. `Deadlock` looks before a loop sleeps without a timer. It can be
woken by

- a timer, except on a virtual clock: that has passed time up to the next timer, or stands still;
- a file: a connection, a pipe, the socket of a server;
- another thread, also one that Python does not know, but not the thread of an executor that sleeps until it gets a job;
- the end of a child process, a signal that has a handler, an alarm.

A file can wake the loop at any time, so the loop sleeps until it does. The others but timers can go away and not wake
it, so it looks again every 0.1 seconds. If none of them is there, nothing can happen any more: the wait is over, and
reports a deadlock at once instead of at the end of its time limit.

There must be no false alarm: it would make a truthful test fail. A deadlock that is not detected only costs time. Hence
each doubt counts as a waker: for example, a loop whose selector is of another class, or which lacks a private name of
asyncio, and a connection whose other end may send something.

A test's own servers are an exception: see `private_servers`. Timers of Tornado's HTTP client and server (for example, a
request that times out after 20 seconds) do not count if the test's own time limit ends before.
"""

import signal
from typing import Any

from asynctest_tornado._harness.deadline import Deadline
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._loop.child_processes import has_children
from asynctest_tornado._loop.managed_loop import LoopOfTest
from asynctest_tornado._loop.selector import Selector
from asynctest_tornado._timeouts import blocked_code, other_threads, private_servers, watchdog
from asynctest_tornado._timeouts.quiet import has_virtual_time
from asynctest_tornado._timeouts.report_sections import timers_of_test
from asynctest_tornado._util import names
from asynctest_tornado._util.real_time import (
    active_count,
    get_signal_handler,
    get_timer,
    listdir,
    valid_signals,
)

__unittest = True

#: Seconds after which a loop looks again whether something could still wake it.
RECHECK_SECONDS = 0.1


class Deadlock(Feature):
    """Deadlocks of tests: a wait that nothing can end is ended at once."""

    def before_sleep(self, loop: LoopOfTest, timeout: float | None) -> float | None:
        selector: Selector = loop.selector
        if timeout is not None and (not selector.watchers or timeout <= selector.rest()):
            return timeout
        # A virtual clock has passed time up to the next timer, or stands still: then, no timer counts.
        seconds = None
        if timeout is None or all(map(_is_of_connection, _timers(loop))):
            seconds = _seconds_without_timers(loop, selector)
        if timeout is None or seconds is None:
            return timeout if seconds is None else seconds
        return min(timeout, seconds)


DEADLOCK = Deadlock()


def _timers(loop: LoopOfTest) -> list[Any]:
    return [timer for timer in getattr(loop.loop, "_scheduled", ()) if not timer.cancelled()]


def _seconds_without_timers(loop: LoopOfTest, selector: Selector) -> float | None:
    """Return for how many seconds the loop may sleep; 0 at a deadlock, which is reported; None for no limit."""
    asyncio_loop = loop.loop
    if getattr(asyncio_loop, "_signal_handlers", True) or not hasattr(asyncio_loop, "_scheduled"):
        return None
    seconds = _seconds_to_sleep(selector)
    if seconds != 0:
        return seconds
    # No code is left that could still look at the errors of failed tasks.
    before = loop.trap.count
    loop.report_lost_errors()
    if loop.trap.count > before:
        return 0
    return 0 if _end(loop) else None


def _end(loop: LoopOfTest) -> bool:
    """End the wait, and return true; false if it is ending already."""
    wait = loop.trap.waits[-1] if loop.trap.waits else None
    if isinstance(wait, Deadline):
        return wait.expire(_reason(wait))
    return loop.trap.add(  # the user runs the loop, without a time limit
        TimeoutError(
            "The event loop would run for ever, and never have anything to do: this is a deadlock. No timer, open "
            "file, thread or child process is left that could wake it."
        )
    )


def _reason(wait: Deadline) -> str:
    timers, files = "no timer", "no open file"
    if private_servers.of(wait.loop.selector) is not None:
        timers, files = "no timer within that time", "no open file but those of the test's own server"
    limit, spent = wait.limit, wait.spent()
    due = _due_later(wait)
    if due is not None:  # a higher limit helps
        return (
            f"would have timed out after {limit.describe()}, and ends after {spent:.3g} seconds: nothing is left that "
            f"could wake the event loop before that. The next timer is due in {due:.3g} s, after the limit; there is "
            f"{files}, no thread, no child process"
        )
    end = f"would have waited for ever, and ends after {spent:.3g} seconds"
    if limit.is_set:
        # Without the advice to change it, which does not help.
        place = limit.setting.partition(", change it by")[0]
        end = f"would have timed out after {limit} ({place}), and ends after {spent:.3g} seconds"
    if limit.is_set and spent >= 0.95 * limit.seconds:
        end = f"timed out after {limit.describe()}"
    return (
        f"{end}: this is a deadlock. Nothing is left that could wake the event loop: {timers}, {files}, no thread, no "
        "child process"
    )


def _due_later(wait: Deadline) -> float | None:
    """Return in how many seconds a timer of the test is due, if the wait ends only because that is after its limit."""
    loop: Any = wait.loop.loop
    if not wait.limit.is_set or has_virtual_time(loop):
        return None
    # Those of requests and connections aside: the report of a request has its own time limit.
    due = [timer.when() for timer in timers_of_test(loop) if _module_of(timer) == _GEN]
    return due[0] - loop.time() if due else None


_GEN = "tornado.gen"
#: The modules whose timers end requests and connections.
_OF_CONNECTIONS = (
    "tornado.curl_httpclient",
    _GEN,  # with_timeout(), by which a server waits for the next request of a connection
    "tornado.http1connection",
    "tornado.simple_httpclient",
    "tornado.tcpclient",
)


def _is_of_connection(timer: Any) -> bool:
    """Return whether a timer of the loop is one that Tornado sets for a request or connection."""
    return _module_of(timer) in _OF_CONNECTIONS


def _module_of(timer: Any) -> object:
    """Return the name of the module of the function that a timer calls."""
    return getattr(names.function_of_callback(*names.call_of(timer)), "__module__", None)


def _seconds_to_sleep(selector: Selector) -> float | None:
    """Return after how many seconds to look again whether something could wake the loop, timers aside.

    None is never: an open file can wake it at any time. 0 is at once: nothing can, or something has.
    """
    if not selector.has_no_files():
        servers = private_servers.of(selector)
        if servers is None:
            return None
        if not selector.was_quiet:
            # The other end of a connection is mostly quicker than a look at the whole process.
            return RECHECK_SECONDS
        if servers.may_be_reached():
            return None
        if servers.has_bytes_on_their_way():
            return RECHECK_SECONDS
    if may_others_act():
        return RECHECK_SECONDS
    # A thread that is gone by now may have woken the loop before it went.
    return None if selector.has_events() else 0


def may_others_act() -> bool:
    """Return whether anything but the thread of the loop may act: a signal, another thread, a child process."""
    return _has_signal_handlers() or any(map(_is_alarm_set, _ALARMS)) or _has_other_threads() or has_children()


_ALARMS = [getattr(signal, name) for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF") if hasattr(signal, name)]


def _is_alarm_set(timer: int) -> bool:
    return bool(get_timer(timer)[0] > 0)


def _has_signal_handlers() -> bool:
    """Return whether a signal, which any process can send, would run something; an interruption does not count."""
    handlers = map(get_signal_handler, valid_signals() - {blocked_code.stand_in})
    return any(handler is not None and callable(handler) and not _interrupts(handler) for handler in handlers)


def _interrupts(handler: Any) -> bool:
    """Return whether a handler ends the run of the tests, and no more: the handler of Python or of ``unittest -c``."""
    return handler is signal.default_int_handler or type(handler).__module__ == "unittest.signals"


def _has_other_threads() -> bool:
    """Return whether another thread may act, also one that Python does not know.

    The watchdog's thread does not count, nor do threads of the test runner, and of executors that have no job.
    """
    try:
        count = len(listdir("/proc/self/task"))
    except OSError:  # not on every platform
        return active_count() > 1
    own = 2 if watchdog.is_alive() else 1
    if count > own:
        own += other_threads.of_runners()
    return count > own and count > own + other_threads.idle_workers()
