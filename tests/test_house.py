import ast
import re
import sys
import unittest
from pathlib import Path

import asynctest_tornado
from tests.support import ROOT, run_code

NAME = "asynctest_tornado"
PACKAGE = Path(asynctest_tornado.__file__).parent
TESTS = ROOT / "tests"

#: From top to bottom. A room uses rooms of its own wing, and of wings on lower floors.
FLOORS = [
    ("_pytest", "_replace"),
    ("_http",),
    ("_unittest",),
    ("_features", "_runner"),
    ("_search",),
    ("_explanations", "_trace"),
    ("_network",),
    ("_clock", "_leaks", "_logs", "_schedules"),
    ("_sources", "_timeouts"),
    ("_harness",),
    ("_loop",),
    ("_expect",),
    ("_errors",),
    ("_tls",),
    ("_util",),
]
DOORS = {"__init__", "__main__", "pytest_plugin", "replace"}

#: The rooms that pytest imports in every project. They import the rest when a test needs it, by rooms of their wing.
PLUGIN = {
    *("_pytest.advice", "_pytest.async_fixtures", "_pytest.claims", "_pytest.fixtures", "_pytest.hooks"),
    *("_pytest.inner_fixtures", "_pytest.loop_scopes", "_pytest.subtests"),
}
#: The table of settings, and what that needs, which pytest imports for the options of the plugin.
TABLE = {"_util.settings": {"_util.fast_environ"}, "_util.fast_environ": set()}
#: Dependencies beside Tornado, of rooms that nothing but pytest, or an option of the test, leads to.
OPTIONAL = {room: {"pytest"} for room in (*PLUGIN, "pytest_plugin", "_replace.pytest_summary", "_pytest.ordered")}
OPTIONAL["_clock.dates"] = {"time_machine"}
OPTIONAL["_schedules.examples"] = {"hypothesis"}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


#: By their names without the package. The ``__init__`` of a wing is no room.
ROOMS = {
    _name(path): ast.parse(path.read_text())
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent == PACKAGE or path.name != "__init__.py"
}


def imports(tree: ast.AST) -> set[str]:
    """Return the dotted names of all that is imported, wherever in the module that stands."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used(tree: ast.AST) -> set[str]:
    used = set()
    for name in imports(tree):
        root, _, inner = name.partition(".")
        if root == NAME:
            parts = inner.split(".")
            places = [".".join(parts[:count]) for count in (2, 1)]
            used.add(next((place for place in places if place in ROOMS), "__init__"))
    return used


ARROWS = {room: rooms_used(tree) for room, tree in ROOMS.items()}


def wing_of(room: str) -> str:
    return room.rpartition(".")[0]


def floor_of(room: str) -> int:
    """Return the number of the floor, from the top; the doors are above the first."""
    return next((number for number, wings in enumerate(FLOORS) if wing_of(room) in wings), -1)


class ArrowsTest(unittest.TestCase):
    def test_each_room_has_its_place(self) -> None:
        self.assertEqual({room for room in ROOMS if wing_of(room) == ""}, DOORS)
        wings = {wing for floor in FLOORS for wing in floor}
        self.assertEqual({wing_of(room) for room in ROOMS} - {""}, wings)

    def test_arrows_between_wings_run_down(self) -> None:
        up = {
            f"{room} -> {other}"
            for room, used in ARROWS.items()
            for other in used
            if wing_of(other) != wing_of(room) and floor_of(other) <= floor_of(room)
        }
        self.assertEqual(up, set())

    def test_the_arrows_have_no_circle(self) -> None:
        left = {room: set(used) for room, used in ARROWS.items()}
        while free := {room for room, used in left.items() if not used & left.keys()}:
            left = {room: used for room, used in left.items() if room not in free}
        self.assertEqual(left, {})

    def test_the_core_is_small_and_knows_no_feature(self) -> None:
        """The core is the harness, and all that it imports."""
        core, left = set[str](), {"_harness.harness"}
        while left:
            core |= left
            left = {other for room in left for other in ARROWS[room]} - core
        self.assertEqual({wing_of(room) for room in core}, {"_errors", "_harness", "_loop", "_util"})
        lines = sum(len((PACKAGE / f"{room.replace('.', '/')}.py").read_text().splitlines()) for room in core)
        self.assertLess(lines, 2000)

    def test_tornado_is_the_only_dependency(self) -> None:
        for room, tree in ROOMS.items():
            outside = {name.split(".")[0] for name in imports(tree)} - sys.stdlib_module_names - {NAME}
            self.assertLessEqual(outside, {"tornado", *OPTIONAL.get(room, ())}, room)

    def test_modules_that_are_called_by_their_names_are_there(self) -> None:
        """Frames are known by the names of their modules, if these only pass requests on."""
        for room, tree in ROOMS.items():
            for node in ast.walk(tree):
                text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
                if re.fullmatch(rf"{NAME}\._\w+(\.\w+)*", text):
                    self.assertIn(text.removeprefix(f"{NAME}."), ROOMS, room)

    def test_no_room_imports_tornado_testing(self) -> None:
        for room, tree in ROOMS.items():
            self.assertFalse({name for name in imports(tree) if name.startswith("tornado.testing")}, room)


class DoorsTest(unittest.TestCase):
    def test_public_names_are_imported_when_they_are_asked_for(self) -> None:
        code = (
            f"import sys, {NAME}; "
            f"print([name for name in sys.modules if name.startswith(('{NAME}.', 'tornado', 'pytest', 'xml'))])"
        )
        self.assertEqual(run_code(code).stdout, "[]\n")

    def test_the_plugin_imports_its_own_rooms_only(self) -> None:
        used_by_hooks = {f"_pytest.{room}" for room in ("advice", "async_fixtures", "loop_scopes", "subtests")}
        self.assertEqual(ARROWS["pytest_plugin"], PLUGIN - used_by_hooks | {"_util.settings"})
        self.assertEqual({room: ARROWS[room] for room in TABLE}, TABLE)

    def test_the_plugin_leads_into_the_house_by_rooms_of_its_wing(self) -> None:
        only_a_type = {"_clock.virtual_clock", "_network.virtual_network"}
        used = {other for room in PLUGIN for other in ARROWS[room] - only_a_type}
        self.assertEqual({wing_of(other) for other in used}, {"_pytest"})

    def test_wings_have_no_names_of_their_own(self) -> None:
        for path in PACKAGE.glob("*/__init__.py"):
            self.assertEqual(path.read_text(), "", path)


class RoomsTest(unittest.TestCase):
    def test_each_says_its_one_job_first(self) -> None:
        for room, tree in ROOMS.items():
            docstring = ast.get_docstring(tree)
            self.assertTrue(docstring and docstring.splitlines()[0].endswith((".", ":")), room)

    def test_first_lines_are_short(self) -> None:
        """A job that takes 80 characters is two, or is described by its parts."""
        first = {room: (ast.get_docstring(tree) or "").partition("\n")[0] for room, tree in ROOMS.items()}
        long = [f"{room}: {line}" for room, line in first.items() if len(line) >= 80]
        self.assertEqual(long, [])

    def test_each_has_its_line_in_the_map(self) -> None:
        text = (ROOT / "CONTRIBUTING.rst").read_text()
        listed, wing = [], ""
        for line in text[text.index("The house\n") : text.index("How it should look\n")].splitlines():
            if found := re.match(r" {4}(_[a-z]+) ", line):
                wing = found[1]
            elif found := re.match(r" {6}(\w+) ", line):
                listed.append(f"{wing}.{found[1]}")
        self.assertEqual(sorted(listed), sorted(ROOMS.keys() - DOORS))

    def test_the_floors_are_listed(self) -> None:
        text = (ROOT / "CONTRIBUTING.rst").read_text()
        listed = re.findall(r"^ {4}(_\w+(?:, _\w+)*) ", text.partition("    __init__ ")[0], re.MULTILINE)
        self.assertEqual([tuple(floor.split(", ")) for floor in listed], FLOORS)

    def test_rooms_that_a_newcomer_is_sent_to_are_there(self) -> None:
        named = set(re.findall(r"``(_[a-z]+\.[a-z_]+)(?:\.\w+)*``", (ROOT / "CONTRIBUTING.rst").read_text()))
        self.assertGreater(len(named), 9)
        self.assertLessEqual(named, ROOMS.keys())

    def test_each_has_its_tests_beside_it_or_says_where_they_are(self) -> None:
        for room in ROOMS.keys() - DOORS:
            wing, _, name = room.partition(".")
            beside = TESTS / wing.removeprefix("_") / f"test_{name}.py"
            source = (PACKAGE / wing / f"{name}.py").read_text()
            named = re.search(r"^# Tested by (tests/\S+\.py)\.$", source, re.MULTILINE)
            self.assertNotEqual(beside.exists(), named is not None, f"{room}: either {beside}, or a file that it names")
            if named is not None:
                self.assertTrue((ROOT / named[1]).exists(), f"{room} names {named[1]}")

    def test_each_keeps_its_frames_out_of_reports(self) -> None:
        for room, tree in ROOMS.items():
            names = {
                target.id
                for node in tree.body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            if any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in tree.body):
                self.assertIn("__unittest", names, room)

    def test_private_attributes_of_asyncio_and_tornado_stay_in_their_room(self) -> None:
        private = {"_context", "_log_traceback", "_log_destroy_pending", "_ioloop_for_asyncio", "_asyncgens"}
        at_home = {
            "_clock.autojump",
            "_loop.construction",
            "_loop.error_routing",
            "_loop.abandoned_tasks",
            "_loop.managed_loop",
            "_loop.recycled_loop",
            "_timeouts.pending_report",
        }
        for room in ROOMS.keys() - at_home:
            attributes = {
                node.attr
                for node in ast.walk(ROOMS[room])
                if isinstance(node, ast.Attribute)
                and not (isinstance(node.value, ast.Name) and node.value.id == "self")
            }
            self.assertFalse(attributes & private, room)
