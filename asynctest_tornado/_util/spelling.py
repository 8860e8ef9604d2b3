"""Find the name that a misspelled one stands for."""

# Tested by tests/unittest/test_misspelled_settings.py.

from collections import Counter
from collections.abc import Iterable

__unittest = True


def plain(name: str) -> str:
    """Return a name without its case and the signs between its words."""
    return name.replace("_", "").replace("-", "").lower()


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the name that a misspelled one stands for, or None, if none is near enough."""
    near = [(distance(plain(name), plain(each)), each) for each in known if is_near(name, each)]
    return min(near)[1] if near else None


def is_near(name: str, known: str) -> bool:
    """Return whether two names differ in case, signs between words, and at most two letters."""
    name, known = plain(name), plain(known)
    letters, others = Counter(name), Counter(known)
    return max((letters - others).total(), (others - letters).total()) <= 2 and distance(name, known) <= 2


def distance(name: str, known: str) -> int:
    """Return how many letters have to be changed, added, left out or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(known) + 1))
    for i, letter in enumerate(name, 1):
        before, row, last = row, [i], before
        for j, other in enumerate(known, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and name[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
