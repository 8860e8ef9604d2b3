"""Formats log messages in which there are mocks."""

# Tested by tests/logs/test_recording.py.

import logging
import sys
import types
from typing import Any

__unittest = True


class Stand:
    """Stands for a mock in a message, because a ``MagicMock`` records it as a call if it is formatted.

    The values are the ones that it would give.
    """

    def __init__(self, mock: Any) -> None:
        self._mock = mock

    def __repr__(self) -> str:
        return repr(self._mock)

    def __str__(self) -> str:
        method = vars(type(self._mock)).get("__str__")
        if isinstance(method, types.FunctionType):
            return str(self._mock)  # a function of the test, which is no mock
        value = getattr(method, "return_value", None)
        return value if isinstance(value, str) else repr(self._mock)

    def __int__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    __index__ = __int__


def replace(record: logging.LogRecord) -> None:
    """Put something else in place of the mocks in a record that is about to be formatted."""
    module = sys.modules.get("unittest.mock")
    if module is None:
        return

    def without_mock(value: Any) -> Any:
        # Not isinstance(), which may ask the value for its class.
        return Stand(value) if issubclass(type(value), module.NonCallableMock) else value

    record.msg = without_mock(record.msg)
    args: Any = record.args
    if type(args) is tuple:
        record.args = tuple(map(without_mock, args))
    elif type(args) is dict:
        record.args = {name: without_mock(value) for name, value in args.items()}
