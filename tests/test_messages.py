"""The page messages.rst: each message of the library has its entry, and each entry is about a message.

Messages are found in the source, by these rules.

- A *text* is a string, an f-string, or a sum of these. Each part that is computed becomes an ellipsis.
- A *message* is a text of five words or more with the end of a sentence in it. Shorter texts, and texts without such
  an end, are parts of messages, or words of Python, of Tornado or of HTTP.
- Docstrings, the messages of ``assert``, HTML, and the texts of ``--help`` are left out. Whether a text is for
  ``--help`` is known by a name around it: of the function, of the constant, of the argument, or of the key.

An entry has *wordings*: its heading, and the items of the list below it. A wording is a part of a text, of which an
ellipsis stands for anything. As a message may begin in another text, the words before an ellipsis may be there instead.
"""

import ast
import bisect
import functools
import itertools
import re
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asynctest_tornado
from tests.support import ROOT

PACKAGE = Path(asynctest_tornado.__file__).parent
PAGE = (ROOT / "docs" / "messages.rst").read_text()

_SENTENCE_ENDS = re.compile(r"[.?][\"')]*(?= [A-Z…]|\s*$)|:(?=\n|$)")
_WORD = re.compile(r"[A-Za-z_']{2,}")
_IS_HELP = re.compile(r"(?i)(^|_)(help|meaning)(_|$)")
#: Fields of a text that is formatted later.
_FIELD = re.compile(r"\{[\w.]*(![rs])?(:[^{}]*)?\}")


class Text(NamedTuple):
    place: str
    words: str


def text_of(node: ast.AST) -> str | None:
    """Return the text that this expression is, with ellipses, or None."""
    if isinstance(node, ast.Constant):
        return _FIELD.sub("…", node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [each.value if isinstance(each, ast.Constant) else "…" for each in node.values]
        return "".join(map(str, parts))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left), text_of(node.right)
        return None if left is None and right is None else (left or "…") + (right or "…")
    return None


def name_of(node: ast.AST) -> str:
    """Return the name of a function, variable, attribute or argument; of an assignment, its variable; or nothing."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        node = node.targets[0] if isinstance(node, ast.Assign) else node.target
    # Of a function, variable, attribute and argument.
    return next((str(getattr(node, field)) for field in ("name", "id", "attr", "arg") if hasattr(node, field)), "")


def walk(node: ast.AST, path: str) -> Iterator[Text]:
    """Yield the texts in the node, except docstrings, messages of ``assert``, and texts of ``--help``."""
    if _IS_HELP.search(name_of(node)) or isinstance(node, ast.Assert):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if (text := text_of(node)) is not None:
        yield Text(f"{path}:{getattr(node, 'lineno', 0)}", text)
        yield from computed_in(node, path)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if not _IS_HELP.search(text_of(key) or "" if key else ""):
                yield from walk(value, path)
    else:
        for child in ast.iter_child_nodes(node):
            yield from walk(child, path)


def computed_in(node: ast.AST, path: str) -> Iterator[Text]:
    """Yield the texts in the parts of a text that are computed."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FormattedValue) or text_of(child) is None:
            yield from walk(child, path)
        else:
            yield from computed_in(child, path)


@functools.cache
def texts() -> list[Text]:
    """Return all texts of the package."""
    found: list[Text] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        found += walk(ast.parse(path.read_text()), path.relative_to(PACKAGE).as_posix())
    return found


def is_message(text: str) -> bool:
    return len(_WORD.findall(text)) >= 5 and _SENTENCE_ENDS.search(text) is not None and text[0] != "<"


def entries() -> dict[str, list[str]]:
    """Return the wordings of each entry of the page, by its heading."""
    found: dict[str, list[str]] = {}
    for heading, body in re.findall(r"^``(.+)``\n\.{4,}\n((?:\n|- ``.+``\n)*)", PAGE, re.MULTILINE):
        if heading in found:
            raise ValueError(f"docs/messages.rst has two entries for {heading!r}. Make one of them.")
        found[heading] = [heading, *re.findall(r"^- ``(.+)``$", body, re.MULTILINE)]
    return found


@functools.cache
def found_by_wording() -> dict[str, set[int]]:
    """Return the texts that have each wording, or its end after an ellipsis, of four words or more."""
    # One string for all: to look into each text for each wording takes twenty times as long.
    joined = "\0".join(text.words for text in texts())
    ends = [*itertools.accumulate(len(text.words) + 1 for text in texts())]
    found: dict[str, set[int]] = {}
    for wording in itertools.chain.from_iterable(entries().values()):
        found[wording] = set()
        parts = [part.strip() for part in wording.split("…")]
        for first in range(len(parts)):
            if first and parts[first - 1] not in joined:
                break
            rest = [part for part in parts[first:] if part]
            if first == 0 or len(_WORD.findall(" ".join(rest))) >= 4:
                pattern = "[^\0]*?".join(map(re.escape, rest))
                found[wording] |= {bisect.bisect_right(ends, match.start()) for match in re.finditer(pattern, joined)}
    return found


class MessagesTest(unittest.TestCase):
    def test_each_message_has_an_entry(self) -> None:
        have_entry = set[int]().union(*found_by_wording().values())
        messages = [place for place, text in enumerate(texts()) if is_message(text.words)]
        self.assertGreater(len(messages), 300)
        for message in messages:
            if message not in have_entry:
                where, words = texts()[message]
                with self.subTest(where):
                    self.fail(
                        f"docs/messages.rst has no entry for the message at {where}:\n\n{words}\n\nAdd one, or add its "
                        "wording to the list below the heading of an entry for the same mistake."
                    )

    def test_each_wording_is_in_the_source(self) -> None:
        self.assertGreater(len(entries()), 100)
        for heading, wordings in entries().items():
            for wording in wordings:
                if not found_by_wording()[wording]:
                    with self.subTest(wording):
                        self.fail(
                            f"No message of the library reads {wording!r}, which docs/messages.rst has in its entry "
                            f"{heading!r}. Write there what the message is now, or take it out."
                        )


if __name__ == "__main__":
    unittest.main()
