"""main(): unittest's command line with Tornado's options."""

import os
import signal
import sys
import unittest
from typing import Any

from tornado.options import define, options, parse_command_line

from asynctest_tornado import _leaks, _orders

__unittest = True

#: unittest's options, by the names that they have as options of Tornado, and what they mean to ``unittest.main``.
_UNITTEST_OPTIONS: dict[str, dict[str, Any]] = {
    "verbose": {"verbosity": 2},
    "quiet": {"verbosity": 0},
    "failfast": {"failfast": True},
    "catch": {"catchbreak": True},
    "buffer": {"buffer": True},
}

#: Our own: the environment variable that each of them sets, also for the processes that tests start; what raises
#: ``ValueError`` for a wrong value; and what it means.
_OWN_OPTIONS = {
    "schedules": (_orders.SCHEDULES, _orders.check_count, "under how many orders of what is ready each test runs"),
    "seed": (_orders.SEED, _orders.check_seed, "the order to run tests in, to replay one that a report tells of"),
    "leaks": (
        _leaks.ENVIRONMENT,
        _leaks.check,
        "what becomes of a test that leaves something behind: " + ", ".join(_leaks.ACTIONS),
    ),
}


def main(**kwargs: Any) -> None:
    """Run tests from the command line, with the options of ``unittest`` and those of Tornado.

    ::

        python -m asynctest_tornado --verbose my_package.my_test

    A script that calls this function runs what its function ``all()`` returns, where no test is named on the command
    line. Tornado's options are those of ``tornado.options``, logging among them; a program may define more before.

    :param kwargs: arguments for ``unittest.main``. The command line overrides them.

    Raises ``SystemExit``, as ``unittest.main`` does.

    From ``tornado.testing``. New in version 0.1.
    """
    _define_options()
    argv = [sys.argv[0], *parse_command_line(sys.argv)]
    if not options.exception_on_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, meaning in _UNITTEST_OPTIONS.items():
        if getattr(options, name) is not None:
            kwargs.update(meaning)
    for name, (variable, check, _) in _OWN_OPTIONS.items():
        value = getattr(options, name)
        if value is not None:
            check(value, f"--{name}")
            os.environ[variable] = value
    if len(argv) > 1:
        # Without a module, unittest takes the names for fully qualified ones, and imports nothing else.
        unittest.main(module=None, argv=argv, **kwargs)
    else:
        unittest.main(defaultTest="all", argv=argv, **kwargs)


def _define_options() -> None:
    if "exception_on_interrupt" in options:
        return
    define(
        "exception_on_interrupt",
        type=bool,
        default=True,
        help="raise KeyboardInterrupt on ctrl-c, with a traceback; if false, ctrl-c kills the process, which works "
        "even where an exception would be swallowed",
    )
    for name in _UNITTEST_OPTIONS:
        define(name, type=bool)
    for name, (_, _, meaning) in _OWN_OPTIONS.items():
        define(name, type=str, help=meaning)
