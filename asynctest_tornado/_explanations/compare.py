"""Shows two orders side by side, from the first step that differs."""

# Tested by tests/explanations/test_explain.py.

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from asynctest_tornado._explanations.described_history import BEGINS, ENDS, DescribedHistory
from asynctest_tornado._schedules.holds import Hold, Moment

__unittest = True

#: The steps that are shown before the first one that differs, from there on, and up to the last one that differs.
_BEFORE, _AFTER, _LAST = 2, 5, 3
#: As many steps are all shown, from the first one to the last one that differs.
_ALL = 14
#: The letters of a line, and of a column beside another one.
_LINE, _COLUMN = 96, 47
#: The letters that the name and the place of a step may take in a column, to leave some for its line.
_HEAD = 33
_TITLES = "this order", "asyncio's own order"


class _Step(NamedTuple):
    moment: Moment
    #: The name of its task or callback, and the file and the number of its line; in the end, its text.
    label: str
    file: str
    number: int
    source: str


_Column = Sequence[_Step]


def lines(failing: DescribedHistory, plain: DescribedHistory, holds: Sequence[Hold]) -> list[str]:
    """Return the lines of two columns: the steps of two runs, around the first one that differs.

    Calls of libraries alone are left out, if no deviation is about them.
    """
    named = {moment for hold in holds for moment in hold}
    named_in_plain = set(plain.moments_of(failing, named))
    columns = [list(_steps(failing, named)), list(_steps(plain, named_in_plain))]
    # The same call has the same name in both columns.
    moments = failing.moments_of(plain, [step.moment for step in columns[1]])
    columns[1] = [step._replace(moment=moment) for step, moment in zip(columns[1], moments, strict=True)]
    names = _names(itertools.chain(*columns))
    columns = [[step._replace(label=names[step.moment[:2]]) for step in column] for column in columns]
    pairs = enumerate(itertools.zip_longest(*([step.moment for step in column] for column in columns)))
    differ = [place for place, (one, other) in pairs if one != other]
    if not differ:
        return []
    first = differ[0]
    last = max((place for place, step in enumerate(columns[0]) if step.moment in named), default=0)
    places = [place for place in _places(first, last, differ[-1]) if place < max(map(len, columns))]
    shown = [column[place] for column in columns for place in places if place < len(column)]
    files = {step.file for step in shown if step.file}
    if len(files) == 1:
        columns = [[step._replace(file="") for step in column] for column in columns]
        shown = [step._replace(file="") for step in shown]
    title = f"Around the first step that differs{f', in {min(files)}' if len(files) == 1 else ''}:"
    if sum(len(_head(step)) > _HEAD for step in shown) * 4 <= len(shown):
        one, other = [_rows(column, places, first, _COLUMN) for column in columns]
        pairs_of_rows = zip([f"   {_TITLES[0]}", *one], [f"   {_TITLES[1]}", *other], strict=True)
        return [title, *(f" {left:{_COLUMN + 3}}  {right[3:]}".rstrip() for left, right in pairs_of_rows)]
    one, other = [_rows(column, places, first, _LINE) for column in columns]
    rows = [f" {_TITLES[0]}:", *one, f" {_TITLES[1]}:", *other]
    return [title, *(f" {row}" for row in rows if row)]


def first_difference(failing: DescribedHistory, plain: DescribedHistory) -> tuple[int | None, int | None]:
    """Return the places of the first calls that run code of the user and differ; None if a run has no such call."""
    users = [[place for place in range(len(each.calls)) if each.describe(place).lines] for each in (failing, plain)]
    own = [failing.calls[place].moment for place in users[0]]
    others = failing.moments_of(plain, [plain.calls[place].moment for place in users[1]])
    pairs = enumerate(itertools.zip_longest(own, others))
    first = next((number for number, (one, other) in pairs if one != other), len(own))
    one, other = (places[first] if first < len(places) else None for places in users)
    return one, other


def _places(first: int, last: int, end: int) -> list[int]:
    """Return the places of the steps that are shown.

    :param first: the place of the first step that differs.
    :param last: the place of the last step that a deviation is about.
    :param end: the place of the last step that differs.
    """
    begin = max(0, first - _BEFORE)
    if end < begin + _ALL:
        return list(range(begin, max(first + _AFTER, end + 1)))
    near = range(last + 1) if last <= first + 2 * _AFTER else range(last - 1, last + 2)
    shown = {*range(begin, first + _AFTER), *near, *range(end - _LAST, end + 1)}
    return sorted(place for place in shown if place >= begin)


def _steps(history: DescribedHistory, named: set[Moment]) -> Iterator[_Step]:
    for place, made in enumerate(history.calls):
        description = history.describe(place)
        if description.lines:
            line = description.lines[-1]
            text = description.act if description.act in (BEGINS, ENDS) else line.source
            yield _Step(made.moment, description.label, os.path.basename(line.filename), line.number, text)
        elif made.moment in named:
            origin = history.origin(place)
            by = "" if origin is None else f" by {history.describe(origin).label}"
            yield _Step(made.moment, f"{description.label.removesuffix('()')}{by}", "", 0, description.act)


def _names(steps: Iterable[_Step]) -> dict[tuple[str, int], str]:
    """Return the shortest names that tell tasks and callbacks apart."""
    labels = {step.moment[:2]: step.label.replace(" serving ", " ") for step in steps}
    functions = {who: label.partition("(")[0] for who, label in labels.items()}
    names = {}
    for who, label in labels.items():
        same = sorted(other for other, its in labels.items() if its == label)
        if list(functions.values()).count(functions[who]) == 1:
            names[who] = functions[who]
        else:
            names[who] = label if len(same) == 1 else f"{functions[who]} #{same.index(who) + 1}"
    return names


def _rows(column: _Column, places: Sequence[int], first: int, width: int) -> list[str]:
    rows = []
    before = places[0] - 1
    for place in places:
        if place != before + 1:
            rows.append("   ...")
        before = place
        mark = "->" if place == first else "  "
        step = column[place] if place < len(column) else None
        rows.append("" if step is None else f"{mark} {_cut(f'{_head(step, width)} {step.source}', width)}")
    return rows


def _head(step: _Step, width: int = _COLUMN) -> str:
    # The end of a call or a request tells it from others.
    label = _cut(step.label, width // 2, 8 if re.search(r"\W", step.label) else 0)
    return f"{label} {step.file}:{step.number}" if step.number else label


def _cut(text: str, width: int, end: int = 0) -> str:
    """Return a text, shortened; it keeps some letters of its end."""
    return text if len(text) <= width else f"{text[: width - 3 - end]}...{text[len(text) - end :]}"
