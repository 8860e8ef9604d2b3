"""Reads the stacks of other threads, which run meanwhile."""

# Tested by tests/util/test_stacks.py, and in large by tests/benchmarks/watchdog.py.

import contextlib
import gc
import sys
import types
from collections.abc import Iterator

__unittest = True


def stack_of(thread: int) -> list[types.FrameType]:
    """Return the frames of a thread, the innermost first; none if the thread has ended.

    A thread that goes on changes where ``f_back`` leads, so look at the frames of this list only.

    :param thread: the thread's ``ident``.
    """
    with _without_collection():
        return list(outwards(sys._current_frames().get(thread)))


def outermost_frames() -> dict[int, types.FrameType]:
    """Return the outermost frame of each thread, by the thread's ``ident``."""
    with _without_collection():
        return {thread: list(outwards(frame))[-1] for thread, frame in sys._current_frames().items()}


def outwards(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    """Return a frame of this thread, and the frames that have called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


if sys.version_info >= (3, 12):
    # A collection runs between two instructions only.
    def _without_collection() -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()
else:

    @contextlib.contextmanager
    def _without_collection() -> Iterator[None]:
        """Let no garbage collection begin.

        Python makes the object of a frame when code asks for it. In Python 3.11, making an object may begin a
        collection, and thereby run finalizers. Meanwhile, the other thread goes on, and its frame ends: Python then
        reads memory that is not the frame's any more, and crashes.
        """
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if was_enabled:
                gc.enable()
