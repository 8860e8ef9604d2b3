"""The README: its first test can be pasted and run, with the output that it shows, and its links lead somewhere."""

import ast
import configparser
import importlib.util
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from collections.abc import Iterator
from pathlib import Path

import docutils.core  # type: ignore[import-untyped]

from tests.recorded import normalise
from tests.report_picture import PICTURE, README, coloured_report, draw, example, failing_example
from tests.support import ROOT, run_each, run_python


def shown_outputs() -> list[str]:
    """Return each command that the README shows with its output, and the output."""
    found = re.findall(r"\.\. code-block:: console\n\n((?: {4}.*\n|\n)+)", README)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).strip() for block in found]


def run_in_folder(code: str, command: str, **environment: str) -> str:
    """Run a command in a folder with the code as ``test_price.py``; return both the command and its output."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "test_price.py"
        path.write_text(code, encoding="utf-8")
        said = run_python(*command.split()[1:], cwd=path.parent, **environment).stderr
        return f"$ {command}\n{said.replace(str(path), path.name).strip()}"


def text_of_picture(picture: str) -> str:
    root = xml.etree.ElementTree.fromstring(picture)
    lines = ["".join(line.itertext()).rstrip() for line in root.iter("{http://www.w3.org/2000/svg}text")]
    return without_durations("\n".join(lines))


def without_durations(text: str) -> str:
    return re.sub(r" in [\d.]+s", " in N s", normalise(text))


def imports(path: Path) -> Iterator[str]:
    """Return the names of the modules that a module imports, without those beside it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


class FirstTestTest(unittest.TestCase):
    def test_it_passes_and_fails_with_the_output_that_is_shown(self) -> None:
        commands = ["python -m unittest -v test_price", "python -m unittest test_price"]
        runs = run_each(run_in_folder, [example(), failing_example()], commands)
        self.assertEqual(list(map(without_durations, runs)), list(map(without_durations, shown_outputs())))

    def test_its_report_with_the_original(self) -> None:
        """``tornado.testing`` waits for its time limit, and logs the assertion."""
        code = failing_example().replace("from asynctest_tornado", "from tornado.testing")
        said = run_in_folder(code, "python -m unittest test_price", ASYNC_TEST_TIMEOUT="0.2")
        log, _, report = said.partition("\n=====")
        self.assertIn("AssertionError: 4 != 3", log)
        self.assertNotIn("4 != 3", report)
        claim = re.search(r'its report says "([^"]*)"', README)
        assert claim is not None
        self.assertIn(re.sub(r"\s+", " ", claim[1]).replace("5", "0.2"), report)

    @unittest.skipUnless(importlib.util.find_spec("pytest"), "pytest is not installed")
    def test_the_picture_shows_the_report_of_pytest(self) -> None:
        """If it does not: ``python -m tests.report_picture``."""
        self.assertEqual(text_of_picture(draw(coloured_report())), text_of_picture(PICTURE.read_text(encoding="utf-8")))


class LinksTest(unittest.TestCase):
    def test_each_leads_to_a_file_or_folder(self) -> None:
        targets = re.findall(r"^\.\. _[^:]+: (\S+)$|^\.\. image:: (\S+)$", README, re.MULTILINE)
        self.assertGreater(len(targets), 9)
        self.assertEqual([each for pair in targets for each in pair if each and not (ROOT / each).exists()], [])

    def test_each_is_used_and_the_text_is_well_formed(self) -> None:
        """docutils reports a wrong name, and a target to which nothing refers."""
        docutils.core.publish_doctree(README, settings_overrides={"report_level": 1, "halt_level": 1})


class CommandsTest(unittest.TestCase):
    def test_the_examples_import_only_packages_that_their_extra_installs(self) -> None:
        """The functions for pytest are left out, which the command does not run."""
        project = configparser.ConfigParser(interpolation=None)
        project.read(ROOT / "setup.cfg")
        requirements = project["options"]["install_requires"] + project["options.extras_require"]["examples"]
        names = re.findall(r"^[\w-]+", requirements, re.MULTILINE)
        installed = {name.replace("-", "_") for name in names} | {"pymongo"}  # by motor
        modules = [path for path in (ROOT / "examples").rglob("*.py") if path.name != "functions_test.py"]
        imported = {name.split(".")[0] for path in modules for name in imports(path)}
        self.assertGreater(len(imported), 20)
        self.assertEqual(imported - sys.stdlib_module_names - installed, {"examples"})


if __name__ == "__main__":
    unittest.main()
