"""A project outside of the tree, on the packages that its user would install: the built wheel, and the built sdist.

python -m tests.consumer [FOLDER]

leaves these two in the folder. It needs the extra ``lint``, and makes environments of its own for all the rest.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

from tests.elsewhere import ROOT, copy_project

PROJECT = Path(__file__).parent / "project"
RUNNERS = {
    "unittest": "-W error -m unittest",
    "asynctest_tornado": "-W error -m asynctest_tornado",
    "pytest": "-m pytest -q -W error -p no:cacheprovider",
    "xdist": "-m pytest -q -W error -p no:cacheprovider -n 2",
}
#: Run in an environment, outside of the tree.
LOOK = """
import importlib.metadata, pathlib, sys, asynctest_tornado
package = pathlib.Path(asynctest_tornado.__file__).parent
assert package.is_relative_to(sys.prefix), f"{package} is imported, which is not in {sys.prefix}"
assert (package / "py.typed").is_file(), "there is no py.typed"
distribution = importlib.metadata.distribution("asynctest_tornado")
assert distribution.metadata["License-Expression"] == "Apache-2.0", distribution.metadata["License-Expression"]
print(distribution.version)
own = [file for file in distribution.files if file.parts[0] == package.name and file.hash]
print(*sorted(f"{file} {file.hash.value}" for file in own))
"""


class Environment:
    """An environment of its own.

    :param folder: where to make it.
    :param project: the folder of the project in which commands are run.
    """

    def __init__(self, folder: Path, project: Path) -> None:
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.project = project
        foreign = ("PYTHON", "ASYNC_TEST", "PYTEST", "MYPY", "VIRTUAL_ENV")
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.variables["PATH"] = os.pathsep.join([str(self.bin), os.environ["PATH"]])

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment. With ``check``, exit if it fails."""
        words = [str(self.bin / command[0]), *command[1:]]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(words, cwd=self.project, env=self.variables, text=True, **options)  # type: ignore[call-overload]
        if check and done.returncode:
            sys.exit(f"{' '.join(command)}:\n{done.stdout}")
        return done  # type: ignore[no-any-return]

    def install(self, *requirements: str) -> None:
        self.run("python", "-m", "pip", "install", "-q", *requirements)


def build(scratch: Path, to: Path) -> tuple[Path, Path]:
    """Build an sdist of the tree as it is, and a wheel of that; return their paths."""
    copy_project(scratch / "copy")
    subprocess.run([sys.executable, "-m", "build", "-q", "--outdir", to, scratch / "copy"], check=True)
    (sdist,), (wheel,) = to.glob("*.tar.gz"), to.glob("*.whl")
    return sdist, wheel


def check_complete(sdist: Path) -> None:
    """Exit if the sdist lacks something that is committed, and not about committing."""
    if not (ROOT / ".git").exists():
        return
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    missing = [name for name in listed.stdout.splitlines() if name not in packed and not name.startswith(".")]
    if missing:
        sys.exit(f"{sdist.name} lacks {', '.join(missing)}. MANIFEST.in lists its files.")


def run_tests(environment: Environment) -> None:
    """Run the suite of the project by each runner. Exit if a test fails, or one runs fewer tests than another."""
    ran = {}
    for name, options in RUNNERS.items():
        said = environment.run("python", *options.split()).stdout
        found = re.search(r"^Ran (\d+) tests in .*\n\nOK$|^(\d+) passed in ", said, re.MULTILINE)
        if found is None:
            sys.exit(f"{name} does not say how many tests have passed:\n{said}")
        ran[name] = int(found[1] or found[2])
    print("passed:", ", ".join(f"{count} by {name}" for name, count in ran.items()))
    if not 0 < ran["unittest"] == ran["asynctest_tornado"] < ran["pytest"] == ran["xdist"]:
        sys.exit("These are not the same tests; pytest has to run the test functions in addition.")


def check_types(environment: Environment) -> None:
    """Run mypy and pyright on the project. Exit if they find a mistake; print a line if there is no pyright."""
    environment.install("mypy")
    print("mypy:", environment.run("mypy").stdout.strip())
    installed = environment.run("python", "-m", "pip", "install", "-q", "pyright[nodejs]", check=False)
    started = environment.run("pyright", "--version", check=False) if installed.returncode == 0 else installed
    if started.returncode:
        print(f"NOT CHECKED by pyright, which cannot be had here:\n{started.stdout}")
        return
    print("pyright:", environment.run("pyright").stdout.strip())
    public = environment.run("pyright", "--verifytypes", "asynctest_tornado", "--ignoreexternal").stdout
    print(*re.findall("Type completeness score: .*", public))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        sdist, wheel = build(scratch, Path(sys.argv[1]).resolve() if sys.argv[1:] else scratch / "dist")
        check_complete(sdist)
        project = scratch / "project"
        shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        seen = []
        for file in wheel, sdist:
            print(f"--- {file.name}", flush=True)
            environment = Environment(scratch / file.suffix, project)
            environment.install(str(file), f"{project}[test]")
            seen.append(environment.run("python", "-c", LOOK).stdout)
            run_tests(environment)
            if file is wheel:
                check_types(environment)
        if seen[0] != seen[1]:
            sys.exit(f"From the wheel and from the sdist, other files are installed:\n{seen[0]}\n{seen[1]}")


if __name__ == "__main__":
    main()
