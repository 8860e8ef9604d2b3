"""The files for CI services in docs/examples/ci: their commands run, and leave the files that the jobs keep."""

import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests import yaml_subset
from tests.support import ROOT, clean_environment

FILES = ROOT / "docs" / "examples" / "ci"
INSTALLS = "python -m pip install -e . asynctest_tornado"

#: A test that passes in the order of asyncio, and one that fails under -W error, in workers as well.
PROJECT = """
import asyncio
from asynctest_tornado import AsyncTestCase

class RegistryTest(AsyncTestCase):
    async def test_one_owner(self):
        owners = []

        async def ask(steps):
            for _ in range(steps):
                await asyncio.sleep(0)
            if not owners:
                await asyncio.sleep(0)
                owners.append(steps)

        await asyncio.gather(ask(0), ask(2))
        self.assertEqual(len(owners), 1)
"""
FAILS = """
    async def test_warns(self):
        import warnings
        warnings.warn("old", DeprecationWarning)
"""
#: Other plugins of this environment warn, which is an error under -W error.
SETTINGS = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


class Job(NamedTuple):
    name: str
    commands: list[str]
    environment: dict[str, str]
    kept: set[str]
    """Names of files and folders."""


def jobs_of_github() -> Iterator[Job]:
    file = yaml_subset.load((FILES / "github.yml").read_text())
    for name, job in file["jobs"].items():
        kept = [step["with"]["path"].split() for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
        yield Job(name, [step["run"] for step in job["steps"] if "run" in step], file["env"], set(*kept))


def jobs_of_gitlab() -> Iterator[Job]:
    file = yaml_subset.load((FILES / "gitlab.yml").read_text())
    default = file["default"]
    for name in file.keys() - {"default", "variables"}:
        commands = default["before_script"] + file[name]["script"]
        kept = {*default["artifacts"]["paths"], default["artifacts"]["reports"]["junit"]}
        yield Job(name, commands, file["variables"] | file[name].get("variables", {}), kept)


def jobs() -> dict[str, Job]:
    found = {f"{file}: {job.name}": job for file, of in _READERS.items() for job in of()}
    return dict(sorted(found.items()))


_READERS = {"github.yml": jobs_of_github, "gitlab.yml": jobs_of_gitlab}


def run_job(job: Job, project: Path, tests: str) -> "subprocess.CompletedProcess[str]":
    """Run all of a job but the installation."""
    (project / "tests").mkdir()
    (project / "tests" / "__init__.py").touch()
    (project / "tests" / "test_registry.py").write_text(tests)
    (project / "pytest.ini").write_text(SETTINGS)
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = clean_environment(**job.environment, CI="true", PATH=path)
    commands = [command for command in job.commands if not command.startswith(INSTALLS)]
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join(commands)], cwd=project, env=environment, capture_output=True, text=True
    )


@unittest.skipIf(sys.platform == "win32", "the commands are for a shell")
class CommandsTest(unittest.TestCase):
    def run_job(self, job: Job, tests: str) -> tuple["subprocess.CompletedProcess[str]", Path]:
        project = Path(self.enterContext(tempfile.TemporaryDirectory()))
        return run_job(job, project, tests), project

    def test_tests_pass(self) -> None:
        done, project = self.run_job(jobs()["github.yml: tests"], PROJECT)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue((project / "junit.xml").exists())

    def test_tests_fail_and_leave_reports(self) -> None:
        for name in ("github.yml: tests", "gitlab.yml: tests"):
            with self.subTest(name):
                job = jobs()[name]
                done, project = self.run_job(job, PROJECT + FAILS)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertLess(job.kept, set(os.listdir(project)))
                found = xml.etree.ElementTree.parse(project / "junit.xml").findall(".//testcase")
                self.assertEqual(sum(len(each) > 0 for each in found), 1)
                self.assertEqual(len(found), 2)
                [page] = (project / "traces").glob("*.html")
                self.assertIn("test_warns", page.name)

    def test_orders_find_a_race(self) -> None:
        for name in ("github.yml: orders", "gitlab.yml: orders"):
            with self.subTest(name):
                job = jobs()[name]
                done, project = self.run_job(job, PROJECT)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn("To replay this order", done.stdout + done.stderr)
                self.assertLess(job.kept, set(os.listdir(project)))


class FilesTest(unittest.TestCase):
    def test_each_job_installs_and_runs_the_tests(self) -> None:
        for name, job in jobs().items():
            with self.subTest(name):
                install, tests = job.commands
                self.assertTrue(install.startswith(INSTALLS))
                self.assertRegex(
                    tests, r"\Apython (-W error )?-m asynctest_tornado |\Apython -m pytest (-W error )?-n auto "
                )
                self.assertEqual(job.kept, {"junit.xml", "traces"})

    def test_all_files_are_there(self) -> None:
        self.assertEqual({path.name for path in FILES.iterdir()}, _READERS.keys())
        self.assertEqual(len(jobs()), 4)

    def test_other_yaml_is_refused(self) -> None:
        refused: list[Any] = ["a: yes", "a: &x b", "a: *x", "a: b: c", "a: b #c", "a: 1.5", "a: >\n  b", "a: {b: c}"]
        refused += ["a:\n  - b\n - c", "a: b\n\tc: d", "a: x\n  y", "- a\nb: c", "a: b\na: c", "a: 'b'"]
        for text in refused:
            with self.subTest(text), self.assertRaises(ValueError):
                yaml_subset.load(text)


if __name__ == "__main__":
    unittest.main()
