"""Looks for child processes, which may do something at any time."""

# Tested by tests/timeouts/test_deadline.py.

import multiprocessing
import os
import sys
from pathlib import Path

from asynctest_tornado._util.real_time import wait_for_child

__unittest = True


def has_children() -> bool:
    """Return whether there is a child process, whose end would be a signal; the helpers of multiprocessing are none."""
    if wait_for_child is None:
        return True
    try:
        wait_for_child(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    helpers = _helpers()
    # The processes that a helper has begun are no children of this one.
    return not helpers or not _children() <= helpers or bool(multiprocessing.active_children())


#: Run from the first use of multiprocessing to the end of the program: by default, from Python 3.14 on. Their private
#: attributes; without them, a helper is a child like any other.
_HELPERS = (
    ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
    ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
)


def _helpers() -> set[int]:
    """Return the processes that serve only multiprocessing itself."""
    found = {getattr(getattr(sys.modules.get(module), name, None), pid, None) for module, name, pid in _HELPERS}
    return {pid for pid in found if pid is not None}


def _children() -> set[int]:
    """Return the child processes; with 0, which is none, where the system does not list them."""
    try:
        return {
            int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()
        } or {0}
    except OSError:
        return {0}
