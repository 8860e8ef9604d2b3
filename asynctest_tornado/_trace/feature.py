"""Records what happens in a test, and writes that into files if the test fails."""

# Tested by tests/trace/test_trace.py.

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._errors import notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._network.feature import NETWORK
from asynctest_tornado._schedules.feature import ORDER
from asynctest_tornado._schedules.holds import Held
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._trace.loop import ScheduleWatcher, TracedLoop
from asynctest_tornado._trace.recorder import Recorder
from asynctest_tornado._util import settings
from asynctest_tornado._util.settings import Given

__unittest = True


class Chosen(NamedTuple):
    """The trace that a test has."""

    folder: Path
    """For the files."""
    is_for_all: bool
    """True if a test that passes has them, too."""


_FOLDER = Path(settings.TRACE_FOLDER)


def chosen(attribute: object, nearer: Sequence[Given] = ()) -> Chosen | None:
    """Return the trace that a test has, or None.

    :param attribute: ``trace`` of the class, or None.
    :param nearer: places that go before it.

    Raises ``TypeError`` or ``ValueError`` if a setting is wrong.
    """
    value, where = settings.TRACE.find(attribute, nearer)
    if value == "off":
        return None
    folder: Any = value
    if isinstance(value, str):
        # This place says when to write, and another one may say where.
        others = [each for each in nearer if each.where != where and isinstance(_read(each), Path)]
        folder, _ = settings.TRACE.find(None, others)
    return Chosen(folder if isinstance(folder, Path) else _FOLDER, value == "all")


def _read(given: Given) -> object:
    return None if given.value is None else settings.TRACE.read(*given)


#: The room that needs all of Tornado's HTTP.
_MESSAGES = "asynctest_tornado._trace.messages"


class _Trace:
    """The trace of one test."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        #: The last error that has a note.
        self.noted: BaseException | None = None


class Trace(Feature):
    """Tests whose events are recorded. The option is a `Chosen`."""

    is_optional = True

    loop_class = TracedLoop

    def tests_ended(self) -> None:
        messages = sys.modules.get(_MESSAGES)
        if messages is not None:  # a test had a trace
            messages.end_run()

    def opened(self, harness: Harness) -> None:
        schedule: Schedule | None = harness.options.get(ORDER)
        if schedule is not None and not schedule.is_reported:
            return
        from asynctest_tornado._trace import messages

        clock = harness.options.get(VIRTUAL_TIME)
        data: _Trace | None = harness.trap.data.get(self)
        if data is None:
            data = harness.trap.data[self] = _Trace(Recorder(None if clock is None else clock.time))
        recorder: Recorder = data.recorder
        own: Any = harness.loop.loop
        own._asynctest_recorder = recorder
        recorder.is_blind = not isinstance(own, asyncio.BaseEventLoop)
        if schedule is not None:
            schedule.watcher = ScheduleWatcher(recorder)
        if NETWORK in harness.options:
            harness.options[NETWORK]._faults.watch(recorder.fault)
        messages.begin()

    def closed(self, harness: Harness) -> None:
        data: _Trace | None = harness.trap.data.get(self)
        if data is None:
            return
        from asynctest_tornado._trace import messages

        messages.end(data.recorder)
        own: Any = harness.loop.loop
        with contextlib.suppress(AttributeError):
            del own._asynctest_recorder
        if ORDER in harness.options:
            harness.options[ORDER].watcher = None
        if NETWORK in harness.options:
            harness.options[NETWORK]._faults.watch(None)

    def recorded(self, trap: Trap, error: BaseException) -> None:
        data: _Trace | None = trap.data.get(self)
        if data is not None:
            data.recorder.fail(error)

    def notes(self, harness: Harness, error: BaseException) -> None:
        data: _Trace | None = harness.trap.data.get(self)
        if data is not None and data.noted is not error:
            data.noted = error
            data.recorder.fail(error)
            notes.add(error, self._report(harness, data), harness.trap)

    def verdict(self, harness: Harness, error: BaseException | None) -> BaseException | None:
        data: _Trace | None = harness.trap.data.get(self)
        if data is not None:
            if error is not None and data.noted is not error:
                data.recorder.fail(error)
                notes.add(error, self._report(harness, data), harness.trap)
            elif data.noted is None and harness.options[self].is_for_all:
                self._report(harness, data)
        return error

    def _report(self, harness: Harness, data: _Trace) -> str:
        """Write the files. Return the note for the report."""
        from asynctest_tornado._trace import files, story

        schedule: Schedule | None = harness.options.get(ORDER)
        told = story.tell(data.recorder, harness.describe(), "" if schedule is None else schedule.hint or "")
        where = files.write(harness.options[self].folder, harness.describe(), _order_of(schedule), told)
        return f"{told.last_steps()}\n{where}"


def _order_of(schedule: Schedule | None) -> str:
    """Return the order of a run as a part of a file name; empty for the order of asyncio."""
    if schedule is None:
        return ""
    if isinstance(schedule.policy, Held):
        return f"order{schedule.fingerprint:08x}"
    return f"seed{schedule.seed}" if schedule.seed else ""


TRACE = Trace()
