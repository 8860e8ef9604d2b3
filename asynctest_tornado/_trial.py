"""Runs a program as it is, with this library in the place of ``tornado.testing``, and tells what was seen."""

import contextlib
import importlib.util
import runpy
import sys
from collections.abc import Iterator, Sequence

from asynctest_tornado import _runner, _summary

__unittest = True


def run(before: Sequence[str], after: Sequence[str]) -> None:
    """Run a program.

    :param before: what stands before ``--replace`` on the command line: options of ours.
    :param after: what stands after it: ``-m``, a module and its arguments, or options and tests for our own runner.

    Raises ``SystemExit``, as the program does.
    """
    if after[:1] != ["-m"]:
        sys.argv[1:] = [*before, *after]
        _replace()
        with _told():
            _runner.discover()
    elif len(after) < 2:
        sys.exit("--replace -m wants the name of a module: python -m asynctest_tornado --replace -m unittest")
    else:
        _runner.apply(before)
        _run_module(after[1], after[2:])


def _run_module(module: str, arguments: Sequence[str]) -> None:
    if module == "pytest":
        # As its plugin: it has to reach the workers of pytest-xdist, and tells what all of them have seen.
        sys.argv[1:] = ["-p", "asynctest_tornado.replace", *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    sys.argv[1:] = arguments
    _replace()
    if not _is_there(module):
        sys.exit(f"{sys.executable}: No module named {module}")
    with _told():
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _replace() -> None:
    try:
        from asynctest_tornado import replace  # noqa: F401  # for its effect, and not before somebody wants it
    except ImportError as error:
        sys.exit(str(error))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell what was seen in the block, after the report of unittest and where that is."""
    with _summary.wanted() as summary:
        try:
            yield
        finally:
            print("", "asynctest_tornado:", *(f"  {line}" for line in summary.lines()), sep="\n", file=sys.stderr)
