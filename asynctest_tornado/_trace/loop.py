"""Gives the loop of a test handles that record their calls."""

# Tested by tests/trace/test_recorder.py.

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

from asynctest_tornado._loop.instrumented_loop import WatchedLoop
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._trace.recorder import CALLBACK, FILE, TIMER, Recorder

__unittest = True


#: If it has another name, asyncio calls no method of ours, and the trace has no steps.
_run: Any = getattr(asyncio.Handle, "_run", None)


def _recorder_of(loop: Any) -> Recorder | None:
    return getattr(loop, "_asynctest_recorder", None)


class _Handle(asyncio.Handle):
    """A call that is registered in a test with a trace."""

    __slots__ = ("cause", "recorder")

    cause: int | str
    recorder: Recorder
    _callback: Any
    _args: Any

    def _run(self) -> None:
        self.recorder.make(CALLBACK, self.cause, self._callback, self._args, _run, self)


# The next two have no attributes of their own, as asyncio makes the handles, and they get another class.


class _Timer(asyncio.TimerHandle):
    __slots__ = ()

    _loop: Any
    _callback: Any
    _args: Any

    def _run(self) -> None:
        recorder = _recorder_of(self._loop)
        if recorder is None:
            _run(self)
        else:
            recorder.make(TIMER, recorder.timers.pop(id(self), 0), self._callback, self._args, _run, self)

    def cancel(self) -> None:
        recorder = _recorder_of(self._loop)
        if recorder is not None:
            recorder.timers.pop(id(self), None)
        super().cancel()


class _File(asyncio.Handle):
    __slots__ = ()

    _loop: Any
    _callback: Any
    _args: Any

    def _run(self) -> None:
        recorder = _recorder_of(self._loop)
        if recorder is None:
            _run(self)
        else:
            recorder.make(FILE, 0, self._callback, self._args, _run, self)


class TracedLoop(WatchedLoop):
    """The methods of the loop of a test with a trace."""

    _asynctest_recorder: Recorder | None = None
    _ready: Any
    _write_to_self: Callable[[], None]

    # These override private methods of asyncio, through which all calls become ready, and one that no longer uses them.

    def _call_soon(self, callback: Any, args: Any, context: contextvars.Context | None) -> asyncio.Handle:
        recorder = self._asynctest_recorder
        if recorder is None or isinstance(getattr(callback, "__self__", None), Schedule):
            plain: asyncio.Handle = super()._call_soon(callback, args, context)  # type: ignore[misc]
            return plain
        handle = _Handle(callback, args, self, context)
        if getattr(handle, "_source_traceback", None):
            del handle._source_traceback[-1]  # type: ignore[attr-defined]  # of this function
        handle.recorder, handle.cause = recorder, recorder.cause()
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if self._asynctest_recorder is None or self.is_closed():
            return super().call_soon_threadsafe(callback, *args, context=context)
        # From CPython 3.14 on, the method of asyncio makes a handle of another class, not by _call_soon().
        handle = self._call_soon(callback, args, context)
        self._write_to_self()
        return handle

    def _add_callback(self, handle: asyncio.Handle) -> None:
        if type(handle) is asyncio.Handle:
            handle.__class__ = _File
        super()._add_callback(handle)  # type: ignore[misc]

    def call_at(self, when: float, callback: Any, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        timer: asyncio.TimerHandle = super().call_at(when, callback, *args, **kwargs)
        recorder = self._asynctest_recorder
        if recorder is not None and type(timer) is asyncio.TimerHandle:
            timer.__class__ = _Timer
            recorder.timers[id(timer)] = recorder.cause()
        return timer

    def create_main(self, coro: Any, context: contextvars.Context) -> "asyncio.Task[Any]":
        task = super().create_main(coro, context)
        if self._asynctest_recorder is not None:
            self._asynctest_recorder.add_main(task)
        return task


def _make(call: Any) -> None:
    call.context.run(call.callback, *call.args)


class ScheduleWatcher:
    """Records the calls of a schedule, which makes them in place of the loop.

    :param recorder: the recorder.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.cause = recorder.cause
        self._make = recorder.make

    def make(self, call: Any) -> None:
        self._make(CALLBACK, call.cause or 0, call.callback, call.args, _make, call)
