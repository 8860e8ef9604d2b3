"""Runs the tests of a moment in another process, whose results send outcomes; prints the outcomes that arrive.

``python -m tests.samples.late.workers numbered|named MOMENT``
"""

import importlib
import json
import multiprocessing
import sys
import unittest
import unittest.suite
from typing import Any

_HOLDER: Any = unittest.suite._ErrorHolder  # type: ignore[attr-defined]


class Numbered(unittest.TestResult):
    """As Django's result: it keeps no reports, and sends the numbers of tests; their names only before the first."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, int | str]] = []
        self.errors = Nothing()  # type: ignore[assignment]

    def addSuccess(self, test: Any) -> None:
        self.sent.append(("passed", self.testsRun - 1))

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        is_first = self.testsRun == 0 and isinstance(test, _HOLDER)
        self.sent.append(("error", test.id() if is_first else self.testsRun - 1))


class Nothing:
    def append(self, report: object) -> None:
        pass


class Named:
    """As green's result: it announces each test once, and forgets a test when the next one begins."""

    shouldStop = failfast = False  # noqa: N815  # the names that unittest looks for

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.errors: list[tuple[str, Any]] = []
        self._passed: list[str] = []

    def startTest(self, test: Any) -> None:
        assert ("begun", test.id()) not in self.sent
        self.sent.append(("begun", test.id()))
        self.errors.clear()
        self._passed.clear()

    def stopTest(self, test: Any) -> None:
        pass

    def addSuccess(self, test: Any) -> None:
        self._passed.append(test.id())

    def addError(self, test: Any, err: Any) -> None:
        self.errors.append((test.id(), err))

    addFailure = addError  # noqa: N815

    def addDuration(self, test: Any, elapsed: float) -> None:
        pass

    def send(self) -> None:
        self.sent += [("passed", name) for name in self._passed] + [("error", name) for name, _ in self.errors]
        self._passed.clear()


class Sending(unittest.TestSuite):
    """Sends after each test, and at the end the errors of class and module."""

    result: Any = None

    def run(self, result: Any, debug: bool = False) -> Any:
        self.result = result
        return super().run(result, debug)

    def _removeTestAtIndex(self, index: int) -> None:
        if isinstance(self._tests[index], unittest.TestCase):
            self.result.send()
            self.count = len(self.result.errors)
        super()._removeTestAtIndex(index)  # type: ignore[misc]


def load(moment: str, suite: type[unittest.TestSuite]) -> unittest.TestSuite:
    loader = unittest.TestLoader()
    loader.suiteClass = suite
    return loader.loadTestsFromModule(importlib.import_module(f"tests.samples.late.{moment}"))


def run(kind: str, moment: str) -> list[Any]:
    if kind == "numbered":
        result = Numbered()
        load(moment, unittest.TestSuite).run(result)
        return result.sent
    named: Any = Named()
    load(moment, Sending).run(named)
    before = {name for state, name in named.sent if state == "error"}
    named.sent += [("error", name) for name, _ in named.errors if name not in before]
    return named.sent  # type: ignore[no-any-return]


def main(kind: str, moment: str) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sent = pool.apply(run, (kind, moment))
        pool.close()
        pool.join()
    names = []
    for suite in load(moment, unittest.TestSuite):
        names += [test.id() for test in suite]  # type: ignore[union-attr]
    print(json.dumps([(state, names[name] if isinstance(name, int) else name) for state, name in sent]))


if __name__ == "__main__":
    main(*sys.argv[1:])
