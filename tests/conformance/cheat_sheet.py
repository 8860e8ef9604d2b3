"""Runs the tests of the cheat sheet that need other plugins of pytest, with each plugin in an environment of its own.

``python -m tests.conformance.cheat_sheet``. The exit status is 1 if a test fails.
"""

import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import ROOT, clean_environment
from tests.test_cheat_sheet import commands

REQUIREMENTS = {
    "pytest_asyncio": ["pytest-asyncio"],
    "pytest_tornado": ["pytest-tornado", "setuptools<81"],  # it needs pkg_resources
    "pytest_tornasync": ["pytest-tornasync"],
    "pytest_jupyter": ["pytest-jupyter[server]"],
}


def run(module: str, folder: str) -> bool:
    """Run the commands that need a module. Return True if all of them pass."""
    venv.create(folder, with_pip=True)
    python = str(Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python"))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *REQUIREMENTS[module], "tornado"], check=True)
    subprocess.run([*pip, "--no-deps", "--editable", str(ROOT)], check=True)
    wanted = [command.split()[1:] for command, needed in commands() if needed == module]
    done = [subprocess.run([python, *words], cwd=ROOT, env=clean_environment()) for words in wanted]
    return not any(each.returncode for each in done)


def main() -> None:
    failed = []
    for module in REQUIREMENTS:
        print(f"=== {module}", flush=True)
        with TemporaryDirectory() as folder:
            if not run(module, folder):
                failed.append(module)
    sys.exit(f"Fails: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
