"""Writes the files of a trace."""

import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path

from asynctest_tornado._trace import chrome_trace, page
from asynctest_tornado._trace.story import Story
from asynctest_tornado._util import fast_environ, names, settings

__unittest = True

_LONGEST = 120


def write(folder: Path, test: str, order: str, story: Story) -> str:
    """Write the page and the trace events. Return a sentence for the report: where they are, or why they are not.

    :param test: the name of the test.
    :param order: the order of the run, as a part of a file name; empty for the order of asyncio.
    """
    stem = name_of(test, order)
    targets: list[tuple[Path, Callable[[], str]]] = [
        (folder / f"{stem}.html", lambda: page.text(story, f"{stem}.json")),
        (folder / f"{stem}.json", lambda: chrome_trace.text(story)),
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in targets:
            _replace(path, text())
    except (OSError, ValueError) as error:  # ValueError: for example, a null character in the path
        return (
            f"The trace could not be written to {str(folder)!r}: {error}. Set {settings.TRACE.variable} to a folder "
            "that can be written to."
        )
    return f"Trace: {names.relative(str(targets[0][0]))}, and .json for https://ui.perfetto.dev"


def _replace(path: Path, text: str) -> None:
    """Write a file in one step: another process may write the same one, or read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def name_of(test: str, order: str) -> str:
    """Return the name of the files of a test: safe for all systems, and another one for each test and order."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", ".", test).strip(".")
    if readable != test or len(readable) > _LONGEST:
        # Different names may look the same now.
        readable = f"{readable[-_LONGEST:].lstrip('.')}-{zlib.crc32(test.encode(errors='replace')):08x}"
    worker = fast_environ.get("PYTEST_XDIST_WORKER")
    return "-".join(filter(None, (readable, order, worker)))
