"""The function that a loop calls for a file, as an object that a test can own."""

# Tested by tests/leaks/test_search.py.

from collections.abc import Callable
from typing import Any

__unittest = True


class FileHandler:
    """A function that a loop calls for a file: asyncio itself keeps none that can be referred to weakly.

    :param fd: the number of the file.
    """

    def __init__(self, fd: int, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.fd = fd
        self.callback = callback
        self.args = args
