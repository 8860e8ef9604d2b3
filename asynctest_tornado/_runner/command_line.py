"""main(): the options of unittest, of Tornado, and our own."""

import argparse
import itertools
import logging
import os
import shlex
import signal
import sys
import unittest
from collections.abc import Iterable, Sequence
from logging import StreamHandler
from typing import Any

from tornado import log
from tornado.options import Error, define, options, parse_command_line

from asynctest_tornado._logs import recording
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
_MEANINGS = {
    "verbose": "print a line for each test, and not only a dot",
    "quiet": "print no dots",
    "failfast": "stop at the first failure",
    "catch": "let Ctrl-C end the run after the test that runs; a second one ends it at once",
    "buffer": "show the output of tests only if they fail",
}
#: Options that unittest has, or that are for this library's runner alone.
_ARGUMENTS: dict[tuple[str, ...], dict[str, Any]] = {
    ("-k",): {"dest": "pattern", "action": "append", "help": "run only the tests whose names match, such as *order*"},
    # Tornado takes one dash for two, and has no short options.
    **{
        (f"-{name[0]}", f"-{name}"): {"dest": name, "action": "store_true", "help": meaning}
        for name, meaning in _MEANINGS.items()
    },
    ("--locals",): {"action": "store_true", "help": "show the local variables in tracebacks"},
    ("--durations",): {"metavar": "N", "type": int, "help": "show the N slowest tests, 0 for all"},
    ("--junit",): {"metavar": "FILE", "help": "write JUnit XML to the file, for build servers"},
}
#: Options of Tornado, for the help.
_OF_TORNADO: dict[str, dict[str, Any]] = {
    "--logging": {
        "metavar": "LEVEL",
        "help": "the lowest level of the logs: debug, info, warning, error or none; {} by default",
    },
    "--log-to-stderr": {"action": "store_true", "help": "print all logs at once"},
    "--log-file-prefix": {"metavar": "PATH", "help": "write all logs to a file"},
    "--exception-on-interrupt=false": {"action": "store_true", "help": "let Ctrl-C kill the process, without a report"},
}
_TESTS_HELP = (
    "Runs the tests that are named: modules, classes or methods, such as tests.test_shop.OrderTest. Without names, "
    "runs all tests that unittest discovers."
)
_REPLACE_HELP = (
    "python -m asynctest_tornado --replace -m unittest, or another module and its arguments, runs a suite for "
    "tornado.testing as it is. {} stand before -m."
)


def main(**kwargs: Any) -> None:
    """Run tests from the command line, with the options of ``unittest`` and of Tornado.

    ::

        python -m asynctest_tornado --verbose my_package.my_test

    A script that calls this function runs the suite that its function ``all()`` returns, if the command line names no
    test. The options of ``tornado.options`` are there, logging among them; a program may define more before.

    Our own options are ``--timeout``, ``--leaks``, ``--schedules``, ``--seed``, ``--order`` and ``--show-logs``, which
    set environment variables, ``--durations N`` and ``--junit FILE``; ``--help`` explains them. They are no options of
    ``tornado.options``: a program may define an option of the same name, which is then its own. On a terminal, a test
    that takes longer than a second is shown while it runs.

    The logs of a test are printed with its failure, and not at once, unless ``--show-logs`` or Tornado's
    ``--log-to-stderr`` asks for that. The last lines name the failed tests, with the commands that run them. Ctrl-C
    ends the run; the tests so far are reported, and the exit status is 130.

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
    # As under unittest and pytest, because tests may look at all of their logs. For main(), it is "info".
    options.logging = "warning"
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
        _print_help(_parser(is_for_help=True))
        sys.exit(0)
    _check_are_known(rest, parser)
    handlers = logging.getLogger().handlers
    before = handlers[:]
    try:
        names = parse_command_line([sys.argv[0], *rest])
    except Error as error:
        parser.error(str(error))
    if options.log_to_stderr is None:
        # Tornado adds it in any case, and not because the user asks for the logs.
        new = [handler for handler in handlers if handler not in before]
        recording.handlers_of_runner += [handler for handler in new if type(handler) is StreamHandler]
    if not options.exception_on_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, meaning in _UNITTEST_OPTIONS.items():
        if getattr(own, name, None) or getattr(options, name) is not None:
            kwargs.update(meaning)
    _apply(parser, own)
    if getattr(own, "locals", False):
        kwargs["tb_locals"] = True
    _set_runner(kwargs, parser, own)
    patterns = [argument for pattern in getattr(own, "pattern", None) or () for argument in ("-k", pattern)]
    return [sys.argv[0], *names, *patterns]


def _print_help(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Tornado's options")
    for flag, keywords in _OF_TORNADO.items():
        group.add_argument(flag, **{**keywords, "help": keywords["help"].format(options.logging)})
    # To the stream that Tornado writes its own help to.
    parser.print_help(sys.stderr)
    ours = (__file__, log.__file__, "")
    if any(group not in ours for group in options.groups()):
        print("\nOptions of the program, and all of Tornado's:", file=sys.stderr)
        options.print_help(sys.stderr)


def _check_are_known(arguments: Iterable[str], parser: argparse.ArgumentParser) -> None:
    """Exit if an option is unknown. Tornado would print all options that it has, and then the error."""
    given = list(arguments)
    for place, argument in enumerate(given):
        if not _is_option(argument) or argument == "--":
            return
        name = argument.lstrip("-").partition("=")[0]
        if name in options:
            continue
        if argument == "-m":
            words = shlex.join(["--replace", *given[place:]])
            parser.error(f"-m needs --replace before it. Did you mean {words}? Without a module, name the tests alone")
        known = {*OPTIONS, *(flags[-1] for flags in _ARGUMENTS), *(f"--{each}" for each in options)}
        parser.error(f"Unrecognized command line option: {name!r}{_did_you_mean(name, known)}")


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    meant = spelling.meant(name.partition("=")[0], known)
    return f". Did you mean {meant}?" if meant else ""


def _is_option(argument: str) -> bool:
    return argument.startswith("-")


def _set_runner(kwargs: dict[str, Any], parser: argparse.ArgumentParser, values: argparse.Namespace) -> None:
    junit, durations = getattr(values, "junit", None), getattr(values, "durations", None)
    has_runner = kwargs.get("testRunner") is not None
    for name, value in ("--junit", junit), ("--durations", durations):
        # From Python 3.12 on, unittest hands the durations to any runner.
        if value is not None and has_runner and (name == "--junit" or sys.version_info < (3, 12)):
            parser.error(
                f"{name} needs unittest's own test runner, and the program has another, the argument testRunner"
            )
    if junit is not None:
        try:
            results.check_junit(junit)
        except OSError as error:
            parser.error(f"--junit={junit}: {error}")
    if durations is not None and sys.version_info >= (3, 12):
        kwargs["durations"] = durations
    if not has_runner:
        kwargs["testRunner"] = results.runner(junit, durations)


def _apply(parser: argparse.ArgumentParser, values: argparse.Namespace) -> None:
    for option, setting in OPTIONS.items():
        value = getattr(values, option.removeprefix("--").replace("-", "_"), None)
        if value is not None:
            try:
                setting.read(value, f"the option {option}", is_text=True)
            except ValueError as error:
                parser.error(str(error))
            os.environ[setting.variable] = settings.by_option[setting.variable] = value


def _parser(is_for_help: bool = False) -> argparse.ArgumentParser:
    """Return a parser that takes our options from the command line, and leaves the others to Tornado and unittest.

    :param is_for_help: show long options with two dashes, which Tornado parses.
    """
    parser = argparse.ArgumentParser(
        sys.argv[0],
        usage="%(prog)s [option ...] [test ...]",
        description=_TESTS_HELP,
        epilog=_REPLACE_HELP.format(", ".join(OPTIONS)),
        add_help=False,
        allow_abbrev=False,
    )
    for flags, keywords in _ARGUMENTS.items():
        shown = tuple(f"-{flag}" if len(flag) > 2 and flag[1] != "-" else flag for flag in flags)
        _add_unless_defined(parser, shown if is_for_help else flags, keywords)
    _add_settings(parser)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    for option, setting in OPTIONS.items():
        # An option without a unit is a switch.
        kind = {"metavar": setting.unit} if setting.unit else {"action": "store_const", "const": "1"}
        _add_unless_defined(parser, (option,), {**kind, "help": setting.meaning})


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
    for name, meaning in _MEANINGS.items():
        define(name, type=bool, help=meaning)
