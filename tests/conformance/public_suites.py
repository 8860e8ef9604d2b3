"""Runs public suites for ``tornado.testing``, on ``tornado.testing`` and on this library, and compares verdicts.

``python -m tests.conformance.public_suites [NAME ...]``. pip installs each source distribution and its requirements
into an environment of its own, in a temporary folder. The exit status is 1 if a verdict differs that is not explained
here, and 2 if a suite could not be fetched, installed or run.
"""

import os
import subprocess
import sys
import tarfile
import venv
import xml.etree.ElementTree
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support import ROOT


class Suite(NamedTuple):
    """A suite."""

    version: str
    requirements: list[str]
    """More requirements, of its tests."""
    arguments: list[str] = ["tests"]  # noqa: RUF012  # never changed
    """For pytest."""
    files: tuple[str, ...] = ("tests",)
    """Files and folders of the source distribution that the tests consist of, besides the settings in its root."""
    explained: dict[str, str] = {}  # noqa: RUF012
    """The verdicts that differ, and why: by the last part of the test's name, or by a part of the report here."""


#: The last one with pkg_resources.
SETUPTOOLS = "setuptools<81"

SUITES = {
    "flower": Suite("2.2.0", ["redis"]),
    "jupyter_enterprise_gateway": Suite("3.3.0", ["ipykernel<7"], ["--pyargs", "enterprise_gateway.tests"], ()),
    "opentelemetry-instrumentation-tornado": Suite(
        "0.66b1", ["opentelemetry-test-utils", "opentelemetry-sdk", "http_server_mock"]
    ),
    "sentry-sdk": Suite(
        "2.75.0",
        ["brotli", "jsonschema", "pytest-localserver", "pytest-forked", "werkzeug"],
        ["tests/integrations/tornado", "-o", "addopts="],
    ),
    "sprockets.mixins.metrics": Suite("4.1.0", [SETUPTOOLS], ["tests.py"], ("tests.py", "examples")),
    "terminado": Suite("0.18.1", ["pytest-timeout"]),
    "thumbor": Suite(
        "7.8.0",
        ["cairosvg", "numpy", "opencv-python-headless", "preggy", "pyssim", "redis", "remotecv"],
        explained={
            "test_can_get_304_with_last_modified": "the handler writes after finish(), which is only logged otherwise"
        },
    ),
    "webssh": Suite(
        "1.6.3",
        [],
        files=("tests", "webssh"),  # its tests look for their data beside the package
        explained={"in __del__": "paramiko's files fail in a finalizer now and then, which Python only prints"},
    ),
}


class CannotRunError(Exception):
    """A suite could not be fetched, installed or run."""


def prepare(name: str, suite: Suite, folder: Path) -> str:
    """Install a suite, with its tests apart from the package, which is to be the one that is installed."""
    venv.create(folder / "env", with_pip=True)
    python = str(folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    wanted = f"{name}=={suite.version}"
    pip(python, folder, "install", "-e", str(ROOT), wanted, "pytest", *suite.requirements)
    pip(python, folder, "download", "--no-deps", f"--no-binary={name}", "-d", str(folder), wanted)
    (source,) = folder.glob("*.tar.gz")
    (folder / "suite").mkdir()
    with tarfile.open(source) as archive:
        for member in archive.getmembers():
            path = Path(*Path(member.name).parts[1:])
            if path.parts[:1] in [(name,) for name in suite.files] or is_settings(path):
                member.name = str(Path("suite", path))
                archive.extract(member, folder, filter="data")
    return python


def pip(python: str, folder: Path, *arguments: str) -> None:
    """Run pip, which builds with a setuptools that all of the suites support."""
    constraints = folder / "constraints.txt"
    constraints.write_text(SETUPTOOLS)
    environment = dict(os.environ)
    for variable in "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT":  # older versions of pip hold builds to the former
        environment[variable] = f"{environment.get(variable, '')} {constraints}".strip()
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise CannotRunError(f"pip {' '.join(arguments)} failed:\n{done.stdout}")


def is_settings(path: Path) -> bool:
    """Return whether a file of a source distribution has settings for its tests."""
    return len(path.parts) == 1 and (path.suffix in (".toml", ".cfg", ".ini") or path.name == "conftest.py")


class Verdict(NamedTuple):
    """The outcome of a test."""

    word: str
    report: str


NOT_RUN = Verdict("not run", "")


def verdicts(command: list[str], suite: Suite, folder: Path) -> dict[str, Verdict]:
    """Run a suite by a command that is pytest; print how that ended, and return the outcome of each test."""
    out = folder / "out.xml"
    arguments = ["-q", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={out}", *suite.arguments]
    done = subprocess.run([*command, *arguments], cwd=folder / "suite", capture_output=True, text=True)
    if not out.exists():
        raise CannotRunError(
            f"{' '.join([*command, *arguments])} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    lines = done.stdout.splitlines()
    told = next((number for number, line in enumerate(lines) if "= asynctest_tornado =" in line), None)
    print("  " + "\n  ".join(lines[-1:] if told is None else lines[told:]))
    found = {}
    for case in xml.etree.ElementTree.parse(out).iter("testcase"):
        told_of = [child for child in case if child.tag in ("failure", "error", "skipped")]
        word = ", ".join(sorted({child.tag for child in told_of})) or "passed"
        report = "\n".join(child.text or "" for child in told_of)
        found[f"{case.get('classname')}.{case.get('name')}"] = Verdict(word, report)
    out.unlink()
    return found


#: How often a suite runs on ``tornado.testing``, if a verdict differs: there are tests that pass now and then.
ATTEMPTS = 3


def compare(name: str, suite: Suite) -> bool:
    """Return whether the verdicts are the same, or explained."""
    print(f"{name} {suite.version}", flush=True)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        python = prepare(name, suite, folder)
        original = [python, "-m", "pytest", "-p", "no:asynctest_tornado"]
        before = [verdicts(original, suite, folder)]
        if not any(verdict.word == "passed" for verdict in before[0].values()):
            raise CannotRunError("No test passes on tornado.testing.")
        after = verdicts([python, "-m", "asynctest_tornado", "--replace", "-m", "pytest"], suite, folder)
        while len(before) < ATTEMPTS and any(why is None for why in differences(suite, before, after).values()):
            before.append(verdicts(original, suite, folder))
    found = differences(suite, before, after)
    for test, why in found.items():
        print(f"  {test}: {before[0].get(test, NOT_RUN).word}, here {after.get(test, NOT_RUN).word}: {why}")
        if why is None:
            print(after.get(test, NOT_RUN).report)
    is_good = None not in found.values()
    print(f"  {len(before[0])} tests: {'the same verdicts' if is_good else 'NOT THE SAME VERDICTS'}", flush=True)
    return is_good


def differences(suite: Suite, before: list[dict[str, Verdict]], after: dict[str, Verdict]) -> dict[str, str | None]:
    """Return the tests whose verdict differs, and why, if that is known."""
    found: dict[str, str | None] = {}
    for test in sorted(before[0].keys() | after.keys()):
        there, here = [run.get(test, NOT_RUN).word for run in before], after.get(test, NOT_RUN)
        if here.word != there[0]:
            name, known = test.rpartition(".")[2], suite.explained.items()
            found[test] = next((reason for key, reason in known if key == name or key in here.report), None)
            if here.word in there:
                found[test] = f"varies there, too: {', '.join(there)}"
    return found


def main(names: list[str]) -> int:
    status = 0
    for name in names or SUITES:
        try:
            status = max(status, 0 if compare(name, SUITES[name]) else 1)
        except CannotRunError as error:
            print(f"  CANNOT RUN: {error}", flush=True)
            status = 2
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
