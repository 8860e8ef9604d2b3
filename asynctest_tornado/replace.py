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

from typing import Any

from asynctest_tornado._replace import import_hook as _import_hook

__unittest = True


def pytest_configure(config: Any) -> None:
    """Tell in the end what was seen, as a plugin of pytest."""
    from asynctest_tornado._replace import pytest_summary as _pytest_summary

    _pytest_summary.register(config)


_import_hook.replace()
