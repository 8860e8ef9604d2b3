"""Stands in a result for a test that is gone."""

# Tested by tests/unittest/test_late_errors.py.

import inspect
import types
import unittest
import unittest.suite
from typing import Any

__unittest = True

#: The class that unittest uses if an error belongs to no test. Some results look for it.
_HOLDER: Any = getattr(unittest.suite, "_ErrorHolder", object)


class StandIn(unittest.TestCase, _HOLDER):  # type: ignore[misc]  # a class, in the standard library that there is
    """Looks like a test, and runs nothing. Results ask tests for more than ``unittest`` says.

    It has the names of the class, but is no instance of it: that may have an ``__init__`` and attributes of its own.
    """

    _asynctest_id = ""
    _asynctest_other: str | None = None

    def id(self) -> str:
        return self._asynctest_id

    def __str__(self) -> str:
        own = unittest.TestCase.__str__(self)
        other = self._asynctest_other
        return own if other is None else f"{other.rpartition('.')[2]} ({other}) or a later test up to {own}"

    def countTestCases(self) -> int:
        return 0

    def run(self, result: Any = None) -> Any:
        return result

    def debug(self) -> None:
        pass

    def __reduce__(self) -> tuple[Any, ...]:
        cls = type(self)
        doc = getattr(self, "_testMethodDoc", None)
        method = getattr(self, "_testMethodName", "run")
        return _make, (cls.__module__, cls.__qualname__, method, doc, self.id(), self._asynctest_other)


def stand_in(cls: type[unittest.TestCase], method: str, name: str, other: str | None = None) -> StandIn:
    """Return a stand-in for a test. It keeps neither the test nor its attributes alive.

    :param name: the ``id()`` of the test.
    :param other: the name of another test that may be meant instead.
    """
    function = inspect.getattr_static(cls, method, None)
    doc = getattr(function, "__doc__", None)
    report = _make(cls.__module__, cls.__qualname__, method, doc, name, other, function)
    type(report).failureException = cls.failureException
    return report


def _make(
    module: str, qualname: str, method: str, doc: str | None, name: str, other: str | None, function: Any = None
) -> StandIn:
    if function is None:
        function = _function(method, doc)  # in another process, say
    namespace = {"__module__": module, "__qualname__": qualname}
    if not hasattr(StandIn, method):
        # For the line where it is, among others.
        namespace[method] = function
    cls: type[StandIn] = types.new_class(
        qualname.rpartition(".")[2], (StandIn,), exec_body=lambda ns: ns.update(namespace)
    )
    report = cls(method)
    report._asynctest_id, report._asynctest_other = name, other
    return report


def _function(method: str, doc: str | None) -> Any:
    def function(self: Any) -> None:
        pass

    function.__name__ = function.__qualname__ = method
    function.__doc__ = doc
    return function
