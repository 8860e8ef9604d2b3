"""Run pip, held to the oldest versions that setup.cfg allows.

python -m tests.oldest (all | NAME_OF_A_PACKAGE) ARGUMENT_OF_PIP...
"""

import configparser
import itertools
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def oldest() -> dict[str, list[str]]:
    """Return the constraints, by the name of the requirement: several if the version depends on the interpreter."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg")
    lines = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
    found = re.findall(r"^([\w.-]+) *>= *([\d.]+)[^;\n]*(;.*)?$", "\n".join(lines), re.MULTILINE)
    constraints: dict[str, list[str]] = {}
    for name, version, marker in found:
        constraints.setdefault(name, []).append(f"{name}=={version}{marker}")
    return constraints


def main() -> int:
    which, *arguments = sys.argv[1:]
    constraints = oldest()
    wanted = itertools.chain(*constraints.values()) if which == "all" else constraints[which]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "constraints.txt")
        path.write_text("\n".join(wanted))
        return subprocess.run([sys.executable, "-m", "pip", *arguments, "-c", path]).returncode


if __name__ == "__main__":
    sys.exit(main())
