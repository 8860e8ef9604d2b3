"""main(): the options of unittest, of Tornado, and our own."""

import argparse
import itertools
import os
import signal
import sys
import unittest
from collections.abc import Iterable, Sequence
from typing import Any

from tornado.options import Error, define, options, parse_command_line

from asynctest_tornado._runner import results
from asynctest_tornado._util import settings, spelling

__unittest = True

#: unittest's options, by their names as options of Tornado, and the arguments of ``unittest.main`` for them.
_UNITTEST_OPTIONS: dict[str, dict[str, Any]] = {
    "verbose": {"verbosity": 2},
    "quiet": {"verbosity": 0},
    "failfast": {"failfast": True},
    "catch": {"catchbreak": True},
    "buffer": {"buffer": True},
}

#: Our own options. They set environment variables, also for the processes that tests start.
OPTIONS = {setting.option: setting for setting in settings.SETTINGS if setting.option}
#: Options that unittest has, or that are for this library's runner alone.
_ARGUMENTS: dict[tuple[str, ...], dict[str, Any]] = {
    ("--durations",): {"metavar": "N", "type": int, "help": "the number of the slowest tests to show, 0 for all"},
    ("--junit",): {"metavar": "FILE", "help": "write JUnit XML to the file"},
    ("--locals",): {"action": "store_true", "help": "show local variables in tracebacks"},
    ("-k",): {"dest": "pattern", "action": "append", "help": "run only tests whose names match the pattern"},
    # Tornado takes one dash for two, and has no short options.
    **{(f"-{name[0]}", f"-{name}"): {"dest": name, "action": "store_true"} for name in _UNITTEST_OPTIONS},
}


def main(**kwargs: Any) -> None:
    """Run tests from the command line, with the options of ``unittest`` and of Tornado.

    ::

        python -m asynctest_tornado --verbose my_package.my_test

    A script that calls this function runs the suite that its function ``all()`` returns, if the command line names no
    test. The options of ``tornado.options`` are there, logging among them; a program may define more before.

    Our own options are ``--timeout``, ``--leaks``, ``--schedules`` and ``--seed``, which set environment variables,
    ``--durations N``, from Python 3.12 on, and ``--junit FILE``; ``--help`` explains them. They are no options of
    ``tornado.options``: a program may define an option of the same name, which is then its own. On a terminal, a test
    that takes longer than a second is shown while it runs.

    :param kwargs: arguments for ``unittest.main``. The command line overrides them.

    Raises ``SystemExit``, as ``unittest.main`` does.

    From ``tornado.testing``. New in version 0.1.
    """
    argv = _parse(kwargs)
    if len(argv) > 1:
        # Without a module, unittest takes the names as fully qualified, and imports nothing else.
        unittest.main(module=None, argv=argv, **kwargs)
    else:
        unittest.main(defaultTest="all", argv=argv, **kwargs)


def discover() -> None:
    """Run the tests that the command line names, or those that unittest discovers."""
    sys.argv[0] = f"{os.path.basename(sys.executable)} -m asynctest_tornado"
    kwargs: dict[str, Any] = {}
    argv = _parse(kwargs)
    unittest.main(module=None, argv=argv, **kwargs)


def apply(arguments: Sequence[str]) -> None:
    """Apply settings from the command line, and no other options."""
    parser = argparse.ArgumentParser("asynctest_tornado", add_help=False, allow_abbrev=False)
    _add_settings(parser)
    values, others = parser.parse_known_args(arguments)
    if others:
        unknown = f"unrecognized arguments: {' '.join(others)}{_did_you_mean(others[0], OPTIONS) or '.'}"
        place = f"Before -m stand {', '.join(OPTIONS)}; the arguments of a module stand after its name"
        parser.error(f"{unknown} {place}")
    _apply(parser, values)


def _parse(kwargs: dict[str, Any]) -> list[str]:
    """Apply the options of the command line; return the tests that it names, after the name of the program.

    :param kwargs: arguments for ``unittest.main``. Some options change them.
    """
    _define_options()
    parser = _parser()
    own, rest = parser.parse_known_args(sys.argv[1:])
    given: set[str] = set(itertools.takewhile(_is_option, rest))
    if given & {"-help", "--help"} or ("-h" in given and "h" not in options):
        # To the stream that Tornado writes its own help to.
        parser.print_help(sys.stderr)
        print("\nOptions of Tornado and of the program:", file=sys.stderr)
        rest = ["--help"]
    try:
        names = parse_command_line([sys.argv[0], *rest])
    except Error as error:
        # The last word is the name, if an option is unknown.
        name = str(error).split()[-1].strip("'")
        known = {*OPTIONS, *(flags[-1] for flags in _ARGUMENTS), *(f"--{each}" for each in options)}
        parser.error(f"{error}{_did_you_mean(name, known)}")
    if not options.exception_on_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, meaning in _UNITTEST_OPTIONS.items():
        if getattr(own, name, None) or getattr(options, name) is not None:
            kwargs.update(meaning)
    _apply(parser, own)
    if getattr(own, "locals", False):
        kwargs["tb_locals"] = True
    if getattr(own, "durations", None) is not None:
        if sys.version_info < (3, 12):
            parser.error(f"--durations needs Python 3.12 or newer, and this is {sys.version.split()[0]}")
        kwargs["durations"] = own.durations
    _set_runner(kwargs, parser, getattr(own, "junit", None))
    patterns = [argument for pattern in getattr(own, "pattern", None) or () for argument in ("-k", pattern)]
    return [sys.argv[0], *names, *patterns]


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    meant = spelling.meant(name.partition("=")[0], known)
    return f". Did you mean {meant}?" if meant else ""


def _is_option(argument: str) -> bool:
    return argument.startswith("-")


def _set_runner(kwargs: dict[str, Any], parser: argparse.ArgumentParser, junit: str | None) -> None:
    if junit is not None:
        if kwargs.get("testRunner") is not None:
            parser.error(
                "--junit needs unittest's own test runner, and the program has another, the argument testRunner"
            )
        try:
            results.check_junit(junit)
        except OSError as error:
            parser.error(f"--junit={junit}: {error}")
    if kwargs.get("testRunner") is None and (junit is not None or sys.stderr.isatty()):
        kwargs["testRunner"] = results.runner(junit)


def _apply(parser: argparse.ArgumentParser, values: argparse.Namespace) -> None:
    for option, setting in OPTIONS.items():
        value = getattr(values, option.removeprefix("--"), None)
        if value is not None:
            try:
                setting.read(value, f"the option {option}", is_text=True)
            except ValueError as error:
                parser.error(str(error))
            os.environ[setting.variable] = value


def _parser() -> argparse.ArgumentParser:
    """Return a parser that takes our options from the command line, and leaves the others to Tornado and unittest."""
    parser = argparse.ArgumentParser(
        sys.argv[0],
        usage="%(prog)s [option ...] [test ...]",
        epilog="python -m asynctest_tornado [option ...] --replace [-m module ...] runs a suite for tornado.testing "
        "unmodified. With -m, the options --timeout, --leaks, --schedules and --seed stand before it; all words after "
        "the name are for the module.",
        add_help=False,
        allow_abbrev=False,
    )
    _add_settings(parser)
    for flags, keywords in _ARGUMENTS.items():
        _add_unless_defined(parser, flags, keywords)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    for option, setting in OPTIONS.items():
        _add_unless_defined(parser, (option,), {"metavar": setting.unit, "help": setting.meaning})


def _add_unless_defined(parser: argparse.ArgumentParser, flags: tuple[str, ...], arguments: dict[str, Any]) -> None:
    if flags[0].lstrip("-") not in options:
        parser.add_argument(*flags, **arguments)


def _define_options() -> None:
    if "exception_on_interrupt" in options:
        return
    define(
        "exception_on_interrupt",
        type=bool,
        default=True,
        help="raise KeyboardInterrupt on ctrl-c, with a traceback; if false, ctrl-c kills the process, also where code "
        "would swallow an exception",
    )
    for name in _UNITTEST_OPTIONS:
        define(name, type=bool)
