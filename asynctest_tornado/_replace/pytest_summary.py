"""Report the summary under pytest, of all workers of pytest-xdist together."""

# Tested by tests/replace/test_run_program.py.

import contextlib
from collections.abc import Generator
from typing import Any

import pytest

from asynctest_tornado._replace.summary import Summary
from asynctest_tornado._util import observer

__unittest = True

#: The name of the plugin, and the key of the summary in the output of a worker.
_KEY = "asynctest_tornado.summary"


def register(config: pytest.Config) -> None:
    """Begin a summary for this run."""
    config.pluginmanager.register(_Reporter(), _KEY)


class _Reporter:
    def __init__(self) -> None:
        self._block = contextlib.ExitStack()
        self._summary = self._block.enter_context(observer.attached(Summary(self._name_in_run)))
        self._lost = 0
        self._running: pytest.Item | None = None

    def _name_in_run(self, name: str) -> str:
        # Test cases that fixtures set up by hand may have one class and method, and belong to different functions. The
        # name of a case that pytest itself runs is unambiguous.
        item = self._running
        return name if item is None or hasattr(item, "addFailure") else item.nodeid

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._running = item
        try:
            return (yield)
        finally:
            self._running = None

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # A worker has an output, and sends it to the process that reports.
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_KEY] = self._summary.data()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        data = getattr(node, "workeroutput", {}).get(_KEY)
        if data is None:
            self._lost += 1
        else:
            self._summary.merge(data)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("asynctest_tornado")
        for line in self._summary.lines():
            terminalreporter.write_line(line)
        if self._lost:
            terminalreporter.write_line(f"Workers that crashed, so that their part of this is missing: {self._lost}.")

    def pytest_unconfigure(self) -> None:
        self._block.close()
