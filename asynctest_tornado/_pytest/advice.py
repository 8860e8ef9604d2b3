"""Says how to mend typical mistakes, in errors of pytest itself."""

import re
from typing import Any

import pytest

from asynctest_tornado._pytest import claims

__unittest = True
__tracebackhide__ = claims.is_hidden

_UNKNOWN_TEST = "async def functions are not natively supported"
_UNKNOWN_FIXTURE = re.compile(r"requested an async fixture '\w+', with no plugin")
_NARROW = re.compile(r"ScopeMismatch: You tried to access the function scoped fixture (\w+) with an? (\w+) scoped")
_HOW_TO_RUN = (
    "asynctest_tornado runs this test with @pytest.mark.{}, or all with the setting asynctest_tornado_mode = auto."
)
_NO_APP = (
    "The server of asynctest_tornado serves the fixture 'app', which does not exist. Write one in this module or in a "
    "conftest.py:\n\n    @pytest.fixture\n    def app():\n        return tornado.web.Application(...)"
)
_WIDE = (
    "{0} is a fixture of asynctest_tornado for one test. Write the fixture with the scope {1!r} as an 'async def': it "
    "runs on a loop that all tests of this scope share, and begin servers in it by 'await serve(app)'."
)
_PATH = "http_client takes full URLs, and this is a path: fetch(base_url + {0!r}). Servers of 'serve' take paths."
_SCHEME = "Unsupported url scheme: /"


def improve(item: pytest.Item, call: "pytest.CallInfo[None]") -> None:
    """Complete the error of a test, or replace it by one that says more."""
    assert call.excinfo is not None
    error: Any = call.excinfo.value
    if isinstance(error, pytest.fail.Exception) and isinstance(error.msg, str):
        advice = _of_failure(item, error.msg)
        if advice is not None:
            error.msg = f"{advice}\n{error.msg}"  # the summary has the first line
    elif isinstance(error, pytest.PytestDeprecationWarning):  # of a fixture, in pytest 9.0
        advice = _of_failure(item, str(error))
        if advice is not None:
            call.excinfo = _failure(f"{advice}\n{error}")
    elif isinstance(error, pytest.FixtureLookupError) and _lacks_app(item, error):
        call.excinfo = _failure(_NO_APP)
    elif type(error) is TypeError and str(error).startswith(f"{claims.APP_ORIGIN} is "):
        call.excinfo = _failure(str(error))  # Tornado's code, which has called the application, says nothing
    elif type(error) is ValueError and str(error).startswith(_SCHEME) and claims.ROOT in item.fixturenames:  # type: ignore[attr-defined]
        error.add_note(_PATH.format(str(error)[len(_SCHEME) - 1 :]))


def tidy(report: pytest.TestReport) -> None:
    """Take the line out of a report which says that all lines are hidden: they are ours."""
    shown: Any = report.longrepr
    for traceback, *_ in getattr(shown, "chain", ()):
        if str(traceback.extraline).startswith("All traceback entries are hidden"):
            traceback.extraline = None


def _of_failure(item: pytest.Item, message: str) -> str | None:
    if message.startswith(_UNKNOWN_TEST) or _UNKNOWN_FIXTURE.search(message):
        is_free = isinstance(item, pytest.Function) and not claims.is_case(item) and claims.other(item) is None
        return _HOW_TO_RUN.format(claims.markers(item.config)[-1]) if is_free else None
    narrow = _NARROW.match(message)
    if narrow is not None and claims.leads_to_ours(item, narrow[1]):
        return _WIDE.format(narrow[1], narrow[2])
    return None


def _lacks_app(item: pytest.Item, error: pytest.FixtureLookupError) -> bool:
    """Return whether a fixture of this library asks for the fixture ``app``, and there is none."""
    requested = getattr(error, "request", None)
    return error.argname == "app" and getattr(requested, "fixturename", None) == f"{claims.PREFIX}app"


def _failure(message: str) -> "pytest.ExceptionInfo[BaseException]":
    """Return a failure that shows no line of code."""
    try:
        claims.refuse(message)
    except pytest.fail.Exception as error:
        return pytest.ExceptionInfo.from_exception(error)
