"""Import modules of this library by the names of Tornado's."""

# Tested by tests/replace/test_replace.py.

import ast
import importlib
import importlib.abc
import importlib.util
import linecache
import re
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

import tornado

from asynctest_tornado._util.settings import LEAKS
from asynctest_tornado._util.tracebacks import OURS, TORNADO, owner_of_module

__unittest = True

TESTING = "tornado.testing"
#: The files that stand in, by the names of the modules that they replace.
_FILES = {
    name: str(Path(__file__).with_name(file))
    for name, file in ((TESTING, "tornado_testing.py"), ("tornado.stack_context", "tornado_stack_context.py"))
}
#: The number of modules that an error names, of those which have imported the original already.
_MOST_SHOWN = 5


class _Finder(importlib.abc.MetaPathFinder):
    """Finds our modules by the names of Tornado's, also when these are loaded again, and by ``runpy``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        file = _FILES.get(fullname)
        return None if file is None else importlib.util.spec_from_file_location(fullname, file)


_finder = _Finder()


def replace() -> None:
    """Let ``tornado.testing`` be this library from now on, and report leaks only in failures.

    Raises ``ImportError`` if the original was imported already.
    """
    present = sys.modules.get(TESTING)
    if present is not None and getattr(present, "__asynctest_tornado__", False) is False:
        raise ImportError(
            f"{TESTING} was imported already, from {present.__file__}{_users_of(present)}; classes that derive from it "
            "would stay as they are. Import asynctest_tornado.replace earlier: first thing in the program or the test "
            "package."
        )
    # A suite that did not ask for reports of leaks passes as before, and quietly.
    LEAKS.set_default("note")
    _install()


def _users_of(module: types.ModuleType) -> str:
    """Return the names of modules that have imported it: one of these imports came too early."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == TESTING]
    users = [
        name
        for name, each in list(sys.modules.items())
        if each not in (module, tornado)
        and name != "__mp_main__"  # is __main__
        and (
            any(value is thing for value in list(vars(each).values()) for thing in [module, *own])
            or _has_plain_import(each)
        )
    ]
    return f" (for {', '.join(users[:_MOST_SHOWN])})" if users else ""


def _has_plain_import(module: types.ModuleType) -> bool:
    """Return whether the source of a module has ``import tornado.testing``, which binds the name ``tornado`` alone."""
    if owner_of_module(module.__name__) in (OURS, TORNADO) or not any(
        value is tornado for value in list(vars(module).values())
    ):
        return False
    lines = linecache.getlines(getattr(module, "__file__", None) or "")
    return any(_PLAIN_IMPORT.match(line) for line in lines)


_PLAIN_IMPORT = re.compile(rf"\s*import\b.*\b{re.escape(TESTING)}\b")


def _install() -> None:
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
        if PathFinder.find_spec("tornado.stack_context", tornado.__path__) is not None:
            _FILES.pop("tornado.stack_context", None)
    importlib.import_module(TESTING)


def add_imports(names: dict[str, Any]) -> set[str]:
    """Add the names that the original module imports: suites import some from there, ``unittest`` above all.

    The other code of the module is not run.

    :param names: the names of the module that stands in. They are not replaced.
    :return: the names that do not begin with an underscore.
    """
    spec = PathFinder.find_spec(TESTING, tornado.__path__)
    # Without its source, it has no names but our own.
    get_source = getattr(getattr(spec, "loader", None), "get_source", lambda name: None)
    tree = ast.parse(get_source(TESTING) or "")
    imports: list[ast.stmt] = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    found: dict[str, Any] = {}
    exec(compile(ast.Module(imports, type_ignores=[]), TESTING, "exec"), found)
    names.update({name: value for name, value in found.items() if name not in names})
    return {name for name in found if not name.startswith("_")}
