"""Import this to put the library where ``tornado.testing`` is, for a suite that is to run unmodified.

::

    import asynctest_tornado.replace
    import tornado.testing  # this library

Has to come before the first import of ``tornado.testing``, or raises ``ImportError``.

Without a change to the suite, ``python -m asynctest_tornado --replace -m unittest`` and the like do that, and so does
``pytest -p asynctest_tornado.replace``, which is a plugin. In the end these tell in a few lines what was seen that
``tornado.testing`` hides: errors with no caller, leaks, and the slowest waits.

New in version 0.1.
"""

import asyncio
import logging
import sys
import types
import unittest
from typing import Any

import tornado
from tornado import gen, netutil
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.log import app_log
from tornado.platform.asyncio import AsyncIOMainLoop
from tornado.process import Subprocess
from tornado.web import Application

import asynctest_tornado
from asynctest_tornado import _leaks

__unittest = True

_NAME = "tornado.testing"
#: How many modules are named that have imported it already.
_MOST_SHOWN = 5

#: What ``tornado.testing`` has because it uses it. Suites import some of it from there, ``unittest`` above all.
_INCIDENTAL = {
    "Application": Application,
    "AsyncHTTPClient": AsyncHTTPClient,
    "AsyncIOMainLoop": AsyncIOMainLoop,
    "HTTPResponse": HTTPResponse,
    "HTTPServer": HTTPServer,
    "IOLoop": IOLoop,
    "Subprocess": Subprocess,
    "app_log": app_log,
    "asyncio": asyncio,
    "gen": gen,
    "logging": logging,
    "netutil": netutil,
    "unittest": unittest,
}


def _replace() -> None:
    present = sys.modules.get(_NAME)
    if present is not None and getattr(present, "__asynctest_tornado__", False) is False:
        raise ImportError(
            f"{_NAME} was imported already, from {present.__file__}{_users_of(present)}; classes that derive from it "
            "would stay as they are. Import asynctest_tornado.replace earlier: first thing in the program or the test "
            "package."
        )
    module = types.ModuleType(_NAME, asynctest_tornado.__doc__)
    module.__file__ = asynctest_tornado.__file__
    public = {name: getattr(asynctest_tornado, name) for name in asynctest_tornado.__all__}
    vars(module).update(_INCIDENTAL, **public, __asynctest_tornado__=True)
    # A suite that did not ask for it is to run as ever, and quietly.
    _leaks.default_action = "note"
    sys.modules[_NAME] = module
    tornado.testing = module


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
    from asynctest_tornado import _pytest_summary

    _pytest_summary.register(config)


_replace()
