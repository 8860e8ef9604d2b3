"""Records the futures that ``gen.coroutine`` makes.

Without a record, nothing shows whose they are: they are dropped a turn of the loop after their error was set, in no
context at all.
"""

# Tested by tests/loop/test_managed_loop.py.

import asyncio
from typing import Any

from tornado import gen

from asynctest_tornado._errors import contexts
from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._util.patching import Patch

__unittest = True


def _make_and_record() -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = _make.found()
    loop = future.get_loop()
    # In debug mode, a future says where it was made. Tornado takes itself out of that, up to this function.
    made_at = getattr(future, "_source_traceback", None)
    while made_at and made_at[-1].filename in (__file__, gen.__file__):
        del made_at[-1]
    if _make.is_active and isinstance(loop, WatchedLoop):
        loop.record_future(future, contexts.contexts.get())
    return future


patches = []
if hasattr(gen, "_create_future"):
    _make = Patch(gen, "_create_future", _make_and_record)
    patches.append(_make)
