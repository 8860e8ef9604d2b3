"""The recipes: each file runs by itself, as the commands of its page run it, and leaves nothing behind."""

import functools
import re
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

import asynctest_tornado
from examples.motor_find_one.mongodb import embedded_server
from tests.support import ROOT, run_python
from tests.test_docs import directives, literal_blocks

RECIPES = ROOT / "docs" / "recipes"
PAGES = {page.stem: page.read_text() for page in sorted(RECIPES.glob("*.rst")) if page.stem != "index"}

#: Words by which readers look for a recipe.
SEARCHED = (
    *("mock", "login", "forgot", "sqlite", "SSE", "upload", "requests", "subprocess", "signal", "coverage"),
    *("breakpoint", "pdb", "cookie", "xsrf", "Motor", "PeriodicCallback", "hypothesis", "AsyncMock", "fixture"),
)

#: What the reader types at the prompt of pdb.
TYPED = "p result\nc\n"


def commands(page: str) -> list[str]:
    """Return the commands that a page shows."""
    blocks = directives(PAGES[page], "code-block")
    return [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines() if "$ " in line]


def all_of(begin: str) -> list[str]:
    """Return the rest of each command that begins like this, and may come after environment variables."""
    found = [re.fullmatch(rf"(?:[A-Z_]+=\S+ )*{begin} (.*)", each) for page in PAGES for each in commands(page)]
    return [each[1] for each in found if each is not None]


class RecipesTest(unittest.TestCase):
    """The files are copied to another folder, as a reader does."""

    uri: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.uri = cls.enterClassContext(embedded_server())

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for file in RECIPES.glob("test_*.py"):
            shutil.copy(file, self.folder)
        self.run_here = functools.partial(
            run_python,
            cwd=self.folder,
            PYTHONPATH=str(Path(asynctest_tornado.__file__).parent.parent),
            ASYNC_TEST_TIMEOUT="60",
            MONGODB_URI=self.uri,
        )

    def test_commands_of_unittest(self) -> None:
        modules = all_of("python -m unittest")
        done = self.run_here("-W", "error", "-m", "unittest", *modules, typed=TYPED, ASYNC_TEST_LEAKS="fail")
        said = re.sub(r"Schedules: .*\n\n", "", done.stderr)
        self.assertRegex(said, r"\A\.{40,}\n-+\nRan \d+ tests in [\d.]+s\n\nOK\n\Z")
        self.assertIn("\n(Pdb) 3\n", done.stdout)
        files = {f"{name}.py" for name in modules} | set(all_of("python -m pytest"))
        self.assertEqual(files | {"test_coverage.py"}, {file.name for file in RECIPES.glob("test_*.py")})

    def test_all_under_pytest(self) -> None:
        settings = [
            "asynctest_tornado_leaks=fail",
            "filterwarnings=error",
            "asyncio_default_fixture_loop_scope=function",
        ]
        options = [each for setting in settings for each in ("-o", setting)]
        done = self.run_here("-m", "pytest", "-q", "-p", "no:cacheprovider", *options, typed=TYPED)
        self.assertRegex(done.stdout, r"\n\d+ passed in ", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_coverage(self) -> None:
        said = ""
        for command in commands("coverage"):
            done = self.run_here(*command.split()[1:])
            self.assertEqual(done.returncode, 0, done.stderr)
            said = done.stdout
        self.assertRegex(said, r"\ntest_coverage\.py +\d+ +0 +\d+ +0 +100%\n")


class PagesTest(unittest.TestCase):
    def test_each_shows_its_file(self) -> None:
        """The whole of one file but its docstring, with its name, and a command that runs it."""
        for name, page in PAGES.items():
            with self.subTest(name):
                found = re.findall(r"literalinclude:: (\w+\.py)\n +:caption: :download:`(\S+)`\n +:lines: 3-\n", page)
                self.assertEqual(len(found), page.count("include::"))
                [(file, caption)] = found
                self.assertEqual(file, caption)
                lines = (RECIPES / file).read_text().splitlines()
                self.assertRegex(lines[0], r'\A""".*\."""\Z')
                self.assertEqual(lines[1], "")
                self.assertIn(file.removesuffix(".py"), commands(name)[0])

    def test_they_have_no_code_of_their_own(self) -> None:
        for name, page in PAGES.items():
            self.assertEqual(literal_blocks(page), [], name)
            self.assertRegex("\n".join(directives(page, "code-block")).strip(), r"\A(\$ .*\s*)+\Z")

    def test_searched_words_are_there(self) -> None:
        text = "\n".join(PAGES.values())
        self.assertEqual([word for word in SEARCHED if re.search(rf"\b{word}", text, re.IGNORECASE) is None], [])


if __name__ == "__main__":
    unittest.main()
