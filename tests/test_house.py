import ast
import re
import unittest
from pathlib import Path

import asynctest_tornado
from tests.support import run_code

PACKAGE = Path(asynctest_tornado.__file__).parent
NAME = "asynctest_tornado"
#: What pytest imports in every project. It imports the house when a test needs that.
PLUGIN = PACKAGE / "_pytest"

#: What each room may use. A room that is not here has to be given its place.
ARROWS: dict[str, set[str]] = {
    # leaves
    "_logs": set(),
    "_attributes": set(),
    "_cleanups": {"_tracebacks"},
    "_clock": set(),
    "_cookies": set(),
    "_environment": set(),
    "_errors": set(),
    "_notes": {"_errors", "_trap"},
    "_interruptible": set(),
    "_internals": set(),
    "_misspelled": {"_tracebacks"},
    "_marks": {"_errors", "_weakly"},
    "_names": {"_tracebacks"},
    "_places": set(),
    "_ports": set(),
    "_process_end": set(),
    "_snapshot": {"_names", "_tracebacks"},
    "_real": set(),
    "_replacement": set(),
    "_summary": set(),
    "_schedule": set(),
    "_setups": set(),
    "_stand_in": set(),
    "_terminal": set(),
    "_tracebacks": set(),
    "_interrupting": {"_real", "_tracebacks"},
    "_watchdog": {"_interrupting", "_real"},
    "_weakly": set(),
    "_wire": {"_real"},
    "_work": {"_weakly"},
    "_timeouts": {"_environment"},
    "_dates": {"_real"},
    "_tls": {"_dates"},
    "_verifying": {"_dates", "_tls"},
    "_trap": {"_errors", "_real"},
    "_yielding": {"_names", "_real"},
    # inner
    "_handlers": {"_notes", "_tracebacks", "_trap"},
    "_origins": {"_names", "_tracebacks"},
    "_closing": {"_tracebacks"},
    "_collector": {
        "_closing",
        "_errors",
        "_handlers",
        "_marks",
        "_notes",
        "_origins",
        "_places",
        "_summary",
        "_tracebacks",
        "_trap",
        "_weakly",
    },
    "_protocol": {"_process_end"},
    "_late": {"_errors", "_notes", "_places", "_process_end", "_protocol", "_stand_in", "_summary", "_trap"},
    "_resources": {"_collector", "_origins", "_trap"},
    "_leaks": {"_environment", "_origins", "_summary"},
    "_orders": {"_environment", "_schedule", "_summary"},
    "_progress": {"_real", "_watchdog"},
    "_junit": {"_real"},
    "_results": {"_junit", "_progress"},
    "_runner": {"_leaks", "_orders", "_results", "_timeouts"},
    "_pytest_summary": {"_summary"},
    "_unclosed": {"_names", "_origins", "_resources", "_snapshot"},
    "_requests": {"_origins", "_trap", "_watched", "_weakly"},
    "_leftovers": {
        "_collector",
        "_leaks",
        "_loop",
        "_names",
        "_origins",
        "_requests",
        "_resources",
        "_snapshot",
        "_tracebacks",
        "_unclosed",
    },
    "_tidying": {"_collector", "_leaks", "_leftovers", "_loop", "_notes", "_running", "_summary", "_trap"},
    "_hints": {"_names", "_notes", "_tracebacks", "_trap"},
    "_reasons": {"_collector", "_errors", "_handlers", "_hints", "_notes", "_tracebacks", "_trap"},
    "_expect": {"_collector", "_hints", "_trap"},
    "_garbage": {"_collector", "_places", "_trap"},
    "_lent": {"_notes", "_trap"},
    "_sources": {"_collector", "_garbage", "_handlers", "_notes", "_pools", "_terminal", "_tracebacks", "_trap"},
    "_class_trap": {"_collector", "_trap"},
    "_pools": {"_class_trap", "_trap"},
    "_threads": {"_class_trap", "_origins", "_replacement", "_resources", "_trap"},
    "_interpreter": {"_collector", "_garbage", "_notes", "_replacement", "_threads", "_trap"},
    "_connecting": {"_origins", "_real", "_resources", "_selector", "_tls"},
    "_deadlock": {"_names", "_real", "_wire"},
    "_selector": {"_deadlock", "_interrupting", "_real", "_watchdog"},
    "_watched": {
        "_collector",
        "_connecting",
        "_garbage",
        "_interruptible",
        "_lent",
        "_names",
        "_origins",
        "_resources",
        "_schedule",
        "_trap",
        "_weakly",
        "_work",
    },
    "_constructing": {"_environment"},
    "_recycling": {"_constructing", "_real", "_selector"},
    "_passing": {"_clock", "_real", "_selector", "_wire"},
    "_loop": {
        "_constructing",
        "_clock",
        "_collector",
        "_deadlock",
        "_names",
        "_origins",
        "_passing",
        "_real",
        "_recycling",
        "_schedule",
        "_selector",
        "_trap",
        "_watched",
    },
    "_deadline": {
        "_errors",
        "_interrupting",
        "_interruptible",
        "_loop",
        "_real",
        "_timeouts",
        "_tracebacks",
        "_watchdog",
    },
    "_gen_test": {"_case", "_names", "_timeouts", "_yielding"},
    "_running": {
        "_collector",
        "_deadline",
        "_interruptible",
        "_loop",
        "_names",
        "_notes",
        "_real",
        "_schedule",
        "_timeouts",
        "_unclosed",
    },
    "_harness": {
        "_clock",
        "_collector",
        "_deadline",
        "_handlers",
        "_hints",
        "_interpreter",
        "_leaks",
        "_loop",
        "_misspelled",
        "_names",
        "_pools",
        "_requests",
        "_resources",
        "_real",
        "_running",
        "_schedule",
        "_snapshot",
        "_sources",
        "_summary",
        "_tidying",
        "_timeouts",
        "_tracebacks",
        "_trap",
        "_yielding",
    },
    "_scope": {"_clock", "_harness", "_leaks", "_loop", "_timeouts"},
    "_case": {
        "_attributes",
        "_cleanups",
        "_clock",
        "_collector",
        "_garbage",
        "_harness",
        "_late",
        "_leaks",
        "_logs",
        "_loop",
        "_misspelled",
        "_orders",
        "_reasons",
        "_schedule",
        "_scope",
        "_setups",
        "_timeouts",
        "_trap",
        "_yielding",
    },
    "_fetching": {"_cookies"},
    "_inbox": {"_real"},
    "_websocket": {"_handlers", "_inbox", "_notes"},
    "_urls": set(),
    "_record": {"_handlers", "_trap", "_websocket"},
    "_site": {
        "_cookies",
        "_dates",
        "_fetching",
        "_handlers",
        "_hints",
        "_loop",
        "_ports",
        "_tls",
        "_record",
        "_trap",
        "_urls",
        "_verifying",
        "_websocket",
    },
    "_server": {"_fetching", "_handlers", "_ports", "_site", "_snapshot", "_tls", "_urls", "_websocket"},
    "_http": {
        "_attributes",
        "_case",
        "_cleanups",
        "_fetching",
        "_handlers",
        "_harness",
        "_hints",
        "_ports",
        "_scope",
        "_site",
        "_snapshot",
        "_timeouts",
        "_tls",
        "_websocket",
        "_urls",
    },
    "_marker": {"_clock", "_orders", "_timeouts"},
    "_function": {
        "_errors",
        "_harness",
        "_late",
        "_leaks",
        "_loop",
        "_marker",
        "_notes",
        "_orders",
        "_places",
        "_ports",
        "_process_end",
        "_reasons",
        "_schedule",
        "_site",
        "_tls",
        "_tracebacks",
        "_trap",
    },
    # doors
    "__init__": {
        "_case",
        "_clock",
        "_expect",
        "_fetching",
        "_gen_test",
        "_handlers",
        "_http",
        "_logs",
        "_ports",
        "_runner",
        "_server",
        "_timeouts",
        "_trap",
        "_websocket",
    },
    "_finder": set(),
    "_testing": {"__init__", "_case", "_gen_test", "_http", "_logs", "_ports", "_runner", "_finder", "_timeouts"},
    "_stack_context": {"_harness", "_trap"},
    "replace": {"_leaks", "_pytest_summary", "_finder"},
    "_trial": {"_runner", "_finder", "_summary", "replace"},
    "__main__": {"_runner", "_trial"},
}

#: What a room uses beyond that, where somebody asked for it.
OPTIONAL = {"_pytest_summary": {"pytest"}}


def rooms(folder: Path = PACKAGE) -> dict[str, ast.Module]:
    return {path.stem: ast.parse(path.read_text()) for path in sorted(folder.glob("*.py"))}


def imports(tree: ast.Module) -> set[str]:
    """Return the dotted names of all that is imported, wherever in the module that stands."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used(tree: ast.Module) -> set[str]:
    used = set()
    for name in imports(tree):
        parts = name.split(".")
        if parts[0] == NAME:
            used.add(parts[1] if len(parts) > 1 and (PACKAGE / f"{parts[1]}.py").exists() else "__init__")
    return used


class ArrowsTest(unittest.TestCase):
    def test_imports_follow_the_arrows(self) -> None:
        self.assertEqual({name: rooms_used(tree) for name, tree in rooms().items()}, ARROWS)

    def test_the_arrows_have_no_circle(self) -> None:
        left = {name: set(used) for name, used in ARROWS.items()}
        while free := {name for name, used in left.items() if not used & left.keys()}:
            left = {name: used for name, used in left.items() if name not in free}
        self.assertEqual(left, {})

    def test_tornado_is_the_only_dependency(self) -> None:
        import sys

        for room, tree in rooms().items():
            outside = {name.split(".")[0] for name in imports(tree)} - sys.stdlib_module_names - {NAME}
            self.assertLessEqual(outside, {"tornado", *OPTIONAL.get(room, ())}, room)

    def test_what_is_optional_is_not_imported_before_it_is_used(self) -> None:
        code = "import sys, asynctest_tornado; print({'pytest', 'xml'} & set(sys.modules))"
        self.assertEqual(run_code(code).stdout, "set()\n")

    def test_modules_that_are_called_by_their_names_are_there(self) -> None:
        """Frames are known by the names of their modules, where these only hand on what others ask for."""
        for path in PACKAGE.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and re.fullmatch(rf"{NAME}\._\w+(\.\w+)*", str(node.value)):
                    module = PACKAGE.parent.joinpath(*str(node.value).split("."))
                    self.assertTrue(module.is_dir() or module.with_suffix(".py").exists(), (path.name, node.value))

    def test_nobody_imports_tornado_testing(self) -> None:
        for room, tree in rooms().items():
            self.assertFalse({name for name in imports(tree) if name.startswith("tornado.testing")}, room)

    def test_the_plugin_leads_into_the_house_by_one_room(self) -> None:
        used = {room: rooms_used(tree) - {"__init__"} for room, tree in rooms(PLUGIN).items()}
        self.assertEqual(used, {room: {"_function"} if room != "__init__" else set() for room in used})


class RoomsTest(unittest.TestCase):
    def test_each_says_its_one_job_first(self) -> None:
        for room, tree in [*rooms().items(), *rooms(PLUGIN).items()]:
            docstring = ast.get_docstring(tree)
            self.assertTrue(docstring and docstring.splitlines()[0].endswith((".", ":")), room)

    def test_each_keeps_its_frames_out_of_reports(self) -> None:
        for room, tree in [*rooms().items(), *rooms(PLUGIN).items()]:
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
        for room, tree in rooms().items():
            if room in ("_constructing", "_loop", "_passing", "_recycling", "_watched", "_snapshot"):
                continue
            attributes = {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute)
                and not (isinstance(node.value, ast.Name) and node.value.id == "self")
            }
            self.assertFalse(attributes & private, room)
