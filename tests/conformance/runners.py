"""Runs tests whose errors surface late, by many test runners, and prints how each of these reports them.

``python -m tests.conformance.runners [-v] [RUNNER ...]``. The runners are installed by pip, into an environment of its
own in a temporary folder, or in the one that the environment variable ``RUNNERS_ENV`` names, which is kept. For each
runner and each moment of ``tests.samples.late``, a line says if the error is reported, if it is reported for the right
test and for no other one, and with which exit status the run ends. The exit status is 1 if that is wrong, and not
explained here.
"""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support import ROOT, clean_environment

REQUIREMENTS = [
    "django",
    "green",
    "html-testRunner",
    "junitparser",
    "nose2",
    "pytest",
    "pytest-xdist",
    "python-subunit",
    "stestr",
    "tblib",
    "teamcity-messages",
    "testtools",
    "twisted",
    "unittest-parallel",
    "unittest-xml-reporting",
    "zope.testrunner",
]
MOMENTS = ["in_next_case", "at_class_end", "at_last_class_end", "in_plain_case", "at_module_end", "at_process_end"]
PACKAGE = "tests.samples.late"
#: How a test is named by unittest's own runner, by runners that derive from it, and at the end of a process.
UNITTEST = r"^(?:ERROR|FAIL)(?: \[[\d.]+s\])?: (.+)"
DJANGO = "import django.conf, sys; django.conf.settings.configure(); django.setup(); "
DJANGO += "from django.core.management import call_command as call; call('test', *sys.argv[1:])"
HTML = "import HtmlTestRunner, sys, unittest; "
HTML += "unittest.main(sys.argv.pop(1), testRunner=HtmlTestRunner.HTMLTestRunner(output=sys.argv.pop(1)))"
PLAIN = """
import sys, unittest
result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromName(sys.argv[1]).run(result)
is_good = result.wasSuccessful()
print(*(f"ERROR: {test}\\n{text}" for test, text in result.errors), sep="")
sys.exit(not is_good)
"""
NO_FIXTURES = "the runner calls no tearDownClass or tearDownModule"
OTHER_PROCESS = "that test runs in another process"
IN_WORKER = "written to stderr, but the runner does not look at the exit status of its workers"


class Runner(NamedTuple):
    """A runner."""

    command: list[str]
    """A script of the environment, and its arguments; {module}, {file} and {folder} stand for names."""
    label: str = UNITTEST
    """How it names a test that has failed."""
    explained: dict[str, str] = {}  # noqa: RUF012  # never changed
    """Why nothing, or not all, is to be seen at a moment."""


ELSEWHERE = {"in_plain_case": OTHER_PROCESS, "at_process_end": IN_WORKER}
WITHOUT_FIXTURES = dict.fromkeys(["at_class_end", "at_last_class_end", "at_module_end"], NO_FIXTURES)
ZOPE = ["zope-testrunner", "--path=.", "-vv", "--tests-pattern=^{name}$", "-s", PACKAGE]
RUNNERS = {
    "unittest": Runner(["python", "-m", "unittest", "-v", "{module}"]),
    "unittest -b": Runner(["python", "-m", "unittest", "-v", "-b", "{module}"]),
    "unittest -f": Runner(["python", "-m", "unittest", "-v", "-f", "{module}"]),
    "TestResult": Runner(["python", "-c", PLAIN, "{module}"]),
    "ours": Runner(["python", "-m", "asynctest_tornado", "-v", "{module}"]),
    "ours, JUnit": Runner(["python", "-m", "asynctest_tornado", "-b", "--junit={folder}/out.xml", "{module}"]),
    "pytest": Runner(["pytest", "-v", "-p", "no:cacheprovider", "{file}"], r"^ERROR \S+?::(\S+)"),
    "pytest -n": Runner(
        ["pytest", "-v", "-n1", "-p", "no:cacheprovider", "{file}"],
        r"^ERROR \S+?::(\S+)",
        {"at_process_end": IN_WORKER},
    ),
    "nose2": Runner(["nose2", "-v", "{module}"]),
    "green": Runner(["green", "-vv", "{module}"], r"^Error in (.+)", {"at_process_end": IN_WORKER}),
    "trial": Runner(
        ["trial", "--temp-directory={folder}/trial", "{module}"],
        r"^\[ERROR\]\n(?:.*\n)*?(\S+\.test_\S+)$",
        WITHOUT_FIXTURES,
    ),
    "django": Runner(["python", "-c", DJANGO, "{module}"]),
    "django -b": Runner(["python", "-c", DJANGO, "-b", "{module}"]),
    "django --parallel": Runner(["python", "-c", DJANGO, "--parallel=2", "{module}"], explained=ELSEWHERE),
    "xmlrunner": Runner(["python", "-m", "xmlrunner", "-v", "-o", "{folder}", "{module}"]),
    "xmlrunner -b": Runner(["python", "-m", "xmlrunner", "-v", "-b", "-o", "{folder}", "{module}"]),
    "html-testRunner": Runner(["python", "-c", HTML, "{module}", "{folder}"]),
    "testtools": Runner(["python", "-m", "testtools.run", "{module}"]),
    "stestr": Runner(
        ["stestr", "--repo-url={folder}", "--test-path=.", "run", "--no-discover", "{module}"],
        r"^\{\d\} (\S+) .*FAILED$",
        {"at_process_end": IN_WORKER},
    ),
    "zope.testrunner": Runner(ZOPE, r"^Error in test (.+)", WITHOUT_FIXTURES),
    "zope.testrunner, buffer": Runner([*ZOPE, "--buffer"], r"^Error in test (.+)", WITHOUT_FIXTURES),
    "teamcity": Runner(["python", "-m", "teamcity.unittestpy", "{module}"], r"\[testFailed .* name='(\S+)"),
    "unittest-parallel": Runner(
        ["unittest-parallel", "-v", "-j2", "--level=class", "-t.", "-s", "tests/samples/late", "-p", "{name}.py"],
        r"^={70}\n(test_.+)",
        {"in_plain_case": OTHER_PROCESS, "at_process_end": "the runner kills its workers"},
    ),
}


class Seen(NamedTuple):
    """The outcome of one run."""

    is_reported: bool
    reports: int
    is_right: bool
    blames_innocent: bool
    status: int

    @property
    def is_good(self) -> bool:
        is_alone = self.reports == 1 and not self.blames_innocent
        return self.is_reported and is_alone and self.is_right and self.status != 0

    def __str__(self) -> str:
        error = "reported" if self.is_reported else "lost"
        test = "right test" if self.is_right else "no test"
        fair = "INNOCENT BLAMED" if self.blames_innocent else "innocent fair"
        return f"{error}, {self.reports} reports, {test}, {fair}, status {self.status}"


def prepare(folder: Path) -> Path:
    """Install the runners; return the folder of their scripts."""
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not scripts.exists():
        venv.create(folder, with_pip=True)
        pip = [str(scripts / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-e", str(ROOT), *REQUIREMENTS], check=True)
    return scripts


def run(runner: Runner, moment: str, scripts: Path) -> Seen:
    """Run the tests of a moment."""
    tree = os.environ.get("RUNNERS_TREE", str(ROOT))
    with TemporaryDirectory() as folder:
        names = {"module": f"{PACKAGE}.{moment}", "name": moment, "folder": folder}
        names["file"] = f"{names['module'].replace('.', '/')}.py"
        command = [
            re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], match[0]), argument) for argument in runner.command
        ]
        command[0] = str(scripts / command[0])
        environment = clean_environment(
            COLUMNS="200", PATH=f"{scripts}{os.pathsep}{os.environ['PATH']}", PYTHONPATH=tree
        )
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    output = done.stdout + done.stderr
    if "-v" in sys.argv:
        print(output)
    reports = re.findall(f"{runner.label}|({UNITTEST})", output, re.MULTILINE)
    blamed = " ".join(" ".join(each) for each in reports)
    if reports and "test_" not in blamed:  # as green does for all with which unittest ends a class
        blamed = " ".join(re.findall("surfaced after the end of its test, (.*)", output))
    is_reported = "ValueError: planted" in output
    return Seen(is_reported, len(reports), "test_a_guilty" in blamed, "innocent" in blamed, done.returncode)


def main(names: list[str], scripts: Path) -> bool:
    is_good = True
    for name in names or RUNNERS:
        for moment in MOMENTS:
            seen = run(RUNNERS[name], moment, scripts)
            reason = RUNNERS[name].explained.get(moment)
            line = f"{name:24} {moment:18} {seen}"
            if not seen.is_good:
                is_good = is_good and reason is not None
                line += f": {reason or 'WRONG'}"
            print(line, flush=True)
    return is_good


if __name__ == "__main__":
    chosen = [name for name in sys.argv[1:] if name != "-v"]
    with TemporaryDirectory() as scratch:
        sys.exit(not main(chosen, prepare(Path(os.environ.get("RUNNERS_ENV", scratch)))))
