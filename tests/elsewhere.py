"""Run the tests on the package that is installed, in a copy of the project that has none of its own.

python -m tests.elsewhere OPTION_OF_PYTHON...
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Names of files that are no part of the project, or made anew.
LEFT_OUT = (".*", "*.egg-info", "__pycache__", "_build", "build", "dist")


def copy_project(to: Path, *left_out: str) -> None:
    """Copy the files that may be in an sdist, without those that match one of the patterns."""
    shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*LEFT_OUT, *left_out))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "project"
        copy_project(copy, "asynctest_tornado")
        code = "import asynctest_tornado; print(asynctest_tornado.__file__)"
        asked = subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, stdout=subprocess.PIPE, text=True)
        module = asked.stdout.strip()
        if Path(module).is_relative_to(ROOT / "asynctest_tornado"):
            sys.exit(f"The installed package leads back to {module}. Install it without -e.")
        print(f"Testing {module}, with {sys.argv[1:]}", flush=True)
        command = [sys.executable, *sys.argv[1:], "-m", "unittest", "discover", "-t", ".", "-s", "tests"]
        return subprocess.run(command, cwd=copy).returncode


if __name__ == "__main__":
    sys.exit(main())
