"""Run test cases and programs that fail on purpose, and read their reports."""

import functools
import logging
import os
import subprocess
import sys
import unittest
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from tornado.ioloop import IOLoop

from asynctest_tornado._harness.by_hand import HarnessByHand
from asynctest_tornado._loop.new_loop import new_ioloop
from asynctest_tornado._loop.recycled_loop import drop_spare

ROOT = Path(__file__).resolve().parent.parent

_T = TypeVar("_T")


class RecyclingHarness(HarnessByHand):
    """A harness that opens with the loop of the shells."""

    def open(self, make_loop: Callable[[], IOLoop] | None = None, is_lent: bool = False) -> IOLoop:
        return super().open(make_loop or functools.partial(new_ioloop, None, self.features), is_lent)


class RecordingResult(unittest.TestResult):
    """A result that keeps the order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.events.append("startTest")

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.events.append("stopTest")

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.events.append("addSuccess")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self.events.append("addError")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self.events.append("addFailure")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.events.append("addSkip")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self.events.append("addExpectedFailure")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self.events.append("addUnexpectedSuccess")

    @property
    def verdicts(self) -> list[str]:
        """The outcomes that were added, without the beginnings and ends of tests."""
        return [event for event in self.events if event.startswith("add")]

    @property
    def report(self) -> str:
        """All tracebacks, as unittest prints them."""
        return "\n".join(text for _, text in self.errors + self.failures + self.expectedFailures)


def run_case(cls: type[unittest.TestCase], method: str = "test") -> RecordingResult:
    """Run one test method of a class."""
    result = RecordingResult()
    cls(method).run(result)
    return result


def open_files() -> int:
    """Return how many files are open, besides those that are kept for the next loop."""
    drop_spare()
    return len(os.listdir("/proc/self/fd"))


def run_body(base: type[unittest.TestCase], body: Callable[[Any], Any]) -> RecordingResult:
    """Run a function as the test method of a subclass."""
    return run_case(type("Sample", (base,), {"test": body}))


#: Programs that tests run do not get variables that begin like this. pytest, for example, cuts its summary only if
#: neither CI nor BUILD_NUMBER is set.
_NOT_HANDED_ON = ("PYTHON", "PYTEST", "CI", "BUILD_NUMBER", "ASYNC_TEST", "FORCE_COLOR", "MOTOR_")


def run_python(
    *args: str, cwd: str | Path = ROOT, typed: str | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the interpreter as a user would, in the root of the project.

    :param typed: the text that the user types.
    """
    env = clean_environment(**environment)
    return subprocess.run([sys.executable, *args], env=env, cwd=cwd, input=typed, capture_output=True, text=True)


def clean_environment(**environment: str) -> dict[str, str]:
    """Return our environment without the variables that a user would not have, and with these."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
    return {**env, "NO_COLOR": "1", "PYTHON_COLORS": "0", **environment}


@contextmanager
def without_handlers(logger: logging.Logger) -> Iterator[None]:
    """Let a logger have no handlers but one that does nothing. pytest shows by itself what its handlers get."""
    with mock.patch.object(logger, "handlers", [logging.NullHandler()]):
        yield


def run_on_terminal(*args: str, answers: Sequence[tuple[str, str]], columns: int = 80) -> tuple[int, str]:
    """Run the interpreter on a terminal of its own.

    :param answers: pairs of a text to wait for and the answer to type then, in this order; "\\x03" is Ctrl-C.
    :param columns: the width of the terminal.
    :return: the exit status, and all that was written there.
    """
    import pty

    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *args],
        env=clean_environment(TERM="xterm", COLUMNS=str(columns)),
        cwd=ROOT,
        stdin=other,
        stdout=other,
        stderr=other,
        preexec_fn=functools.partial(os.login_tty, other),  # or Ctrl-C would send no signal
    )
    os.close(other)
    left, seen, place = list(answers), "", 0
    with process, open(terminal, "r+b", buffering=0) as stream:
        while True:
            try:
                data = stream.read(1000)
            except OSError:  # no program has it open any more
                break
            if not data:
                break
            seen += data.decode()
            while left and left[0][0] in seen[place:]:
                text, answer = left.pop(0)
                place = seen.index(text, place) + len(text)
                stream.write(answer.encode())
    assert not left, seen
    return process.returncode, seen.replace("\r\n", "\n")


def run_code(code: str, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of its own, in which warnings are errors."""
    return run_python("-W", "error", "-c", code, *args)


def run_each(function: Callable[..., _T], *arguments: Iterable[Any]) -> list[_T]:
    """Call a function that runs a program once for each of the arguments, as `map` does; several at a time."""
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        return list(pool.map(function, *arguments))


def run_example(folder: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the suite of an example, in which warnings are errors."""
    environment = {"ASYNC_TEST_TIMEOUT": "60", **environment}
    return run_python("-W", "error", "-m", "unittest", "discover", "-t", ".", "-s", folder, **environment)


def start_example(case: unittest.TestCase, module: str, *arguments: str) -> tuple["subprocess.Popen[str]", str]:
    """Run the program of an example, which serves on an unused port, until the end of the test.

    :return: the process and its URL.
    """
    command = [sys.executable, "-W", "error", "-m", module, "--port=0", "--logging=warning", *arguments]
    # A terminal or CI may ask for colours, which the tests do not expect.
    env = {**os.environ, "PYTHON_COLORS": "0"}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True)
    case.enterContext(process)
    case.addCleanup(process.kill)
    assert process.stdout is not None
    greeting, _, url = process.stdout.readline().strip().rpartition(" ")
    if greeting != "Listening on":
        process.kill()
        case.fail(f"The program did not start: {process.communicate()}")
    case.assertTrue(url.startswith("http://127.0.0.1:"), url)
    return process, url


@contextmanager
def environ(**variables: str | None) -> Any:
    """Set environment variables for the block; None unsets one."""
    before = dict(os.environ)
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
