"""The documentation: it can be built, and all that it shows runs, with the reports that it shows.

If a report changes for a good reason, record it anew, from the project root::

    python -m tests.test_docs --record
"""

import ast
import asyncio
import concurrent.futures
import configparser
import html
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import textwrap
import unittest
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from sphinx.search.en import SearchEnglish

import asynctest_tornado
from asynctest_tornado import AsyncTestCase
from asynctest_tornado._pytest import fixtures
from asynctest_tornado._util import private_names, settings
from tests.recorded import RecordedReports
from tests.support import ROOT, run_body, run_each, run_example, run_python

DOCS = ROOT / "docs"
PAGES = {page.name: page.read_text() for page in sorted(DOCS.glob("*.rst"))}

#: Members that are for the library itself, and some of unittest that behave as there.
NOT_FOR_USERS = {
    "AsyncTestCase": {"assertNoLogs", "debug", "doCleanups", "run", "subTest"},
    "ExpectError": {"handle"},
    "ExpectLog": {"filter", "watch"},
    "VirtualNetwork": {
        *("bind", "bound_with", "collect", "connect", "connects_at_once", "find", "listen", "listeners", "reaches"),
        *("expose", "renumber", "stop_listening", "trusted_hosts"),
    },
}


def directives(text: str, name: str) -> list[str]:
    """Return the content of each such directive of a page, its options included."""
    found = re.findall(rf"^( *)\.\. {name}::.*\n((?:\1 +.*\n|\n)*)", text + "\n", re.MULTILINE)
    return [content for _, content in found]


def definitions(text: str) -> dict[frozenset[str], str]:
    """Return the definitions of a page, by the names in their terms."""
    found = re.findall(r"^((?:`\S+`(?:, )?)+)\n((?: +.*\n)+)", text, re.MULTILINE)
    return {frozenset(re.findall(r"[\w-]+(?=`)", term)): meaning for term, meaning in found}


def commands() -> list[str]:
    """Return the commands that a reader may run in the project. ``tests.test_tutorial`` runs those of the tutorial."""
    pages = [page for name, page in PAGES.items() if name != "tutorial.rst"]
    blocks = [block for page in pages for block in directives(page, "code-block")]
    return [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines() if "$ " in line]


def run_command(command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that pages show, which may begin with environment variables."""
    words = shlex.split(command)
    settings = dict(words.pop(0).split("=", 1) for word in words[:] if re.match(r"[A-Z_]+=", word))
    assert words[0] == "python", command
    return run_python(*words[1:], **settings)


def literal_blocks(text: str) -> list[str]:
    """Return the blocks after two colons, not indented any more."""
    found = re.findall(r"::\n\n((?: {4}.*\n|\n)+)", text)
    return [textwrap.dedent(block).strip("\n") for block in found]


def source_lines(path: Path, name: str) -> list[str]:
    """Return the lines of a file, or of the class of this name in it."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name == name:
            text = str(ast.get_source_segment(text, node))
    return text.splitlines()


class BuildTest(unittest.TestCase):
    html: ClassVar[Path]
    said: ClassVar["subprocess.CompletedProcess[str]"]

    @classmethod
    def setUpClass(cls) -> None:
        cls.html = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(cls.html / ".doctrees")]
        cls.said = run_python("-m", "sphinx", *options, str(DOCS), str(cls.html))

    def test_there_is_no_warning(self) -> None:
        self.assertEqual((self.said.returncode, self.said.stderr), (0, ""))

    def test_each_page_is_built(self) -> None:
        self.assertGreater(len(PAGES), 12)
        for page in PAGES:
            self.assertTrue((self.html / page).with_suffix(".html").exists(), page)

    def test_pages_fetch_nothing(self) -> None:
        """No style, script, font or picture comes from another host."""
        for path in [*self.html.rglob("*.html"), *self.html.rglob("*.css")]:
            with self.subTest(path.name):
                fetched = r"""(?:<link\b[^>]*\bhref|\bsrc)=["'](?:https?:)?//[^"']*|@import[^;]*|url\(["']?https?:"""
                self.assertEqual(re.findall(fetched, path.read_text()), [])

    def test_links_lead_to_places(self) -> None:
        """Each link within the pages has its page, and its place there."""
        places = {page: set(re.findall(r'\bid="([^"]+)"', page.read_text())) for page in self.html.rglob("*.html")}
        for page in places:
            for link in re.findall(r'\bhref="([^"]+)"', page.read_text()):
                if not re.match(r"[a-z]+:", link):
                    name, _, place = html.unescape(link).partition("#")
                    target = Path(os.path.normpath(page.parent / name.partition("?")[0])) if name else page
                    self.assertTrue(target.exists(), f"{page.name}: {link}")
                    self.assertTrue(
                        not place or target not in places or place in places[target], f"{page.name}: {link}"
                    )

    def test_the_search_finds_words_of_readers(self) -> None:
        index = json.loads(
            (self.html / "searchindex.js").read_text().removeprefix("Search.setIndex(").removesuffix(")")
        )
        words = index["terms"].keys() | index["titleterms"].keys()
        for word in (
            "mock",
            "login",
            "forgot",
            "sqlite",
            "sse",
            "websocket",
            "coverage",
            "security",
            "github",
            "gitlab",
        ):
            self.assertIn(SearchEnglish({}).stem(word), words)

    def test_the_reference_names_no_folder_of_the_builder(self) -> None:
        text = (self.html / "reference.html").read_text()
        for folder in (ROOT, Path(asynctest_tornado.__file__).parent, Path.home(), Path(tempfile.gettempdir())):
            self.assertNotIn(f"{folder}/", text)

    def test_commands_are_copied_without_prompts(self) -> None:
        self.assertIn("copybutton.js", (self.html / "tutorial.html").read_text())
        self.assertIn(r"\\$ |", (self.html / "_static" / "copybutton.js").read_text())

    def test_the_reference_has_all_public_names(self) -> None:
        text = (self.html / "reference.html").read_text()
        named = set(re.findall(r'id="asynctest_tornado\.(\w+)"', text))
        self.assertEqual(named - {"replace"}, set(asynctest_tornado.__all__))

    def test_the_reference_has_all_members(self) -> None:
        """Each public method and attribute of a public class is there, but those that are named above."""
        text = (self.html / "reference.html").read_text()
        named = set(re.findall(r'id="asynctest_tornado\.(\w+\.\w+)"', text))
        for name in asynctest_tornado.__all__:
            cls = getattr(asynctest_tornado, name)
            if isinstance(cls, type) and cls.__module__.startswith("asynctest_tornado"):
                bases = {each for each in cls.__mro__[1:] if each.__name__ in asynctest_tornado.__all__}
                hidden = [each for each in cls.__mro__[1:] if issubclass(each, asynctest_tornado.AsyncTestCase)]
                parts = [cls, *(each for each in hidden if not any(issubclass(base, each) for base in bases))]
                members = {name for each in parts for name in (*vars(each), *vars(each).get("__annotations__", ()))}
                own = {member for member in members if member[0] != "_"}
                there = {member.partition(".")[2] for member in named if member.startswith(f"{name}.")}
                self.assertEqual(own - there, NOT_FOR_USERS.get(name, set()), name)

    def test_all_that_is_documented_has_its_version(self) -> None:
        """Each public name, and each of its methods, says since when it is there."""
        for name in set(asynctest_tornado.__all__):
            thing = getattr(asynctest_tornado, name)
            methods = {
                f"{name}.{member}": value.__doc__ or ""
                for member, value in (vars(thing).items() if isinstance(thing, type) else ())
                if callable(value) or isinstance(value, classmethod | staticmethod | property)
                if member[0] != "_" and member not in NOT_FOR_USERS.get(name, ())
            }
            for where, docstring in {name: thing.__doc__, **methods}.items():
                self.assertRegex(docstring, r"New in version\s+\d", where)

    def test_the_settings_are_those_of_the_table(self) -> None:
        """Each row of the table has its place in the page, with all of its names and its default, and no other."""
        cases, in_pytest = PAGES["settings.rst"].split("Under pytest\n")
        of_cases = {frozenset({row.attribute, row.variable, row.option} - {""}): row for row in settings.SETTINGS}
        of_pytest = {frozenset({row.ini, row.pytest_option} - {""}): row for row in settings.SETTINGS}
        for page, rows in (cases.split("The command line\n")[0], of_cases), (in_pytest, of_pytest):
            rows.pop(frozenset(), None)
            described = definitions(page)
            self.assertEqual(described.keys(), rows.keys())
            for names, row in rows.items():
                if isinstance(row.default, float | str) and not (row.variable and rows is of_pytest):
                    self.assertRegex(described[names], rf"(?<!\w){str(row.default).removesuffix('.0')}\b")
        listed = re.search(r"has the arguments (.*?)\. ", in_pytest, re.DOTALL)
        assert listed is not None
        self.assertEqual(set(re.findall(r"``(\w+)``", listed[1])), {row.argument for row in settings.SETTINGS} - {""})

    def test_the_options_of_the_command_line_are_complete(self) -> None:
        help_text = run_python("-m", "asynctest_tornado", "--help").stderr.split("\nTornado's options")[0]
        for option in set(re.findall(r"(?<!\S)--[a-z]{3,}", help_text)):
            self.assertIn(f"``{option}", PAGES["settings.rst"])

    def test_all_fixtures_are_there(self) -> None:
        text = (self.html / "pytest.html").read_text()
        self.assertGreater(len(fixtures.NAMES), 8)
        self.assertEqual(set(re.findall(r'id="fixture-(\w+)"', text)), fixtures.NAMES)

    def test_all_private_names_are_there(self) -> None:
        """How it works: each row of the tables has its owner and its name in one term of a list."""
        terms = re.findall(r"<dt>(.*?)</dt>", (self.html / "how_it_works.html").read_text(), re.DOTALL)
        named: set[tuple[str, str]] = set()
        for owner, *names in (re.findall(r"<code.*?>(.*?)</code>", term) for term in terms):
            named.update((re.sub("<.*?>", "", owner), re.sub("<.*?>", "", name)) for name in names)
        expected = {(row.owner, row.name) for row in private_names.PRIVATE}
        expected |= {(row.owner, row.name) for row in private_names.LOCALS}
        self.assertEqual(expected - named, set())

    def test_a_search_finds_messages(self) -> None:
        index = (self.html / "searchindex.js").read_text()
        found = json.loads(index[index.index("(") + 1 : index.rindex(")")])
        page = found["docnames"].index("messages")
        titles = [title for title, places in found["alltitles"].items() if page in [number for number, _ in places]]
        for fragment in (
            "this is a deadlock",
            "was never awaited",
            "left these resources open",
            "is running already",
            "in real time, without a clock",
        ):
            self.assertTrue(any(fragment in title for title in titles), fragment)

    def test_the_drawing_is_in_its_page_and_well_formed(self) -> None:
        drawing = (DOCS / "life_of_a_test.svg").read_text()
        self.assertEqual(xml.etree.ElementTree.fromstring(drawing).tag, "{http://www.w3.org/2000/svg}svg")
        self.assertTrue(drawing.strip() in (self.html / "how_it_works.html").read_text())


class ExamplesTest(RecordedReports, unittest.TestCase):
    example = "docs/examples"
    outcomes: ClassVar = {
        "MyTestCase.test_delay": "FAILED (failures=1)",
        "TaskTest.test_task_is_not_awaited": "FAILED (errors=1)",
        "PageTest.test_price": "FAILED (failures=1)",
        "PageTest.test_websocket": "FAILED (errors=1)",
        "RegistryTest.test_a_name_has_one_owner": "FAILED (failures=1)",
        "MailTest.test_mail_twice": "FAILED (failures=1)",
        "LeakTest.test_heartbeat": "FAILED (failures=1)",
        "LogsTest.test_order": "FAILED (failures=1)",
        "PaymentTest.test_a_response_that_breaks_off": "FAILED (failures=1)",
    }

    @classmethod
    def report(cls, name: str) -> str:
        return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", super().report(name))

    def test_reports_name_no_path_of_a_machine(self) -> None:
        for name in self.outcomes:
            self.assertNotRegex(self.recorded(name), r'File "(/|\w:)')

    def test_suites_pass(self) -> None:
        """The suites that the pages show pass, and leave nothing behind."""
        done = run_example(self.example, ASYNC_TEST_LEAKS="fail")
        # The debug mode of IsolatedAsyncioTestCase reports how slow a busy machine is.
        said = re.sub(r"Executing <.*> took [\d.]+ seconds\n|Schedules: .*\n\n", "", done.stderr)
        self.assertRegex(said, r"\A\.+\n-+\nRan (3[0-9]|[4-9]\d) tests in [\d.]+s\n\nOK\n\Z")

    @unittest.skipUnless(
        any(each.value.startswith("asynctest_tornado") for each in importlib.metadata.entry_points(group="pytest11")),
        "there is no plugin of asynctest_tornado for pytest",
    )
    def test_a_module_written_for_pytest_tornado(self) -> None:
        done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "docs/examples/pytest_tornado")
        self.assertRegex(done.stdout, r"\n1 passed in ")


def fail() -> None:
    raise ZeroDivisionError


class ErrorsTest(unittest.TestCase):
    """The page errors.rst is true of the jobs of thread pools."""

    def test_the_error_of_submit_is_lost(self) -> None:
        async def drop_result(case: AsyncTestCase) -> None:
            with ThreadPoolExecutor() as pool:
                concurrent.futures.wait([pool.submit(fail)])

        self.assertEqual(run_body(AsyncTestCase, drop_result).verdicts, ["addSuccess"])

    def test_the_error_of_run_in_executor_is_trapped(self) -> None:
        async def drop_result(case: AsyncTestCase) -> None:
            with ThreadPoolExecutor() as pool:
                await asyncio.wait([case.io_loop.run_in_executor(pool, fail)])

        self.assertIn("ZeroDivisionError", run_body(AsyncTestCase, drop_result).report)


class PagesTest(unittest.TestCase):
    def test_commands_run(self) -> None:
        """Each command passes, except the commands that run tests which go wrong on purpose."""
        self.assertGreater(len(commands()), 8)
        for command, done in zip(commands(), run_each(run_command, commands()), strict=True):
            with self.subTest(command):
                self.assertRegex(done.stdout + done.stderr, r"\nRan \d+ tests? in |\n\d+ passed in |= \d+ passed in ")
                self.assertEqual(done.returncode, "going_wrong" in command, done.stderr)

    def test_the_race_in_one_file(self) -> None:
        """races.rst: the file passes in asyncio's own order, and fails in another one."""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(DOCS / "examples" / "bank_race.py", folder)
            package = str(Path(asynctest_tornado.__file__).parent.parent)
            passed = run_python("-m", "unittest", "bank_race", cwd=Path(folder), PYTHONPATH=package)
            failed = run_python(
                *("-m", "asynctest_tornado", "--schedules=50", "bank_race"), cwd=Path(folder), PYTHONPATH=package
            )
        self.assertEqual((passed.returncode, failed.returncode), (0, 1), passed.stderr + failed.stderr)
        self.assertIn("It fails with 1 deviation from asyncio's own order", failed.stderr)

    def test_pages_have_no_code_of_their_own(self) -> None:
        """All code beside commands is included from files, which are run."""
        for name, page in PAGES.items():
            with self.subTest(name):
                self.assertEqual(literal_blocks(page), [])
                for block in directives(page, "code-block"):
                    self.assertRegex(block.strip(), r"\A(\$ .*\s*)+\Z|\Apip install asynctest_tornado\Z")

    def test_files_that_pages_include_are_run(self) -> None:
        """Code comes from examples and samples, reports from where they are recorded."""
        allowed = r"examples/|\.\./examples/|\.\./tests/samples/stuck\.py|\.\./tests/gallery/"
        included = [each for page in PAGES.values() for each in re.findall(r"literalinclude:: (.*)", page)]
        self.assertGreater(len(included), 40)
        for path in included:
            self.assertRegex(path, rf"\A({allowed})")
            if path.endswith(".txt"):
                self.assertRegex(path, r"/reports/|/gallery/")

    def test_only_docstrings_are_left_out_of_files(self) -> None:
        """If a page shows lines by their numbers, these are still the lines that were meant."""
        found = [
            each
            for page in PAGES.values()
            for each in re.findall(r"literalinclude:: (.*)\n(?: +:pyobject: (.*)\n)? +:lines: (1,)?(\d+)-\n", page)
        ]
        self.assertGreater(len(found), 8)
        for path, name, has_head, begin in found:
            with self.subTest(path, name=name):
                lines = source_lines((DOCS / path).resolve(), name)
                left_out = "\n".join(lines[bool(has_head) : int(begin) - 1])
                [docstring] = ast.parse(textwrap.dedent(left_out)).body
                self.assertIsInstance(ast.literal_eval(ast.unparse(docstring)), str)
                self.assertNotEqual(lines[int(begin) - 1], "")

    def test_the_first_page_lists_each_page_once(self) -> None:
        trees = "".join(directives(PAGES["index.rst"], "toctree"))
        listed = re.findall(r"^ +(\w+)$", trees, re.MULTILINE)
        self.assertEqual(sorted(f"{name}.rst" for name in listed), sorted(PAGES.keys() - {"index.rst"}))

    def test_the_promises_name_the_supported_versions(self) -> None:
        metadata = importlib.metadata.metadata("asynctest_tornado")
        versions = [each.rpartition(" ")[2] for each in metadata.get_all("Classifier", []) if " 3." in each]
        [oldest, later] = re.findall(r"tornado.*>=([\d.]+)", "\n".join(metadata.get_all("Requires-Dist", [])), re.I)
        expected = f"CPython {', '.join(versions[:-1])} and {versions[-1]}, with Tornado {oldest} or a newer 6.x "
        self.assertIn(f"{expected}({later} on CPython {versions[-1]}).", " ".join(PAGES["promises.rst"].split()))

    def test_the_changes_begin_with_this_version(self) -> None:
        package = configparser.ConfigParser()
        package.read(ROOT / "setup.cfg")
        release, _, development = package["metadata"]["version"].partition(".dev")
        found = re.findall(r"^(\S+) \((.+)\)\n-+\n", (ROOT / "CHANGES.rst").read_text(), re.MULTILINE)
        self.assertEqual((found[0][0], found[0][1] == "unreleased"), (release, bool(development)))


if __name__ == "__main__":
    ExamplesTest.main()
