"""Run a program with this library in place of ``tornado.testing``, and report."""

import contextlib
import importlib.util
import runpy
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import NoReturn

from asynctest_tornado._replace import import_hook
from asynctest_tornado._replace.summary import Summary
from asynctest_tornado._runner import command_line
from asynctest_tornado._util import observer

__unittest = True


#: Runners of tests: modules without tests.
_RUNNERS = (
    "coverage",
    "django",
    "green",
    "nose2",
    "py.test",
    "pytest",
    "tornado.testing",
    "twisted.trial",
    "unittest",
    "xmlrunner",
)
#: The exit statuses of argparse and of pytest for a wrong command line.
_WRONG_USE = (2, 4)


def run(before: Sequence[str], after: Sequence[str]) -> None:
    """Run a program.

    :param before: the arguments before ``--replace`` on the command line: options of ours.
    :param after: the arguments after it: ``-m``, a module and its arguments, or options and tests for our own runner.

    Raises ``SystemExit``, as the program does.
    """
    if "-m" in before:
        _exit(f"--replace stands before -m. Write --replace {shlex.join(before[before.index('-m') :])}")
    if "-m" not in after:
        _check_is_no_runner([*before, *after])
        sys.argv[1:] = [*before, *after]
        _replace()
        with _reported():
            command_line.discover()
        return
    place = after.index("-m")
    own, module = [*before, *after[:place]], after[place + 1 :]
    if not module:
        _exit("--replace -m wants the name of a module: python -m asynctest_tornado --replace -m unittest")
    command_line.apply(own)
    try:
        _run_module(module[0], module[1:])
    except SystemExit as end:
        misplaced = [each for each in module[1:] if each.partition("=")[0] in _OPTIONS]
        if end.code in _WRONG_USE and misplaced and module[0] != import_hook.TESTING:
            text = f"{', '.join(misplaced)}: options of asynctest_tornado stand before -m and the name of the module."
            print(f"\n{text}", file=sys.stderr)
        raise


_OPTIONS = [*command_line.OPTIONS]
#: The options that are followed by a value.
_WITH_VALUE = [name for name, setting in command_line.OPTIONS.items() if setting.unit]
_WITH_VALUE += ["-k", "--durations", "--junit"]


def _check_is_no_runner(arguments: Sequence[str]) -> None:
    """Exit if the first argument that is no option is a program, whose name comes after ``-m``."""
    for place, argument in enumerate(arguments):
        is_value = place > 0 and arguments[place - 1] in _WITH_VALUE
        if not argument.startswith("-") and not is_value:
            if argument in _RUNNERS:
                words = [*arguments[:place], "--replace", "-m", *arguments[place:]]
                _exit(f"{argument} is no test. Did you mean {shlex.join(words)}?")
            return


def _exit(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(2)


def _run_module(module: str, arguments: Sequence[str]) -> None:
    if module == "pytest":
        # By its plugin, which reaches the workers of pytest-xdist, and reports for all of them.
        sys.argv[1:] = ["-p", "asynctest_tornado.replace", *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    sys.argv[1:] = arguments
    _replace()
    if not _is_there(module):
        sys.exit(f"{sys.executable}: No module named {module}")
    # It is there, so that all importers get the same module.
    warnings.filterwarnings("ignore", f"'{import_hook.TESTING}' found in sys.modules", RuntimeWarning)
    with _reported():
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _replace() -> None:
    try:
        import_hook.replace()
    except ImportError as error:
        sys.exit(str(error))


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """Report the summary of the block, after the report of unittest, and on the same stream."""
    with observer.attached(Summary()) as summary:
        try:
            yield
        finally:
            print("", "asynctest_tornado:", *(f"  {line}" for line in summary.lines()), sep="\n", file=sys.stderr)
