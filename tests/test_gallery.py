"""A gallery of tests that are stuck or mistaken: the report of each, compared with the recorded one.

Where a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_gallery --record
"""

import asyncio
import logging
import re
import sys
import unittest
from pathlib import Path
from unittest import mock

from tornado import web

from asynctest_tornado import AsyncTestCase
from tests.limits import limit_clock, run_past_limit
from tests.samples import mistaken, mistaken_clocks, mistaken_faults, mistaken_http, mistaken_work, misused, stuck
from tests.support import ROOT, RecordingResult, environ, run_case, without_handlers

GALLERY = ROOT / "tests" / "gallery"
CASES = {
    name: cls
    for module in (stuck, mistaken, mistaken_clocks, mistaken_faults, mistaken_http, mistaken_work, misused)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and cls.__module__ == module.__name__ and issubclass(cls, AsyncTestCase) and name[0] != "_"
}


def path(name: str) -> Path:
    return GALLERY / f"{name}.txt"


#: In which turn of the loop the time is over: the test stands still by then, or is about to block the loop.
TURNS = {"Blocked": 2} | dict.fromkeys(
    ("AsyncWithAndFor", "DecoratedCoroutines", "ManyTimersAndTasks", "OneOfAGather", "OneOfATaskGroup"), 20
)


def run(name: str) -> RecordingResult:
    """Run a case, whose time is over when it has come to the line at which it gets stuck."""
    with environ(ASYNC_TEST_TIMEOUT=None):
        if name in TURNS:
            return run_past_limit(CASES[name], TURNS[name])
        # The number of turns that a request takes varies, but the handler waits in the turn in which it is prepared.
        with limit_clock.stopped(), mock.patch.object(stuck.RequestInFlight.Handler, "prepare", expire_soon):
            return run_case(CASES[name])


def expire_soon(handler: web.RequestHandler) -> None:
    asyncio.get_running_loop().call_soon(limit_clock.advance)


def report(name: str) -> str:
    """Return the report of a case, without numbers and addresses that vary."""
    text = "\n".join(run(name).report.splitlines())
    text = text.replace(f"{ROOT}/", "")
    text = re.sub(r"<Task-\d+>", "<Task-N>", text)
    text = re.sub(r"_ssl\.c:\d+", "_ssl.c:N", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"\bport \d+", "port PORT", text)
    text = re.sub(r"\b0x[0-9a-f]+", "0xN", text)
    text = re.sub(r"ends after \S+ seconds", "ends after N seconds", text)
    text = re.sub(r" in (\d)[\d.e+]* s$", r" in \1... s", text, flags=re.MULTILINE)
    # From Python 3.13 on, a traceback quotes all lines of a statement.
    text = re.sub(r"^ {8}(?!at |waits ).*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *[~^]+\n", "", text, flags=re.MULTILINE)
    return text + "\n"


def comparable(text: str) -> str:
    """Leave out how much of the time of a timer has passed, and the size of a header that has a version."""
    text = re.sub(r"[\d,]+(?= bytes of the response)", "N", text)
    return re.sub(r" in \d\.\.\. s$", " in N s", text, flags=re.MULTILINE)


class GalleryTest(unittest.TestCase):
    maxDiff = None

    def test_reports_are_as_recorded(self) -> None:
        self.assertGreaterEqual(len(CASES), 12)
        for name in CASES:
            with self.subTest(name), without_handlers(logging.getLogger()):
                self.assertEqual(comparable(report(name)), comparable(path(name).read_text()))

    def test_the_gallery_has_no_other_pictures(self) -> None:
        self.assertEqual({each.stem for each in GALLERY.iterdir()}, set(CASES))


if __name__ == "__main__":
    if sys.argv[1:] != ["--record"]:
        unittest.main()
    for name in CASES:
        if not path(name).exists() or comparable(report(name)) != comparable(path(name).read_text()):
            path(name).write_text(report(name))
