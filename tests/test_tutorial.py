"""The tutorial: a reader who types its files in, in their order, and runs its commands, sees the output that it shows.

If an output changes for a good reason, record it anew, from the project root::

    python -m tests.test_tutorial --record
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import NamedTuple

from examples.motor_find_one import mongodb
from tests.recorded import RecordedReports, normalise
from tests.support import ROOT, clean_environment, run_each, run_python

PAGE = (ROOT / "docs" / "tutorial.rst").read_text()
FOLDER = ROOT / "docs" / "examples" / "tutorial"

#: A file that the reader types, with its options; a command; or the file with its output.
PARTS = re.compile(
    r"^\.\. literalinclude:: examples/tutorial/(?P<file>\S+\.py)\n(?P<options>(?: +:.*\n)*)"
    r"|^   \$ (?P<command>.*)\n"
    r"|^\.\. literalinclude:: examples/tutorial/reports/(?P<output>\S+)\.txt\n   :language: text\n",
    re.MULTILINE,
)

#: The commands that run no test.
PREPARATIONS = [
    "python -m pip install asynctest_tornado",
    "python -m pip install motor nx-27017",
    "nx-27017 --data-dir memory",
]


class Step(NamedTuple):
    """A command that runs tests, and the files that the reader has by then: their names, and where their text is."""

    command: str
    output: str
    files: dict[str, Path]


def read_steps() -> tuple[list[Step], list[str]]:
    """Return the steps of the page, and its other commands."""
    files: dict[str, Path] = {}
    steps, others, command = [], [], ""
    for part in PARTS.finditer(PAGE):
        if part["file"]:
            name = Path(part["file"]).name
            # Shown whole, under its name.
            assert part["options"] == f"   :caption: {name}\n", part[0]
            files[name] = FOLDER / part["file"]
        elif part["command"]:
            assert not command, f"the page does not show the output of {command}"
            command = part["command"]
            if " unittest " not in command:
                others.append(command)
                command = ""
        else:
            steps.append(Step(command, part["output"], dict(files)))
            command = ""
    return steps, others


STEPS, OTHERS = read_steps()


def run(step: Step, server: str) -> str:
    """Run a command in a folder with the files of the reader; return its output, without the path of the folder."""
    with tempfile.TemporaryDirectory() as folder:
        for name, path in step.files.items():
            text = path.read_text().replace("mongodb://localhost:27017", server)
            Path(folder, name).write_text(text)
        *settings, program, dash, module, name = step.command.split()
        assert (program, dash, module) == ("python", "-m", "unittest"), step.command
        arguments = ["-m", "unittest", name]
        if name == "test_hangs":
            said = run_until_error(arguments, folder)
        else:
            done = run_python(*arguments, cwd=folder, **dict(each.split("=") for each in settings))
            said = done.stdout + done.stderr
        for place in {folder, os.path.realpath(folder)}:
            said = said.replace(f"{place}{os.sep}", "")
    return RecordedReports.seen_from_the_root(re.sub("0x[0-9a-f]+", "0x...", said))


def run_until_error(arguments: list[str], folder: str) -> str:
    """Return the output of a test that hangs, up to its error; then press Ctrl-C, as the reader does."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, cwd=folder, env=clean_environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if line.startswith("AssertionError"):
                break
        if sys.platform == "win32":
            process.kill()  # Ctrl-C cannot be sent to one process
        else:
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            assert "\nKeyboardInterrupt\n" in rest, rest
    return said


def run_all() -> list[str]:
    with mongodb.embedded_server() as server:
        return run_each(lambda step: run(step, server), STEPS)


def recorded(step: Step) -> Path:
    return FOLDER / "reports" / f"{step.output}.txt"


def comparable(report: str) -> str:
    # The task of the race may have ended a moment after the test.
    report = re.sub(r"(?m)^test_race\S+ left these resources open:\n(  .*\n)+", "", report)
    return normalise(report)


class TutorialTest(unittest.TestCase):
    def test_output_is_as_recorded(self) -> None:
        for step, said in zip(STEPS, run_all(), strict=True):
            with self.subTest(step.command, output=step.output):
                self.assertEqual(comparable(said), comparable(recorded(step).read_text()), said)

    def test_each_output_is_shown_once(self) -> None:
        shown = [step.output for step in STEPS]
        self.assertGreater(len(shown), 18)
        self.assertEqual(sorted(shown), sorted(path.stem for path in (FOLDER / "reports").iterdir()))

    def test_each_file_is_shown(self) -> None:
        shown = {*STEPS[-1].files.values(), FOLDER / "delay.py"}
        self.assertEqual(shown, {path for path in FOLDER.rglob("*.py") if "reports" not in path.parts})

    def test_no_other_command_is_shown(self) -> None:
        """The server that the tests start has the options of the server that the reader starts."""
        self.assertEqual(OTHERS, PREPARATIONS)

    def test_code_has_no_annotations(self) -> None:
        """The reader types this code."""
        for path in FOLDER.rglob("*.py"):
            self.assertNotRegex(path.read_text(), r"->|: (Any|str|int)\b|typing")


if __name__ == "__main__":
    if sys.argv[1:] != ["--record"]:
        unittest.main()
    for each, text in zip(STEPS, run_all(), strict=True):
        old = recorded(each).read_text() if recorded(each).exists() else ""
        if comparable(text) != comparable(old):
            recorded(each).write_text(text)
