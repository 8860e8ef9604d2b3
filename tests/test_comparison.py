"""The tables of comparison.rst: the cells of this library, and some of others, are measured again."""

import csv
import re
import sys
import unittest

from tests.conformance import peers
from tests.support import ROOT, run_each

PAGE = (ROOT / "docs" / "comparison.rst").read_text()
#: Cells of other libraries, which the environment of the tests has. No test that goes on for ever.
OTHERS = [
    ("errors", "tornado.testing", "IOLoop"),
    ("errors", "tornado.testing", "task, dropped"),
    ("errors", "unittest", "asyncio"),
    ("errors", "anyio", "asyncio"),
    ("errors", "pytest-asyncio", "task, dropped"),
    ("leaks", "unittest", "a task"),
    ("servers", "tornado.testing", "raises"),
]


def recorded(name: str) -> dict[tuple[str, str], str]:
    """Return the cells of a table, by the names of the library and of the column."""
    with (peers.RECORDED / f"{name}.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    return {(row[0], column): value for row in rows for column, value in zip(head[1:], row[1:], strict=True)}


def measured(table: str, label: str, column: str) -> str:
    libraries, columns = peers.TABLES[table]
    return peers.cell(libraries[label], *columns[column], sys.executable)


class CellsTest(unittest.TestCase):
    def test_cells_are_true(self) -> None:
        ours = [
            (table, label, column)
            for table, (libraries, columns) in peers.TABLES.items()
            for label, library in libraries.items()
            for column in columns
            if library.package == peers.OURS and table != "orders"
        ]
        self.assertGreater(len(ours), 15)
        cells = ours + OTHERS
        for cell, value in zip(cells, run_each(measured, *zip(*cells, strict=True)), strict=True):
            with self.subTest(cell):
                table, label, column = cell
                self.assertEqual(value, recorded(table)[label, column])


class TablesTest(unittest.TestCase):
    def test_the_tables_have_all_rows_and_columns(self) -> None:
        for name, (libraries, columns) in peers.TABLES.items():
            with self.subTest(name):
                expected = {(label, column) for label in libraries for column in columns}
                self.assertEqual(recorded(name).keys(), expected)

    def test_the_page_shows_all_tables(self) -> None:
        self.assertEqual(re.findall(r":file: examples/measured/(\w+)\.csv", PAGE), list(peers.TABLES))

    def test_the_versions_are_named(self) -> None:
        said = (peers.RECORDED / "versions.txt").read_text()
        packages = {library.package for libraries, _ in peers.TABLES.values() for library in libraries.values()}
        for package in packages - {"", peers.OURS}:
            self.assertRegex(said, rf"\b{package}\s[\d.]+")


if __name__ == "__main__":
    unittest.main()
