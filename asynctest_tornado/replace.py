"""Import this to run a suite for ``tornado.testing`` on this library, unmodified.

::

    import asynctest_tornado.replace
    import tornado.testing  # this library

This has to come before the first import of ``tornado.testing``; otherwise, it raises ``ImportError``. The names that
``tornado.testing`` itself imports are there as well, and so is ``tornado.stack_context``, which Tornado 6 lacks, with
`ExceptionStackContext` and `NullContext`.

``python -m asynctest_tornado --replace -m unittest`` and the like do that without a change to the suite, and so does
``pytest -p asynctest_tornado.replace``, because this module is also a plugin. At the end, these report in a few lines
the errors with no caller, the leaks and the slowest waits, which ``tornado.testing`` hides.

New in version 0.1.
"""

from typing import Any

from asynctest_tornado._replace import import_hook as _import_hook

__unittest = True


def pytest_configure(config: Any) -> None:
    """Report the summary at the end of the run, as a plugin of pytest."""
    from asynctest_tornado._replace import pytest_summary as _pytest_summary

    _pytest_summary.register(config)


_import_hook.replace()
