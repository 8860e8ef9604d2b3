"""The cheat sheet: each line of its tables is code of a test that passes, there and here."""

import importlib.util
import re
import unittest
from itertools import pairwise
from typing import Any, NamedTuple

from tests.support import ROOT, run_each, run_python

FOLDER = ROOT / "docs" / "examples" / "cheat_sheet"
PAGE = (ROOT / "docs" / "cheat_sheet.rst").read_text()


class Section(NamedTuple):
    prefix: str
    """The names of its files begin with this."""
    module: str
    """The module of the other library."""


SECTIONS = {
    "tornado.testing": Section("tornado", "tornado"),
    "unittest.IsolatedAsyncioTestCase": Section("isolated", "unittest"),
    "pytest-asyncio": Section("asyncio", "pytest_asyncio"),
    "pytest-tornado": Section("pytest_tornado", "pytest_tornado"),
    "pytest-tornasync": Section("tornasync", "pytest_tornasync"),
    "pytest-jupyter": Section("jupyter", "pytest_jupyter"),
}

#: A row: both columns, and the difference.
ROW = re.compile(r"^   \* - (.*)\n     - (.*)\n     - (.*)\n", re.MULTILINE)


def rows() -> dict[str, list[tuple[str | Any, ...]]]:
    """Return the rows of each section: the columns for there and for here."""
    titles = list(re.finditer(r"^(.+)\n-+\n", PAGE, re.MULTILINE))
    ends = pairwise([*(title.start() for title in titles), len(PAGE)])
    return {
        title[1]: [row.group(1, 2) for row in ROW.finditer(PAGE, *end)][1:]
        for title, end in zip(titles, ends, strict=True)
    }


def source(section: Section, side: str) -> str:
    """Return the tests for one side, with their commands and settings."""
    return "\n".join(path.read_text() for path in sorted(FOLDER.glob(f"{section.prefix}_{side}.*")))


def commands() -> list[tuple[str, str]]:
    """Return the commands in the docstrings of the files, each with the module that it needs."""
    modules = {section.prefix: section.module for section in SECTIONS.values()}
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        prefix = path.stem.rpartition("_")[0]
        docstring = path.read_text().split('"""')[1]
        for command in re.findall(r"^    (python .*)", docstring, re.MULTILINE):
            is_foreign = "_there" in command or prefix == "jupyter"
            found.append((command, modules[prefix] if is_foreign else "asynctest_tornado"))
    return found


def run(command: str) -> str:
    done = run_python(*command.split()[1:])
    return done.stdout + done.stderr


class CheatSheetTest(unittest.TestCase):
    def test_all_sections_have_rows(self) -> None:
        found = rows()
        self.assertEqual(found.keys(), SECTIONS.keys())
        self.assertGreater(sum(map(len, found.values())), 40)

    def test_each_row_is_code_of_the_tests(self) -> None:
        for title, lines in rows().items():
            for there, here in lines:
                for side, cell in ("there", there), ("here", there if here == "the same" else here):
                    pieces = re.findall(r"``(.*?)``", cell)
                    self.assertNotEqual(pieces, [], cell)
                    for piece in pieces:
                        with self.subTest(title, side=side):
                            self.assertIn(piece, source(SECTIONS[title], side))

    def test_the_tests_pass(self) -> None:
        """Without the tests for libraries that are not installed: ``tests.conformance.cheat_sheet`` runs all."""
        wanted = [command for command, module in commands() if importlib.util.find_spec(module)]
        self.assertGreater(len(wanted), 6)
        for command, said in zip(wanted, run_each(run, wanted), strict=True):
            with self.subTest(command):
                self.assertRegex(said, r"\nOK\n|(^|\n)\d+ passed(, \d+ warnings?)? in |=+ \d+ passed\b[^a-z]*(,|in) ")


if __name__ == "__main__":
    unittest.main()
