"""The sections of a report about pending work."""

# Tested by tests/timeouts/test_pending_report.py.

import re
from collections.abc import Iterable
from typing import Any

from asynctest_tornado._util import names

__unittest = True

#: The most entries of a list.
MOST_SHOWN = 10


def section(title: str, entries: list[tuple[list[str], int]]) -> str:
    """Return the lines of a section.

    :param entries: the lines of each entry, and the number of objects that it stands for.
    """
    if not entries:
        return ""
    lines = [f"{title}:"]
    for entry, _ in entries[:MOST_SHOWN]:
        lines += [f"  {line}" for line in entry]
    if len(entries) > MOST_SHOWN:
        lines.append(f"  ... and {sum(count for _, count in entries[MOST_SHOWN:])} more")
    return "\n".join(lines)


def merged(entries: Iterable[list[str]]) -> list[tuple[list[str], int]]:
    """Merge tasks that differ in their numbers only; return each entry with the number of tasks that it stands for."""
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    for entry in entries:
        groups.setdefault(tuple(_TASK_NUMBER.sub("", line) for line in entry), []).append(entry)
    found: list[tuple[list[str], int]] = []
    for group in groups.values():
        first, count = group[0], len(group)
        found.append(([*first, f"  ... and {count - 1} more like this"] if count > 1 else first, count))
    return found


#: The name that asyncio gives to a task.
_TASK_NUMBER = re.compile(r" <Task-\d+>")


#: Their timers end connections of Tornado, or deliver bytes in memory.
_OF_CONNECTIONS = ("tornado.http1connection", "tornado.tcpclient", "asynctest_tornado._network.faulty_pipe")


def timers(loop: Any, hidden: str | None) -> list[str]:
    """Return the timers, without the ones of Tornado's connections and the ones that call the hidden module."""
    now = loop.time()
    lines = []
    for handle in timers_of_test(loop):
        call = names.call_of(handle)
        if hidden is None or getattr(names.function_of_callback(*call), "__module__", None) != hidden:
            lines.append(f"{names.name_of_callback(*call)} in {max(0.0, handle.when() - now):.3g} s")
    return lines


def timers_of_test(loop: Any) -> list[Any]:
    """Return the timers, without the ones of Tornado's connections, in the order in which they are due."""
    handles = [handle for handle in getattr(loop, "_scheduled", ()) if not handle.cancelled()]
    made = getattr(getattr(getattr(loop, "_asynctest", None), "trap", None), "made", None)
    found = []
    for handle in sorted(handles, key=lambda handle: handle.when()):
        func = names.function_of_callback(*names.call_of(handle))
        if not _is_of_connection(func) or (made is not None and made.of(handle, None) is not None):
            found.append(handle)
    return found


def _is_of_connection(func: Any) -> bool:
    """Return whether Tornado sets timers with this function for connections; by the first one also for the test."""
    if getattr(func, "__module__", None) == "tornado.gen":
        return str(getattr(func, "__qualname__", "")).startswith("with_timeout.")
    return getattr(func, "__module__", None) in _OF_CONNECTIONS
