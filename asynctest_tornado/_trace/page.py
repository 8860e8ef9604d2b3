"""Draws a trace as an HTML page that needs nothing else.

Each task has a column, and each event a line.
"""

from collections.abc import Sequence, Set
from html import escape

from asynctest_tornado._trace.columns import Columns
from asynctest_tornado._trace.page_style import STYLE
from asynctest_tornado._trace.recorder import ARRIVED, ERROR, FAULT, JUMP, SENT
from asynctest_tornado._trace.story import Row, Story

__unittest = True

#: The most events that the page shows, and how many of them come after the failing one.
_MOST_ROWS = 600
_MOST_AFTER = 300
#: Pixels.
_ROW = 24


def text(story: Story, json_name: str) -> str:
    """Return the page.

    :param json_name: the name of the file with the trace events, which the page leads to.
    """
    rows, before, after = _window(story.rows)
    shown = {row.event.number for row in rows}
    columns = Columns(rows)
    body = [
        f"<h1>{escape(story.title)}</h1>",
        *(_failure(row) for row in rows if row.event.kind == ERROR),
        f"<p>{escape(_summary(story, len(rows), before, after, columns.shared))}</p>",
        *([f"<p><code>{escape(story.hint)}</code></p>"] if story.hint else ()),
        f'<p><a href="{escape(json_name)}">{escape(json_name)}</a> has all of it, for '
        '<a href="https://ui.perfetto.dev">ui.perfetto.dev</a>. A curve leads from the step that has woken another one '
        "to that one, a thick line from a message to its arrival.</p>",
        '<div class="trace">',
        _drawing(rows, columns),
        "<ol>",
        *(_item(row, shown) for row in rows),
        "</ol></div>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(story.title)}</title><style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n"
        "</body></html>\n"
    )


def _failure(row: Row) -> str:
    number = row.cause or row.event.number
    return f'<p class="fail"><a href="#e{number}" title="To the step that fails">{escape(row.what)}</a></p>'


def _window(rows: Sequence[Row]) -> tuple[Sequence[Row], int, int]:
    """Return the rows around the failure, with all errors, and how many come before and after them."""
    failing = next((place for place, row in enumerate(rows) if row.is_failing), len(rows))
    end = min(len(rows), failing + _MOST_AFTER)
    start = max(0, end - _MOST_ROWS)
    end = min(len(rows), start + _MOST_ROWS)
    errors = [row for row in rows[end:] if row.event.kind == ERROR]
    return [*rows[start:end], *errors], start, len(rows) - end - len(errors)


def _summary(story: Story, shown: int, before: int, after: int, shared: int) -> str:
    sentences = [f"{shown} {'event' if shown == 1 else 'events'}."]
    if story.is_blind:
        sentences.append("The steps of tasks are missing: the loop is none of asyncio's own.")
    left_out = [
        (before, "events before these"),
        (after, "events after these"),
        (story.hidden, "calls in which no line of the test or the application runs"),
    ]
    known = [f"{count:,} {what}" for count, what in left_out if count]
    if known:
        sentences.append(f"Left out here: {', '.join(known)}.")
    if story.dropped:
        sentences.append(f"Not kept at all: the first {story.dropped:,} events of the test.")
    if shared:
        sentences.append(f"{shared} tasks and requests share the last column, for lack of room.")
    if story.events and story.events[-1].clock is not None:
        sentences.append("Times are virtual.")
    return " ".join(sentences)


def _drawing(rows: Sequence[Row], columns: Columns) -> str:
    width, height = columns.width, len(rows) * _ROW
    places = {
        row.event.number: (columns.x(columns.of(row)), index * _ROW + _ROW // 2) for index, row in enumerate(rows)
    }
    parts = [
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="The events">',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
    ]
    parts += [_stripe(row, places, width) for row in rows if row.is_failing or row.event.kind == JUMP]
    for span in columns.spans:
        x, top, bottom = columns.x(span.column), span.first * _ROW + _ROW // 2, span.last * _ROW + _ROW // 2
        parts.append(f'<path class="lane {_colour(span.lane.number)}" d="M{x},{top} V{bottom}"/>')
    for row in rows:
        if row.cause in places and row.event.kind != JUMP:
            parts.append(_arrow(places[row.cause], places[row.event.number]))
        if row.event.message in places:
            (x, top), (_, bottom) = places[row.event.message], places[row.event.number]
            parts.append(f'<path class="message" marker-end="url(#head)" d="M{x},{top + 6} V{bottom - 6}"/>')
    parts += [_mark(row, *places[row.event.number]) for row in rows]
    return "".join([*parts, "</svg>"])


def _stripe(row: Row, places: dict[int, tuple[int, int]], width: int) -> str:
    _, y = places[row.event.number]
    if row.event.kind == JUMP:
        return f'<path class="jump" d="M0,{y} H{width}"/>'
    return f'<rect class="fails" x="0" y="{y - _ROW // 2}" width="{width}" height="{_ROW}"/>'


def _arrow(source: tuple[int, int], target: tuple[int, int]) -> str:
    (x, top), (to, bottom) = source, target
    if x == to:
        return ""  # the line of the lane leads there
    bottom -= 6
    bend = min(_ROW, (bottom - top) / 2)
    return (
        f'<path class="wake" marker-end="url(#head)" d="M{x},{top} C{x},{top + bend:g} {to},{top + bend / 2:g} '
        f'{to},{min(bottom, top + 2 * bend):g} V{bottom}"/>'
    )


def _mark(row: Row, x: int, y: int) -> str:
    title = f"<title>{escape(row.text())}</title>"
    name = f"{_kind(row)} {_colour_of(row)}"
    if row.event.kind in (SENT, ARRIVED):
        return f'<rect class="{name}" x="{x - 4}" y="{y - 4}" width="8" height="8">{title}</rect>'
    if row.event.kind in (ERROR, FAULT):
        cross = f"M{x - 5},{y - 5} l10,10 m0,-10 l-10,10"
        return f'<path class="{name}" d="{cross}">{title}</path>'
    return f'<circle class="{name}" cx="{x}" cy="{y}" r="{3 if row.event.kind == JUMP else 4.5}">{title}</circle>'


def _kind(row: Row) -> str:
    kind = row.event.kind
    return "error" if kind in (ERROR, FAULT) else "still" if kind == JUMP else kind


def _colour_of(row: Row) -> str:
    return "plain" if row.lane is None else _colour(row.lane.number)


def _colour(number: int) -> str:
    return f"c{number % 8}"


def _item(row: Row, shown: Set[int]) -> str:
    number = row.event.number
    by = ""
    if row.cause in shown:
        by = f'<a class="by" href="#e{row.cause}" title="The event that has led here">&#8593;{row.cause}</a>'
    elif row.cause:
        by = f'<span class="by">&#8593;{row.cause}</span>'
    elif row.thread:
        by = f'<span class="by">by the thread {escape(row.thread)}</span>'
    who = f'<b class="{_colour_of(row)}">{escape(row.who)}</b> ' if row.who else ""
    word, _, place = row.place.partition(" ")
    line = f" {word} <code>{escape(place)}{f': {escape(row.source)}' if row.source else ''}</code>" if place else ""
    line += escape(row.end)
    fails = ' class="fails"' if row.is_failing else ""
    return (
        f'<li id="e{number}"{fails} title="{escape(row.text())}"><span class="no">{number}</span>'
        f"<time>{escape(row.when)}</time>{who}{escape(row.what)}{line}{by}</li>"
    )
