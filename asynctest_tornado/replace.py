"""Import this to put the library where ``tornado.testing`` is, for a suite that is to run unmodified.

::

    import asynctest_tornado.replace
    import tornado.testing  # this library

Has to come before the first import of ``tornado.testing``, or raises ``ImportError``. What that module has because it
uses it is there as well, and ``tornado.stack_context``, which Tornado 6 has not, with `ExceptionStackContext` and
`NullContext`.

Without a change to the suite, ``python -m asynctest_tornado --replace -m unittest`` and the like do that, and so does
``pytest -p asynctest_tornado.replace``, which is a plugin. In the end these tell in a few lines what was seen that
``tornado.testing`` hides: errors with no caller, leaks, and the slowest waits.

New in version 0.1.
"""

import sys
import types
from typing import Any

import tornado

from asynctest_tornado._leaks import policy as _policy
from asynctest_tornado._replace import import_hook as _import_hook

__unittest = True

_NAME = _import_hook.TESTING
#: How many modules are named that have imported it already.
_MOST_SHOWN = 5


def _replace() -> None:
    present = sys.modules.get(_NAME)
    if present is not None and getattr(present, "__asynctest_tornado__", False) is False:
        raise ImportError(
            f"{_NAME} was imported already, from {present.__file__}{_users_of(present)}; classes that derive from it "
            "would stay as they are. Import asynctest_tornado.replace earlier: first thing in the program or the test "
            "package."
        )
    # A suite that did not ask for it is to run as ever, and quietly.
    _policy.default_action = "note"
    _import_hook.install()


def _users_of(module: types.ModuleType) -> str:
    """Tell which modules have imported names from it, for whoever looks for the one that came too early."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == _NAME]
    users = [
        name
        for name, each in list(sys.modules.items())
        if each not in (module, tornado)
        and any(value is thing for value in list(vars(each).values()) for thing in [module, *own])
    ]
    return f" (for {', '.join(users[:_MOST_SHOWN])})" if users else ""


def pytest_configure(config: Any) -> None:
    """Tell in the end what was seen, as a plugin of pytest."""
    from asynctest_tornado._replace import pytest_summary as _pytest_summary

    _pytest_summary.register(config)


_replace()
