"""Runs samples whose traces go into a folder of their own."""

import json
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from tests.support import RecordingResult, run_case


class TraceCase(unittest.TestCase):
    """Runs samples whose traces go into a folder that is gone after the test."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "traces"
        self.enterContext(mock.patch.dict(os.environ, ASYNC_TEST_TRACE=str(self.folder)))
        # In a worker of pytest, the names of the files would end in the name of the worker.
        os.environ.pop("PYTEST_XDIST_WORKER", None)

    def run_traced(self, cls: type[unittest.TestCase], method: str = "test") -> RecordingResult:
        return run_case(cls, method)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def page(self) -> str:
        """Return the text of the one page."""
        (path,) = self.folder.glob("*.html")
        return path.read_text()

    def trace(self) -> dict[str, Any]:
        """Return the one trace as Chrome trace events."""
        (path,) = self.folder.glob("*.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def slices(self) -> list[dict[str, Any]]:
        return [event for event in self.trace()["traceEvents"] if event["ph"] in "Xi"]
