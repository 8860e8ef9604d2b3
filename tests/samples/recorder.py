"""An observer that keeps the order of events as text; and a plugin for pytest that writes these to a file."""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from asynctest_tornado._util.observer import Observer, attached


class Recorder(Observer):
    def __init__(self) -> None:
        self.events: list[str] = []

    def waited(self, describe: Callable[[], str], seconds: float, limit: float) -> None:
        self.add(f"waited: {describe()}, at most {limit:g} s")

    def trapped(self, test: str, errors: Sequence[BaseException]) -> None:
        self.add(f"trapped: {test}, {errors}")

    def ended(self, test: str, leaks: Sequence[str], is_searched: bool, is_ordered: bool) -> None:
        self.add(f"ended: {test}, {len(leaks)} leaks, {is_searched=}, {is_ordered=}")

    def came_late(self, test: str, error: BaseException) -> None:
        self.add(f"came late: {test}, {error!r}")

    def add(self, event: str) -> None:
        self.events.append(event)


class Writer(Recorder):
    """Writes each event to the file that ``EVENTS`` names, which other processes have open as well."""

    def add(self, event: str) -> None:
        with Path(os.environ["EVENTS"]).open("a") as file:
            file.write(f"{event}\n")


_block = contextlib.ExitStack()


def pytest_configure() -> None:
    _block.enter_context(attached(Writer()))


def pytest_unconfigure() -> None:
    _block.close()
