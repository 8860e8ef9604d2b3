"""A gallery of tests that are stuck or mistaken: the report of each, compared with the recorded one.

Where a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_gallery --record
"""

import re
import sys
import unittest
from pathlib import Path

from tests.samples import mistaken, stuck
from tests.support import ROOT, run_case

GALLERY = ROOT / "tests" / "gallery"
CASES = {
    name: cls
    for module in (stuck, mistaken)
    for name, cls in vars(module).items()
    if getattr(cls, "__module__", None) == module.__name__ and issubclass(cls, unittest.TestCase) and name[0] != "_"
}


def path(name: str) -> Path:
    return GALLERY / f"{name}.txt"


def report(name: str) -> str:
    """Return the report of a case, without what may differ."""
    text = "\n".join(run_case(CASES[name]).report.splitlines())
    text = text.replace(f"{ROOT}/", "")
    text = re.sub(r"<Task-\d+>", "<Task-N>", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"ends after \S+ seconds", "ends after N seconds", text)
    text = re.sub(r" in (\d)[\d.e+]* s$", r" in \1... s", text, flags=re.MULTILINE)
    # From Python 3.13 on, a traceback quotes all lines of a statement.
    text = re.sub(r"^ {8}(?!at |waits ).*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *[~^]+\n", "", text, flags=re.MULTILINE)
    return text + "\n"


class GalleryTest(unittest.TestCase):
    maxDiff = None

    def test_reports_are_as_recorded(self) -> None:
        self.assertGreaterEqual(len(CASES), 12)
        for name in CASES:
            with self.subTest(name):
                self.assertEqual(report(name), path(name).read_text())

    def test_the_gallery_has_no_other_pictures(self) -> None:
        self.assertEqual({each.stem for each in GALLERY.iterdir()}, set(CASES))


if __name__ == "__main__":
    if sys.argv[1:] != ["--record"]:
        unittest.main()
    for name in CASES:
        path(name).write_text(report(name))
