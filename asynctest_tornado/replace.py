"""Import this to put the library where ``tornado.testing`` is, for a suite that is to run unmodified.

::

    import asynctest_tornado.replace
    import tornado.testing  # this library

Has to come before the first import of ``tornado.testing``, or raises ``ImportError``.

New in version 0.1.
"""

import asyncio
import logging
import sys
import types
import unittest

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
            f"{_NAME} was imported already, from {present.__file__}; classes that derive from it would stay as they "
            "are. Import asynctest_tornado.replace earlier: first thing in the program or the test package."
        )
    module = types.ModuleType(_NAME, asynctest_tornado.__doc__)
    module.__file__ = asynctest_tornado.__file__
    public = {name: getattr(asynctest_tornado, name) for name in asynctest_tornado.__all__}
    vars(module).update(_INCIDENTAL, **public, __asynctest_tornado__=True)
    # A suite that did not ask for it is to run as ever, and quietly.
    _leaks.default_action = "note"
    sys.modules[_NAME] = module
    tornado.testing = module


_replace()
