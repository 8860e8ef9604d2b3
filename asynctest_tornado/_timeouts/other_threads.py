"""Looks whether another thread of the process works, or can still act.

The thread of an executor works while it has a job. Other threads have jobs, too, and no sign of them: for example,
aiosqlite has a thread for each connection, which takes functions from a queue. They can be asked for on Linux only.

A thread *sleeps* if it waits for a lock, without a time limit; for example, for the next item of a queue. Only another
thread of this process can wake it. If all others sleep at the same moment, nothing happens until this thread goes on:
no job is left, as its thread would be awake. These do not count as sleep, because the system, or another process, ends
them by itself: a wait with a time limit, for a file, or for a lock that processes share.

The system describes one thread after the other, and one may wake another meanwhile. Hence the number of times that each
has been switched off the processor: `are_asleep` reads all numbers, and then looks at each thread. If a thread sleeps,
and its number is the same, it has slept since before the moment between the two rounds.

A thread that has been woken, and waits for another processor to notice it, is still in its call, and its number is the
same. Only its state says that it does not sleep any more: the system prints "running".

A thread that is awake *computes* if it has the processor, or waits for it or for the disk. If it has slept before,
another thread has woken it, so that it has a job.
"""

import concurrent.futures.thread
import os
import platform
import sys
import threading
import types

# Functions that a test may replace, as they are now; see `real_time`.
from os import close, read
from os import open as open_file
from threading import enumerate as all_threads
from threading import get_native_id

from asynctest_tornado._timeouts import watchdog
from asynctest_tornado._util.real_time import active_count, listdir
from asynctest_tornado._util.stacks import outermost_frames

__unittest = True

_TASKS = "/proc/self/task"
#: Linux's number of the call in which a thread waits for a lock; None where it is not known.
_FUTEX = {"x86_64": b"202", "aarch64": b"98", "riscv64": b"98"}.get(platform.machine())
if sys.platform != "linux" or sys.maxsize < 2**32:
    _FUTEX = None
#: The operations of this call that wait, and the flag for a lock that processes do not share.
_WAITS, _OPERATION, _IS_PRIVATE = (0, 9), 0x7F, 0x80
_WORKER = getattr(getattr(concurrent.futures.thread, "_worker", None), "__code__", None)


def of_executors() -> tuple[bool, bool]:
    """Return whether threads of executors work on something, and whether there are threads of another kind."""
    queues = getattr(concurrent.futures.thread, "_threads_queues", {})
    workers = [thread for thread in list(queues) if thread.is_alive()]
    frames = sys._current_frames() if workers else {}
    is_working = any(_works(frames.get(thread.ident)) for thread in workers)
    return is_working, active_count() > 1 + len(workers)


def idle_workers() -> int:
    """Return how many threads of executors sleep until they get a job; 0 if another thread may give them one.

    Only this thread can then wake them.
    """
    queues = getattr(concurrent.futures.thread, "_threads_queues", {})
    workers = [thread for thread, jobs in list(queues.items()) if thread.is_alive() and jobs.empty()]
    sleepers = set[str]()
    if not workers or not are_asleep(sleepers):
        return 0
    frames = sys._current_frames()
    return sum(
        str(thread.native_id) in sleepers and thread.ident in frames and not _works(frames[thread.ident])
        for thread in workers
    )


def _works(frame: types.FrameType | None) -> bool:
    """Return whether the thread of an executor has something to do."""
    if frame is None:
        return False
    if frame.f_code is not _WORKER:
        return True
    # It may be about to take up a job: the executor counts its idle threads.
    executor = frame.f_locals.get("executor_reference", lambda: None)()
    idle = getattr(getattr(executor, "_idle_semaphore", None), "_value", None)
    return idle is not None and idle < sum(thread.is_alive() for thread in list(getattr(executor, "_threads", ())))


def are_asleep(sleepers: set[str]) -> bool:
    """Return whether all other threads sleep, so that none acts before this one does. False if it is not known.

    The watchdog of this library and the threads of test runners do not count.

    :param sleepers: gets the threads that sleep.
    """
    if _FUTEX is None:
        return False
    try:
        threads = _threads()
        before = {thread: _times_switched_off(thread)[1] for thread in threads}
        if _threads() != threads:
            return False
        awake = {thread for thread in threads if not _has_slept_since(thread, before[thread])}
    except OSError:  # one has ended meanwhile, or the system does not say
        return False
    sleepers.update(threads - awake)
    if not awake:
        return True
    known = {str(thread.native_id) for thread in all_threads()}
    return awake.isdisjoint(known) and len(awake) <= of_runners()


def computing() -> dict[str, str]:
    """Return the names of the other threads that compute, as far as it is known."""
    own = get_native_id()
    others = {str(thread.native_id): thread.name for thread in all_threads() if thread.native_id not in (own, None)}
    return {thread: name for thread, name in others.items() if _computes(thread)}


def _threads() -> set[str]:
    return set(listdir(_TASKS)) - {str(get_native_id()), str(watchdog.native_id())}


def _times_switched_off(thread: str) -> tuple[bool, list[bytes]]:
    """Return whether the thread sleeps, and the lines in which the system prints the numbers."""
    lines = _read(thread, "status").splitlines()
    sleeps = any(line.startswith(b"State:\tS") for line in lines)
    return sleeps, [line for line in lines if b"ctxt_switches:" in line]


def _has_slept_since(thread: str, times: list[bytes]) -> bool:
    """Return whether the thread sleeps, and was not switched off the processor since the system printed `times`."""
    fields = _read(thread, "syscall").split()
    if len(fields) < 5 or fields[0] != _FUTEX:
        return False
    operation, limit = int(fields[2], 16), int(fields[4], 16)
    waits = operation & _OPERATION in _WAITS and operation & _IS_PRIVATE and not limit
    return bool(waits) and _times_switched_off(thread) == (True, times)


def _computes(thread: str) -> bool:
    try:
        # The name of the program comes before, in parentheses.
        return _read(thread, "stat").rpartition(b") ")[2][:1] in (b"R", b"D")
    except OSError:
        return False


def _read(thread: str, name: str) -> bytes:
    file = open_file(f"{_TASKS}/{thread}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return read(file, 10_000)
    finally:
        close(file)


#: Their threads serve the test runner, and have nothing to do with a loop: for example, in workers of pytest-xdist.
_OF_RUNNERS = ("execnet.",)


def of_runners() -> int:
    """Return how many threads belong to the test runner, which ``threading`` need not know."""
    frames = outermost_frames()
    frames.pop(threading.get_ident(), None)
    return sum(str(frame.f_globals.get("__name__")).startswith(_OF_RUNNERS) for frame in frames.values())
