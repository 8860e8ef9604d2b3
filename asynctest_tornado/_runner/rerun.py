"""The failed tests of a run, with the commands that run them again."""

import os
import shlex
import sys
from collections.abc import Iterator
from typing import Any

from tornado.options import options

from asynctest_tornado._util import settings
from asynctest_tornado._util.commands import is_found

__unittest = True

#: How many failed tests are listed.
MOST_SHOWN = 30
#: The beginning of the id of a test that stands for a module that cannot be imported.
_FAILED_IMPORT = "unittest.loader._FailedTest."
#: The settings of the command line that decide whether a test fails.
_OF_VERDICTS: tuple[settings.Setting[Any], ...] = (
    settings.TIMEOUT,
    settings.LEAKS,
    settings.SCHEDULES,
    settings.SEED,
    settings.ORDER,
)


def command() -> str:
    """Return the command that runs tests as this run does, if their names follow."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    given_settings = _settings()
    if spec is None:
        return shlex.join([*_python(sys.argv[0]), sys.argv[0], *given_settings])
    given = sys.orig_argv
    if "asynctest_tornado" in given and "--replace" in given:
        after = given[given.index("--replace") :]
        module = after[after.index("-m") :][:2] if "-m" in after else []
        return shlex.join([*_python("-m"), "-m", "asynctest_tornado", *given_settings, "--replace", *module])
    return shlex.join([*_python("-m"), "-m", spec.name.removesuffix(".__main__"), *given_settings])


def _settings() -> list[str]:
    """Return options for the settings of the command line, and of the environment, that may make a test fail."""
    found = []
    for setting in _OF_VERDICTS:
        value = settings.by_option.get(setting.variable, "")
        if setting is not settings.TIMEOUT:  # an environment has a time limit for all of its runs, mostly
            value = os.environ.get(setting.variable, "")
        # A program may have an option of this name, which is its own.
        if value and setting.option.removeprefix("--") not in options:
            found.append(f"{setting.option}={value}")
    return found


def _python(end: str) -> list[str]:
    """Return the interpreter and its own options, such as ``-W error``, which may make a test fail.

    :param end: the first argument after these.
    """
    given = sys.orig_argv
    options = given[1 : given.index(end)] if end in given else []
    return [os.path.basename(sys.executable) or "python", *options]


def lines(result: Any) -> list[str]:
    """Return the lines about the failed tests of a result, for the end of the run; none if no test has failed."""
    failed = list(dict.fromkeys(_failed(result)))
    if not failed:
        return []
    begin = command()
    more = [f"  and {len(failed) - MOST_SHOWN} more"] if len(failed) > MOST_SHOWN else []
    found = [f"{begin} {shlex.quote(name)}" if is_name else name for name, is_name in failed[:MOST_SHOWN]]
    return ["Failed, each with the command that runs it again:", *(f"  {each}" for each in found), *more]


def _failed(result: Any) -> Iterator[tuple[str, bool]]:
    """Return the names of the failed tests, each with true if unittest finds the test by its name."""
    for test in (*(each[0] for each in (*result.errors, *result.failures)), *result.unexpectedSuccesses):
        yield name_of(test)


def name_of(test: Any) -> tuple[str, bool]:
    """Return the name of a test, or of the class or module that it is about; and true if unittest finds it by that."""
    test = getattr(test, "test_case", test)  # of a subtest
    name: str = test.id()
    if name.startswith(_FAILED_IMPORT):
        return _given(name.removeprefix(_FAILED_IMPORT)), True
    fixture, is_fixture, owner = name.partition(" (")
    if is_fixture and fixture in ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule"):
        return owner.removesuffix(")"), True
    return name, is_found(name)


def _given(missing: str) -> str:
    """Return the beginning of a name on the command line, up to the part that does not exist."""
    for argument in sys.argv[1:]:
        parts = argument.split(".")
        if missing in parts:
            return ".".join(parts[: parts.index(missing) + 1])
    return missing
