"""Says in the lines of the user why an order fails."""

import itertools
from collections.abc import Iterator, Sequence

from asynctest_tornado._schedules.holds import Hold, Moment
from asynctest_tornado._schedules.told_history import Line, Told, ToldHistory

__unittest = True

#: The calls that are shown before and after the first one that differs.
_STEPS_AROUND = 5
#: The width of a column that fits beside another one.
_WIDTH = 58


def text(failing: ToldHistory, plain: ToldHistory, holds: Sequence[Hold]) -> str:
    """Return sentences about each deviation, and the two orders side by side, from where they differ.

    :param failing: a run with the deviations, which fails.
    :param plain: a run in the order of asyncio, which passes.
    :param holds: the deviations, as few as possible.
    """
    sentences = [_sentence(hold, failing, plain) for hold in holds]
    if len(sentences) > 1:
        sentences = [f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1)]
        sentences.insert(0, "It fails when all of these happen:")
    elif sentences:
        sentences[0] = f"It fails when {sentences[0]}"
    return "\n".join([*sentences, *_compared(failing, plain)])


def _sentence(hold: Hold, failing: ToldHistory, plain: ToldHistory) -> str:
    first, second = _told_at(hold.until, failing), _told_at(hold.moment, failing)
    if first is None or second is None:
        missing = hold.until if first is None else hold.moment
        return f"{'.'.join(map(str, missing))} is held back or waited for in vain."
    order = ""
    before, after = _place(hold.until, plain), _place(hold.moment, plain)
    if before is not None and after is not None and after < before:
        order = "\n  In asyncio's own order it is the other way round."
    one, other = f"`{first.label}`", f"`{second.label}`"
    if one == other and hold.until[:2] != hold.moment[:2]:
        one, other = f"{one} number {hold.until.which}", f"{other} number {hold.moment.which}"
    return f"{_act(first, one)}\n  before {_act(second, other)}.{order}"


def _act(told: Told, name: str) -> str:
    """Return a clause about a call: who does what, and at which line."""
    if told.waited is None:
        begins = told.goes_on
        return f"{name} {'runs' if begins is None else 'begins' + _at(begins)}"
    waited = f", after `{told.waited.source}`" if told.waited.source else ""
    if told.goes_on is None or told.goes_on.place == told.waited.place:
        return f"{name} goes on{_at(told.waited)}"
    return f"{name} goes on{_at(told.goes_on)}{waited}"


def _at(line: Line) -> str:
    return f" at {line.place} (`{line.source}`)" if line.source else f" at {line.place}"


def _place(moment: Moment, history: ToldHistory) -> int | None:
    return next((place for place, made in enumerate(history.calls) if made.moment == moment), None)


def _told_at(moment: Moment, history: ToldHistory) -> Told | None:
    place = _place(moment, history)
    return None if place is None else history.told[place]


def _compared(failing: ToldHistory, plain: ToldHistory) -> Iterator[str]:
    """Return the lines of two columns: the calls of two runs, around the first one that differs."""
    ours, theirs = [list(_of_user(history)) for history in (failing, plain)]
    pairs = list(itertools.zip_longest(ours, theirs))
    different = next((place for place, (own, other) in enumerate(pairs) if _key(own) != _key(other)), None)
    if different is None:
        return
    yield "The first step that differs, and the steps around it:"
    yield f"    {'in this order':{_WIDTH}}  in the order of asyncio"
    for place in range(max(0, different - _STEPS_AROUND), min(len(pairs), different + _STEPS_AROUND + 1)):
        mark = "->" if place == different else "  "
        own, other = [_cut(_short(each), _WIDTH) for each in pairs[place]]
        yield f" {mark} {own:{_WIDTH}}  {other}".rstrip()


def _of_user(history: ToldHistory) -> Iterator[tuple[Moment, Told]]:
    """Return the calls in which code of the user goes on, as far as that is known."""
    for made, told in zip(history.calls, history.told, strict=True):
        if told.goes_on is not None or told.waited is not None:
            yield made.moment, told


def _key(call: tuple[Moment, Told] | None) -> Moment | None:
    return None if call is None else call[0]


def _short(call: tuple[Moment, Told] | None) -> str:
    if call is None:
        return ""
    told = call[1]
    line = told.goes_on or told.waited
    if line is None:
        return told.label
    place = line.place.rpartition("/")[2]
    return f"{told.label} {place} {line.source}" if told.waited is not None else f"{told.label} begins"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
