"""Run pip, held to the oldest versions that setup.cfg allows.

python -m tests.oldest (all | NAME_OF_A_PACKAGE) ARGUMENT_OF_PIP...
"""

import configparser
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def oldest() -> dict[str, str]:
    """Return a constraint for each requirement, by name."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg")
    lines = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
    found = re.findall(r"^([\w.-]+) *>= *([\d.]+)[^;\n]*(;.*)?$", "\n".join(lines), re.MULTILINE)
    return {name: f"{name}=={version}{marker}" for name, version, marker in found}


def main() -> int:
    which, *arguments = sys.argv[1:]
    constraints = oldest()
    wanted = constraints.values() if which == "all" else [constraints[which]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "constraints.txt")
        path.write_text("\n".join(wanted))
        return subprocess.run([sys.executable, "-m", "pip", *arguments, "-c", path]).returncode


if __name__ == "__main__":
    sys.exit(main())
