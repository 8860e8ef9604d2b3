"""What is found by the name of tornado.testing, once that is replaced."""

# Tested by tests/replace/test_replace.py.

from typing import Any as _Any

import asynctest_tornado as _library
from asynctest_tornado._errors.expect_log import ExpectLog
from asynctest_tornado._http.http_case import AsyncHTTPSTestCase, AsyncHTTPTestCase
from asynctest_tornado._http.sockets import bind_unused_port
from asynctest_tornado._replace import import_hook as _import_hook
from asynctest_tornado._runner.command_line import main
from asynctest_tornado._timeouts.limits import get_async_test_timeout
from asynctest_tornado._unittest.case import AsyncTestCase
from asynctest_tornado._unittest.gen_test import gen_test, setup_with_context_manager

__unittest = True
__asynctest_tornado__ = True

_PUBLIC = (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectLog,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
    main,
    setup_with_context_manager,
)
# For 'from tornado.testing import *', which gives all of it: modules and classes that the original uses, too.
__all__ = sorted(_import_hook.add_imports(globals()) | {thing.__name__ for thing in _PUBLIC})


def __getattr__(name: str) -> _Any:
    if name in _library.__all__:
        return getattr(_library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    main()
