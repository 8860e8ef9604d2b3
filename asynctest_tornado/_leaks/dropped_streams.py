"""Finds the open streams to which only the loop refers: no code can close them."""

# Tested by tests/leaks/test_search.py.

import gc
import types
from collections.abc import Collection
from typing import Any

from tornado.iostream import BaseIOStream

from asynctest_tornado._leaks.kinds import safely
from asynctest_tornado._leaks.policy import Leak

__unittest = True


def dropped(leaks: Collection[Leak], handlers: Collection[object]) -> list[Leak]:
    """Return the streams, of these leaks, that no code can use any more.

    A stream that reads or writes is left out: the future of that may have other users.

    :param handlers: the handlers of files as the ``IOLoop`` keeps them, in tuples.
    """
    idle = [leak for leak in leaks if isinstance(leak.thing, BaseIOStream) and safely(_is_idle, leak.thing)]
    if not idle:
        return []
    # One search for all: it looks at each object of the process. Python 3.13 finds the tuple of arguments as well.
    streams = tuple(leak.thing for leak in idle)
    numbers = set(map(id, streams))
    referrers = gc.get_referrers(*streams)
    methods = tuple(each for each in referrers if type(each) is types.MethodType and id(each.__self__) in numbers)
    known = {id(each) for each in (*handlers, *leaks, *methods, streams, referrers, methods)}
    held = {number for each in referrers if id(each) not in known for number in map(id, gc.get_referents(each))}
    for each in gc.get_referrers(*methods):
        if id(each) not in known:
            held.update(id(method.__self__) for method in gc.get_referents(each) if type(method) is types.MethodType)
    return [leak for leak in idle if id(leak.thing) not in held]


def _is_idle(stream: Any) -> bool:
    return not (stream.reading() or stream.writing())
