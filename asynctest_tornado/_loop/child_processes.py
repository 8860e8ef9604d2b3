"""Looks for child processes, which may act at any time."""

# Tested by tests/timeouts/test_deadlock.py.

import multiprocessing
import os
import sys
from pathlib import Path

from tornado.ioloop import IOLoop
from tornado.process import Subprocess

from asynctest_tornado._util.real_time import wait_for_child

__unittest = True


def has_children() -> bool:
    """Return whether there is a child process. The helpers of multiprocessing do not count."""
    if wait_for_child is None:
        return True
    try:
        wait_for_child(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    helpers = _helpers()
    # The children of a helper are no children of this process.
    return not helpers or not _children() <= helpers or bool(multiprocessing.active_children())


def awaited_by(io_loop: IOLoop) -> list[int]:
    """Return the processes that a loop waits for, by ``Subprocess`` of Tornado."""
    waiting = getattr(Subprocess, "_waiting", {}).items()
    return [pid for pid, process in waiting if process.io_loop is io_loop and process.returncode is None]


#: The helpers run from the first use of multiprocessing to the end of the program: by default, from Python 3.14 on.
#: These are private attributes; without them, a helper counts as a child.
_HELPERS = (
    ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
    ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
)


def _helpers() -> set[int]:
    """Return the helpers of multiprocessing."""
    found = {getattr(getattr(sys.modules.get(module), name, None), pid, None) for module, name, pid in _HELPERS}
    return {pid for pid in found if pid is not None}


def _children() -> set[int]:
    """Return the child processes; 0, which is not a process, if the system does not list them."""
    try:
        return {
            int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()
        } or {0}
    except OSError:
        return {0}
