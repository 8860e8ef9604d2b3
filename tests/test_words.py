"""The words of the house: how many per 1,000 hide an actor or a noun, in code, examples, tests and pages.

CONTRIBUTING.rst has the rules. Of a module, its comments, docstrings and other strings are counted.
"""

import functools
import io
import os
import re
import tokenize
import unittest
from collections.abc import Iterable, Iterator
from pathlib import Path

import asynctest_tornado
from tests.support import ROOT

WORDS = {
    "what": r"\bwhat(ever)?\b",  # instead, a noun: the resource, the error, the limit
    "tell": r"\b(tell|tells|told|telling)\b",  # report, record, return, describe
    "somebody": r"\b(some|every|any|no)body\b|\bwhoever\b|\b(some|any)one\b",  # the actor: the test, the user, Tornado
    "that of": r"\b(that|those)\s+of\b",  # the noun, once more
}
#: The greatest number of each, per 1,000 words.
TARGET = {"what": 3.0, "tell": 1.0, "somebody": 0.5, "that of": 0.5}

_WORD = re.compile(r"[a-z']+")
#: The parts of an f-string that are text, from Python 3.12 on; before, it is one string.
_TEXTS = {getattr(tokenize, name, None) for name in ("COMMENT", "STRING", "FSTRING_MIDDLE", "TSTRING_MIDDLE")} - {None}


def texts_of_code(source: str) -> Iterator[tuple[int, str]]:
    """Return the lines of comments and strings, each with its number."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _TEXTS:
            is_f_string = token.type == tokenize.STRING and re.match("(?i)r?f", token.string)
            text = re.sub(r"\{[^{}]*\}", " ", token.string) if is_f_string else token.string
            yield from enumerate(text.splitlines(), token.start[0])


@functools.cache
def texts_of(path: Path) -> list[tuple[int, str]]:
    source = path.read_text(encoding="utf-8")
    return list(texts_of_code(source) if path.suffix == ".py" else enumerate(source.splitlines(), 1))


def count(texts: Iterable[tuple[int, str]], pattern: str) -> tuple[int, list[tuple[int, str]]]:
    """Return the number of all words, and the line of each word that matches."""
    total, hits = 0, []
    for number, text in texts:
        total += len(_WORD.findall(text.lower()))
        hits += [(number, text.strip()) for _ in re.finditer(pattern, text.lower())]
    return total, hits


def frequency(paths: Iterable[Path], pattern: str) -> tuple[float, str]:
    """Return how many of 1,000 words match, and the lines of the files that have the most of these."""
    counted = {path: count(texts_of(path), pattern) for path in paths}
    total = sum(words for words, _ in counted.values())
    found = sum(len(hits) for _, hits in counted.values())
    worst = sorted(counted.items(), key=lambda item: -len(item[1][1]))[:5]
    lines = [f"{os.path.relpath(path, ROOT)}:{number}: {text}" for path, (_, hits) in worst for number, text in hits]
    return 1000 * found / total, "\n".join(lines)


def modules(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*.py")) if path != Path(__file__)]


class WordsTest(unittest.TestCase):
    def check(self, paths: Iterable[Path]) -> None:
        for word, limit in TARGET.items():
            with self.subTest(word=word):
                found, lines = frequency(paths, WORDS[word])
                self.assertLessEqual(found, limit, f"of 1,000 words. Most are in these files:\n{lines}")

    def test_package(self) -> None:
        self.check(modules(Path(asynctest_tornado.__file__).parent))

    def test_examples(self) -> None:
        self.check(modules(ROOT / "examples", ROOT / "docs"))

    def test_tests(self) -> None:
        self.check(modules(ROOT / "tests"))

    def test_pages(self) -> None:
        folders = ROOT, ROOT / "docs", ROOT / "docs" / "recipes"
        self.check([page for folder in folders for page in sorted(folder.glob("*.rst"))])


class CountTest(unittest.TestCase):
    SOURCE = '''
what = tell(nobody)  # What is it? Somebody knows.
"""First line.

Whatever comes."""
f"told {what} or {nobody!r}, and what else"
'''

    def test_comments_and_strings_are_counted_and_code_is_not(self) -> None:
        found = {word: [line for line, _ in count(texts_of_code(self.SOURCE), WORDS[word])[1]] for word in WORDS}
        self.assertEqual(found, {"what": [2, 5, 6], "tell": [6], "somebody": [2], "that of": []})

    def test_expressions_in_strings_are_no_words(self) -> None:
        total, _ = count(texts_of_code('f"told {what} or {nobody!r}"'), WORDS["what"])
        self.assertIn(total, (2, 3))  # with Python 3.11, the "f" is in the string

    def test_lines_are_named(self) -> None:
        found, lines = frequency([Path(__file__)], "somebody knows")
        self.assertGreater(found, 0)
        self.assertRegex(lines, r"tests.test_words\.py:\d+: what = tell\(nobody\)")
