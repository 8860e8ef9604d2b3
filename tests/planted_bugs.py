"""Plants bugs in the examples, to see that their tests find them."""

import functools
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support import ROOT, run_each, run_python


class Bug(NamedTuple):
    """A line of an example, a wrong one for its place, and the test that is about it."""

    module: str
    line: str
    planted: str
    test: str


def check(
    case: unittest.TestCase,
    example: str,
    bugs: Sequence[Bug],
    timeout: str,
    program: Sequence[str] = ("-m", "unittest"),
) -> None:
    """Check that for each bug, planted alone, the test fails that is about it.

    :param example: the name of the folder of the example.
    :param timeout: the time limit of each wait of its tests, in seconds.
    :param program: the arguments of Python that run ``unittest.main``.
    """
    run = functools.partial(_run_with, example, timeout, program)
    for bug, done in zip(bugs, run_each(run, bugs), strict=True):
        with case.subTest(bug=bug):
            case.assertRegex(done.stderr, rf"\n(FAIL|ERROR): {bug.test.rpartition('.')[2]} \(")


def _run_with(example: str, timeout: str, program: Sequence[str], bug: Bug) -> "subprocess.CompletedProcess[str]":
    """Run a test on a copy of the example in which a bug is planted."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "examples", example)
        shutil.copytree(ROOT / "examples" / example, folder, ignore=shutil.ignore_patterns("__pycache__"))
        # Or it would be no package that hides the one in the root of the project.
        (folder.parent / "__init__.py").touch()
        module = folder / f"{bug.module}.py"
        code = module.read_text(encoding="utf-8")
        assert code.count(bug.line) == 1, bug
        module.write_text(code.replace(bug.line, bug.planted), encoding="utf-8")
        command = *program, "discover", "-t", root, "-s", str(folder), "-k", f"*.{bug.test}"
        return run_python(*command, ASYNC_TEST_TIMEOUT=timeout)
