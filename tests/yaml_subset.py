"""Reads the subset of YAML that the files in ``docs/examples/ci`` use: block mappings and sequences, and scalars.

All else is an error, so that a file which is read has the same meaning for each parser of YAML.
"""

import itertools
import json
import re
from typing import Any

_KEY = re.compile(r"([\w-]+):(?: (.*))?\Z")
#: A plain scalar that is a string in YAML.
_PLAIN = re.compile(r"(?!(?:yes|no|on|off|null|~|[\d.:_-]+)\Z)[\w$](?:(?!: | #).)*(?<!:)\Z", re.IGNORECASE)


def load(text: str) -> Any:
    """Return the value of a document. Numbers without quotes are integers; keys are strings."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if "\t" in text:
        raise ValueError("there is a tab")
    value, rest = _block(lines, _indent(lines[0]))
    if rest:
        raise ValueError(f"not indented as the lines before: {rest[0]!r}")
    return value


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block(lines: list[str], indent: int) -> tuple[Any, list[str]]:
    """Return the mapping or sequence at the beginning of lines, and the lines after it."""
    if lines[0].lstrip().startswith("- "):
        items = []
        while lines and _indent(lines[0]) == indent and lines[0].lstrip().startswith("- "):
            first = lines[0].replace("- ", "  ", 1)
            if _KEY.match(first.strip()):
                item, lines = _block([first, *lines[1:]], indent + 2)
            else:
                item, lines = _scalar(first.strip()), lines[1:]
            items.append(item)
        return items, lines
    mapping: dict[str, Any] = {}
    while lines and _indent(lines[0]) == indent:
        found = _KEY.match(lines[0].strip())
        if found is None:
            raise ValueError(f"no key: {lines[0]!r}")
        key, scalar = found.groups()
        if key in mapping:
            raise ValueError(f"twice: {key}")
        lines = lines[1:]
        if scalar == "|":
            inner = list(itertools.takewhile(lambda line: _indent(line) > indent, lines))
            mapping[key] = "".join(f"{line[_indent(inner[0]) :]}\n" for line in inner)
            lines = lines[len(inner) :]
        elif scalar is not None:
            mapping[key] = _scalar(scalar)
        elif lines and _indent(lines[0]) > indent:
            mapping[key], lines = _block(lines, _indent(lines[0]))
        else:
            mapping[key] = None
    return mapping, lines


def _scalar(text: str) -> Any:
    if text[0] in '"[' or text.isdigit() or text in ("true", "false"):
        return json.loads(text)
    if _PLAIN.match(text) or re.fullmatch(r"\$\{\{[^{}#]*\}\}", text):
        return text
    raise ValueError(f"not in the subset: {text!r}")
