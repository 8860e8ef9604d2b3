"""Runs suites that others have written for ``tornado.testing``, on that and on this library, and compares verdicts.

``python -m tests.conformance.public_suites [NAME ...]``. The source distributions and what they need are installed by
pip, each into an environment of its own in a temporary folder. The exit status is 1 where a verdict differs that is not
explained here.
"""

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
    """What its tests need, and the package does not."""
    arguments: list[str] = ["tests"]  # noqa: RUF012  # never changed
    """For pytest."""
    explained: dict[str, str] = {}  # noqa: RUF012
    """The verdicts that differ, and why, by the last part of the test's name."""


SUITES = {
    "flower": Suite("2.2.0", ["redis"]),
    "opentelemetry-instrumentation-tornado": Suite(
        "0.66b1", ["opentelemetry-test-utils", "opentelemetry-sdk", "http_server_mock"]
    ),
    "sentry-sdk": Suite(
        "2.75.0",
        ["brotli", "jsonschema", "pytest-localserver", "pytest-forked", "werkzeug"],
        ["tests/integrations/tornado", "-o", "addopts="],
    ),
    "thumbor": Suite(
        "7.8.0",
        ["cairosvg", "numpy", "opencv-python-headless", "preggy", "pyssim", "redis", "remotecv"],
        explained={
            "test_can_get_304_with_last_modified": "the handler writes after finish(), which is only logged otherwise"
        },
    ),
}


def prepare(name: str, suite: Suite, folder: Path) -> str:
    """Install a suite, with its tests apart from the package, which is to be the one that is installed."""
    venv.create(folder / "env", with_pip=True)
    python = str(folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wanted = f"{name}=={suite.version}"
    subprocess.run([*pip, "install", "-e", str(ROOT), wanted, "pytest", *suite.requirements], check=True)
    subprocess.run([*pip, "download", "--no-deps", f"--no-binary={name}", "-d", str(folder), wanted], check=True)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        for member in archive.getmembers():
            path = Path(*Path(member.name).parts[1:])
            if path.parts[:1] == ("tests",) or (len(path.parts) == 1 and path.suffix in (".toml", ".cfg", ".ini")):
                member.name = str(Path("suite", path))
                archive.extract(member, folder, filter="data")
    return python


def verdicts(command: list[str], suite: Suite, folder: Path) -> dict[str, str]:
    """Run a suite by a command that is pytest; print how that ended, and return what became of each test."""
    out = folder / "out.xml"
    arguments = ["-q", "-p", "no:cacheprovider", "--tb=no", f"--junitxml={out}", *suite.arguments]
    done = subprocess.run([*command, *arguments], cwd=folder / "suite", capture_output=True, text=True)
    lines = done.stdout.splitlines()
    told = next((number for number, line in enumerate(lines) if "= asynctest_tornado =" in line), None)
    print("  " + "\n  ".join(lines[-1:] if told is None else lines[told:]))
    found = {}
    for case in xml.etree.ElementTree.parse(out).iter("testcase"):
        tags = {child.tag for child in case} & {"failure", "error", "skipped"}
        found[f"{case.get('classname')}.{case.get('name')}"] = ", ".join(sorted(tags)) or "passed"
    out.unlink()
    return found


def compare(name: str, suite: Suite) -> bool:
    """Return whether the verdicts are the same, or explained."""
    print(f"{name} {suite.version}")
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        python = prepare(name, suite, folder)
        before = verdicts([python, "-m", "pytest"], suite, folder)
        after = verdicts([python, "-m", "asynctest_tornado", "--replace", "-m", "pytest"], suite, folder)
    is_good = True
    for test in sorted(before.keys() | after.keys()):
        if before.get(test) != after.get(test):
            reason = suite.explained.get(test.rpartition(".")[2])
            is_good = is_good and reason is not None
            print(f"  {test}: {before.get(test)}, here {after.get(test)}: {reason or 'not explained'}")
    return is_good


if __name__ == "__main__":
    results = [compare(name, SUITES[name]) for name in sys.argv[1:] or SUITES]
    sys.exit(0 if all(results) else 1)
