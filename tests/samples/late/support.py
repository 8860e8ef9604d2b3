"""The base classes of the samples, which are no tests by themselves."""

import threading
import unittest
from typing import ClassVar

from asynctest_tornado import AsyncTestCase


class Left:
    """A thread that a test leaves, and that fails when ``fail`` is called."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        # A daemon, so that no runner waits for it if ``fail`` is never called.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._go.wait()
        raise ValueError("planted")

    def fail(self) -> None:
        """Have the thread fail, if it runs in this process."""
        if self._thread is not None:
            self._go.set()
            self._thread.join()


class Guilty(AsyncTestCase):
    leaks = "ignore"
    left: ClassVar[Left]

    def test_a_guilty(self) -> None:
        """Leave a thread that fails."""
        self.left.start()

    def test_b_innocent(self) -> None:
        pass


class Aside(unittest.TestCase):
    """Runners that use several processes have to have two classes."""

    def test_z_innocent(self) -> None:
        pass
