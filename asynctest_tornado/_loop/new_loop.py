"""Makes the loop of a test: by a factory, by a policy, or of recycled parts."""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
from collections.abc import Callable
from typing import Any

from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from asynctest_tornado._loop import construction, recycled_loop
from asynctest_tornado._loop.recycled_loop import RecyclingLoop
from asynctest_tornado._util.real_time import active_count
from asynctest_tornado._util.settings import LOOP_FACTORY

__unittest = True


def new_ioloop(
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    features: Any = None,
    where: str = LOOP_FACTORY.by_attribute,
) -> IOLoop:
    """Make the loop of a test, by the factory if there is one, else by the policy if one was set.

    :param features: the features of the test whose `LoopOfTest` gets the loop before it runs, if one does.
    :param where: the place that sets the factory.

    Raises ``TypeError`` for a factory that makes no loop.
    """
    if factory is not None:
        asyncio_loop = LOOP_FACTORY.read(factory, where)()
        if not hasattr(asyncio_loop, "run_forever"):
            raise LOOP_FACTORY.error(factory, where, TypeError(f"it returned {asyncio_loop!r}"))
    elif _is_made_by_others():
        asyncio_loop = asyncio.new_event_loop()
    elif recycled_loop.missing():
        asyncio_loop = asyncio.SelectorEventLoop()
    else:
        cls = RecyclingLoop if features is None else features.loop_classes[RecyclingLoop]
        asyncio_loop = cls()
    io_loop_class = AsyncIOLoop if features is None else features.io_loop_classes[AsyncIOLoop]
    return construction.around(asyncio_loop, io_loop_class)


def _is_made_by_others() -> bool:
    """Return whether there is a policy for loops, or a function in the place of asyncio's."""
    # A call of get_event_loop_policy() would make a policy, and is deprecated from 3.14.
    policy = _EVENTS.get("_event_loop_policy")
    if policy is not None and type(policy) not in _own_policies:
        if not type(policy).__module__.startswith("asyncio."):
            return True
        _own_policies.add(type(policy))
    make: object = asyncio.new_event_loop
    return make is not _OWN_MAKER and not _is_of_asyncio(make)


def _is_of_asyncio(make: object) -> bool:
    return getattr(make, "__globals__", None) is _EVENTS


#: The policy before the first test of a run.
_policy_before: object = True


def record_policy() -> None:
    """Record, before the first test of a run, whether there is a policy for loops."""
    global _policy_before
    _policy_before = _EVENTS.get("_event_loop_policy")


def restore_policy() -> None:
    """Drop the policy that asyncio has made for the tests: it says that there is no current loop, and makes none.

    A policy stays if the user has made it, or if it has a loop, or if a thread runs that may have one.
    """
    policy: Any = _EVENTS.get("_event_loop_policy")
    if policy is None or _policy_before is not None or not type(policy).__module__.startswith("asyncio."):
        return
    is_unused = getattr(getattr(policy, "_local", None), "_loop", policy) is None and active_count() == 1
    # There is none from Python 3.14 on; before, the user may have set another one than asyncio's.
    watcher = type(getattr(policy, "_watcher", None))
    if is_unused and watcher.__name__ in ("NoneType", "ThreadedChildWatcher", "PidfdChildWatcher"):
        _EVENTS["_event_loop_policy"] = None


_EVENTS = vars(asyncio.events)
#: The classes of policies that are asyncio's own: each test asks.
_own_policies: set[type] = set()
_OWN_MAKER = asyncio.new_event_loop if _is_of_asyncio(asyncio.new_event_loop) else None
