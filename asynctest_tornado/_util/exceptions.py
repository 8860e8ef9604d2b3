"""Reads and changes exceptions that refuse it, as frozen dataclasses do."""

from typing import Any

__unittest = True

_context: Any = BaseException.__dict__["__context__"]
_attributes: Any = BaseException.__dict__["__dict__"]


def attributes_of(error: BaseException) -> dict[str, Any]:
    """Return the attributes of an exception itself, to be changed. Its class may refuse to show them."""
    attributes: dict[str, Any] = _attributes.__get__(error)
    return attributes


def set_context(error: BaseException, context: BaseException | None) -> None:
    """Give an exception another ``__context__``."""
    _context.__set__(error, context)
