"""Says in the lines of the user why an order fails."""

from collections.abc import Sequence

from asynctest_tornado._explanations import compare
from asynctest_tornado._explanations.described_history import DescribedHistory, Description, Line
from asynctest_tornado._schedules.holds import Hold, Moment
from asynctest_tornado._util import names

__unittest = True

#: The letters of a line that are shown.
_LONGEST = 70
#: The letters of a clause in one line.
_WIDTH = 120
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_REVERSED = "  In asyncio's own order it is the other way round."
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def text(failing: DescribedHistory, plain: DescribedHistory, holds: Sequence[Hold]) -> str:
    """Return sentences about each deviation, and the two orders side by side, from where they differ.

    :param failing: a run with the deviations, which fails.
    :param plain: a run in the order of asyncio, which passes.
    :param holds: the deviations, as few as possible.
    """
    if len(holds) == 1:
        lines = _sentences(holds[0], failing, plain)
        lines[0] = f"It fails when {lines[0]}"
    else:
        lines = ["It fails when all of these happen:"] if holds else []
        in_time = sorted(holds, key=lambda hold: failing.place_of(hold.until) or 0)
        sentences = [_sentences(hold, failing, plain) for hold in in_time]
        are_reversed = all(each[-1] == _REVERSED for each in sentences)
        for number, (first, *rest) in enumerate(sentences, 1):
            lines += [f"{number}. {first}", *(f" {line}" for line in (rest[:-1] if are_reversed else rest))]
        if are_reversed and holds:
            lines.append("In asyncio's own order, each of them is the other way round.")
    if holds and not any(_has_user(place, failing) for hold in holds for place in map(failing.place_of, hold)):
        lines += _first_difference(failing, plain)
    return "\n".join([*lines, *compare.lines(failing, plain, holds)])


def _sentences(hold: Hold, failing: DescribedHistory, plain: DescribedHistory) -> list[str]:
    """Return the lines of the sentences about a deviation. All but the first one are indented."""
    until, moment = failing.place_of(hold.until), failing.place_of(hold.moment)
    moment_in_plain, until_in_plain = [plain.place_of(each) for each in plain.moments_of(failing, hold)]
    after, history = moment, failing
    if moment_in_plain is not None and (moment is None or failing.describe(moment).has_error):
        # The test has failed before, and that has cancelled the task. The order of asyncio has what it would have done.
        after, history = moment_in_plain, plain
    if until is None or after is None:
        return [f"{_text_of(hold.until if until is None else hold.moment)} is held back or waited for in vain."]
    if moment is not None and moment < until:
        return [f"{_text_of(hold.moment)} is held back, and goes on before {_text_of(hold.until)} all the same."]
    one, other = _name(until, failing), _name(after, history)
    first, second = failing.describe(until), history.describe(after)
    verb = "does" if first.act == second.act else second.act
    begin = f"{one} {first.act}{_times(until, failing)}"
    end = f"before {other} {verb}{_times(after, history)}"
    return [
        *_clause(begin, first, _result(until, failing)),
        *(f"  {line}" for line in _clause(end, second, _result(after, history), ".")),
        _order_of_asyncio(moment_in_plain, until_in_plain, one, other),
    ]


def _has_user(place: int | None, history: DescribedHistory) -> bool:
    """Return whether a sentence about a call names a line of the user."""
    return place is not None and bool(history.describe(place).lines or history.result(place) is not None)


def _first_difference(failing: DescribedHistory, plain: DescribedHistory) -> list[str]:
    """Return a sentence about the first steps of the user's code that differ; none if one of the runs has no more."""
    one, other = compare.first_difference(failing, plain)
    if one is None or other is None:
        return []
    steps = [
        f"{_name(place, history)} {history.describe(place).act} at {_at(history.describe(place).lines[0])}"
        for place, history in ((one, failing), (other, plain))
    ]
    return [f"  After that, {steps[0]};", f"    in asyncio's own order, {steps[1]} instead."]


def _times(place: int, history: DescribedHistory) -> str:
    times = history.times(place)
    return f" for the {_ordinal(times)} time" if times > 1 else ""


def _ordinal(number: int) -> str:
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    return f"{number}{'th' if number % 100 // 10 == 1 else _ENDINGS.get(number % 10, 'th')}"


def _result(place: int, history: DescribedHistory) -> str:
    """Return the call of the user's that a call of a library has led to, as a part of the sentence; else nothing."""
    result = None if history.describe(place).lines else history.result(place)
    if result is None:
        return ""
    description = history.describe(result)
    is_same = history.calls[result].moment[:2] == history.calls[place].moment[:2]
    return f"so that {'it' if is_same else _name(result, history)} {description.act} at {_at(description.lines[0])}"


def _text_of(moment: Moment) -> str:
    return ".".join(map(str, moment))


def _order_of_asyncio(moment: int | None, until: int | None, one: str, other: str) -> str:
    """Return a sentence about the same two calls in the order of asyncio, where they have these places."""
    if until is None and moment is None:
        return "  In asyncio's own order, neither of them comes that far."
    if until is None or moment is None:
        return f"  In asyncio's own order, {one if until is None else other} does not come that far."
    if moment < until:
        return _REVERSED
    return "  So it is in asyncio's own order, too; other deviations may change that."


def _name(place: int, history: DescribedHistory) -> str:
    """Return the name of the task or callback of a call, which no other one has."""
    label, who = history.describe(place).label, history.calls[place].moment[:2]
    name = label if label.startswith("a callback ") else f"`{label}`"
    origin = history.origin(place)
    if origin is not None:
        return f"{name} (by {_name(origin, history)})"
    same = history.named(label)
    if len(same) < 2 or who not in same:
        return name
    return f"the {_ordinal(same.index(who) + 1)} {name}"


def _clause(begin: str, description: Description, result: str, end: str = "") -> list[str]:
    """Return a clause about a call: its lines, and the object that it has waited for. In one line, if that fits.

    :param result: the call of the user's that it has led to, if it is one of a library.
    """
    parts = [f"at {_at(line)}" for line in description.lines]
    parts[1:] = [f"and {part}" for part in parts[1:]]
    if description.waited_at is not None:
        if not description.lines:
            parts.append(
                f"in `{description.waited_for}` at {_at(description.waited_at)}"
                if description.waited_for
                else _at(description.waited_at)
            )
        elif description.lines[-1] != description.waited_at:
            if description.waited_for:
                parts[-1] += ","
                parts.append(f"having waited for `{description.waited_for}`")
                end = end or ","
        elif description.up_to is not None and description.waited_at.number < description.up_to.number:
            parts.append(f"up to {_at(description.up_to)}")
    if result:
        if parts:
            parts[-1] += ","
        else:
            begin += ","
        parts.append(result)
        end = end or ","
    whole = " ".join([begin, *parts]) + end
    if len(whole) <= _WIDTH or not parts:
        return [whole]
    parts[-1] += end
    return [begin, *(f"    {part}" for part in parts)]


def _at(line: Line) -> str:
    source = line.source if len(line.source) <= _LONGEST else f"{line.source[:_LONGEST]}..."
    place = f"{names.relative(line.filename)}:{line.number}"
    return f"{place} (`{source}`)" if source else place
