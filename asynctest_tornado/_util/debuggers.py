"""Looks whether a debugger has stopped the program, or traces it."""

# Tested by tests/timeouts/test_blocked_waits.py.

import sys
import types

__unittest = True

#: Modules of debuggers, in which a stopped program runs. A trace function alone is no sign: coverage tools have one.
_DEBUGGERS = ("bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy", "ipdb", "pudb")


def have_stopped(stack: list[types.FrameType]) -> bool:
    """Return whether a debugger has stopped a thread, which has these frames."""
    return any(str(frame.f_globals.get("__name__")).partition(".")[0] in _DEBUGGERS for frame in stack)


def are_attached() -> bool:
    """Return whether a debugger traces this thread."""
    trace = sys.gettrace()
    owner = getattr(trace, "__self__", trace)
    if str(getattr(type(owner), "__module__", "")).partition(".")[0] in _DEBUGGERS:
        return True
    if any(base.__module__ == "bdb" for base in type(owner).__mro__):
        return True
    if str(getattr(trace, "__module__", "")).partition(".")[0] in _DEBUGGERS:
        return True
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    return monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None
