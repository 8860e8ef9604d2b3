"""Gives each task and request of a drawing a column."""

# Tested by tests/trace/test_page.py.

from collections.abc import Sequence
from typing import NamedTuple

from asynctest_tornado._trace.recorder import Lane
from asynctest_tornado._trace.story import Row

__unittest = True

#: The first column is for callbacks and the like.
_FIRST = 1
_MOST = 40
#: The number of rows for which a column stays empty before it is used again.
_GAP = 1
#: Pixels. Many columns are narrow.
_MARGIN, _WIDE, _NARROW = 14, 18, 10
_MANY = 16


class Span(NamedTuple):
    """A lane, and the rows that it has."""

    lane: Lane
    first: int
    last: int
    column: int


class Columns:
    """The columns of the lanes of some rows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        first: dict[Lane, int] = {}
        last: dict[Lane, int] = {}
        for index, row in enumerate(rows):
            if row.lane is not None:
                first.setdefault(row.lane, index)
                last[row.lane] = index
        self.spans: list[Span] = []
        #: The number of lanes that share the last column because there is no free one.
        self.shared = 0
        ends: list[int] = []
        for lane, begins in first.items():
            free = (place for place, end in enumerate(ends) if end + _GAP < begins)
            place = next(free, len(ends))
            if place >= _MOST:
                place = _MOST - 1
                self.shared += 1
            if place == len(ends):
                ends.append(0)
            ends[place] = max(ends[place], last[lane])
            self.spans.append(Span(lane, begins, last[lane], _FIRST + place))
        self._column = {span.lane: span.column for span in self.spans}
        count = _FIRST + len(ends)
        self._pitch = _WIDE if count <= _MANY else _NARROW
        #: In pixels.
        self.width = self.x(count) + _MARGIN

    def x(self, column: int) -> int:
        """Return the middle of a column, in pixels."""
        return _MARGIN + column * self._pitch

    def of(self, row: Row) -> int:
        """Return the column of a row."""
        return 0 if row.lane is None else self._column[row.lane]
