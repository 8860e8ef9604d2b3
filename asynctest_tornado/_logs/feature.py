"""Shows the logs of a test in its report, if it fails."""

# Tested by tests/logs/test_recording.py.

from collections.abc import Callable, Collection

from asynctest_tornado._errors import notes
from asynctest_tornado._errors.trap import Trap
from asynctest_tornado._harness.feature import Feature
from asynctest_tornado._harness.harness import Harness
from asynctest_tornado._logs import recording
from asynctest_tornado._logs.recorded import Key, Recorded, key_of
from asynctest_tornado._logs.recording import KEY
from asynctest_tornado._sources import handler_errors
from asynctest_tornado._util import exception_notes

__unittest = True


class TestLogs(Feature):
    """The logs of a test, as the last note of its failure."""

    patches = (recording.calling,)

    def tests_began(self) -> None:
        recording.begin()

    def tests_ended(self) -> None:
        recording.end()

    def notes(self, harness: Harness, error: BaseException) -> None:
        recorded = recording.known(harness.trap)
        if recorded is not None:
            text = _section(recorded, error, harness.trap)
            if text:
                notes.add(error, text, harness.trap)

    def ending(self, harness: Harness, get_held: Callable[[], Collection[int]]) -> None:
        recording.of(harness.trap).is_ending = True

    def verdict(self, harness: Harness, error: BaseException | None) -> BaseException | None:
        if KEY in harness.trap.data:  # for speed, without a call: most tests do not log
            _amend(harness.trap, error)
        return error


def _amend(trap: Trap, error: BaseException | None) -> None:
    """Add the logs that came after the failure, for example of ``tearDown``, to its report."""
    recorded = recording.of(trap)
    if error is None and trap.failure is not None and trap.reporter is not None:
        text = _section(recorded, trap.failure, trap)
        if text:
            trap.reporter.amend(trap.failure, text)


def _section(recorded: Recorded, error: BaseException, trap: Trap) -> str:
    if not recorded.entries:
        return ""
    said = [exception_notes.text_of(error) or "", *map(str, exception_notes.notes_of(error))]
    return recorded.section(_shown_errors(error, trap), "\n".join(said))


def _shown_errors(error: BaseException, trap: Trap) -> set[Key]:
    """Return the keys of all exceptions that the report shows."""
    found = {key_of(part) for part in handler_errors.parts_of(error)}
    handled = handler_errors.known(trap)
    if handled is not None:
        found |= {key_of(each.error) for each in (*handled.errors, *handled.refusals) if each.is_reported}
    return found


TEST_LOGS = TestLogs()
