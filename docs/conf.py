"""Settings of Sphinx. To build the pages, from the project root::

    python -m sphinx -W --keep-going -b html docs docs/_build/html

Nothing is fetched: names of Python and Tornado are not linked.
"""

import ast
import importlib.util
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from asynctest_tornado._unittest import descriptors
from asynctest_tornado._util import private_names

project = "asynctest_tornado"
release = version = version_of(project)
extensions = ["sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_build", "examples"]

# Docstrings have names between single backquotes.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
# The contents of a page show a method without its class, whose name would be cut.
toc_object_entries_show_parents = "hide"

# A block of commands is copied without its prompts, and without its output.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True


def analyze(self: ModuleAnalyzer) -> None:
    """Analyze a module, and forget its overloads: they are for type checkers, and six of them no signature to read."""
    analyze_all(self)
    self.overloads.clear()


analyze_all = ModuleAnalyzer.analyze
ModuleAnalyzer.analyze = analyze  # type: ignore[method-assign]

# Shown as properties, with their types. No test case was imported so far.
descriptors.computed = property

# A name of ours that leads nowhere is an error; others cannot be looked up without a network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(asyncio|collections|contextlib|datetime|http|os|socket|ssl|tornado|types|typing|unittest)\..*"),
    (r"py:class", r"(?!asynctest_tornado\.[A-Z]).*"),
]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"asynctest_tornado {release}"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False


class Fixtures(SphinxDirective):
    """The fixtures of the plugin for pytest, with their docstrings. They are read, as pytest need not be installed."""

    def run(self) -> Any:
        package = importlib.util.find_spec("asynctest_tornado")
        assert package is not None
        assert package.origin is not None
        path = Path(package.origin).parent / "_pytest" / "fixtures.py"
        self.env.note_dependency(str(path))
        lines: list[str] = []
        classes = [each for each in ast.parse(path.read_text()).body if isinstance(each, ast.ClassDef)]
        for each in next(cls.body for cls in classes if cls.name == "Fixtures"):
            if isinstance(each, ast.FunctionDef):
                body = (ast.get_docstring(each) or "").splitlines()
                lines += [f".. fixture:: {each.name}", "", *(f"   {line}" for line in body), ""]
        return self.parse_text_to_nodes("\n".join(lines))


#: The packages whose private names are used, by the first part of the owner's name; others are the standard library.
_PACKAGES = {
    "asyncio": "asyncio",
    "tornado": "Tornado",
    "unittest": "unittest",
    "_pytest": "pytest and its plugins",
    "pluggy": "pytest and its plugins",
    "pytest_asyncio": "pytest and its plugins",
    "hypothesis": "hypothesis",
}
_OTHERS = "The rest of the standard library"


class PrivateNames(SphinxDirective):
    """The table of private names of other packages, as lists. Names with the same reason share a term."""

    def run(self) -> Any:
        self.env.note_dependency(str(private_names.__file__))
        terms: dict[str, dict[tuple[str, str], list[str]]] = {}
        for each in private_names.PRIVATE:
            package = _PACKAGES.get(each.owner.partition(".")[0], _OTHERS)
            key = each.owner, _explained(each, _versions(each))
            terms.setdefault(package, {}).setdefault(key, []).append(each.name)
        lines: list[str] = []
        for package in dict.fromkeys([*_PACKAGES.values(), _OTHERS]):
            lines += [f".. rubric:: {package}", ""]
            for (owner, explained), names in terms[package].items():
                lines += [f"``{owner}``: " + ", ".join(f"``{name}``" for name in names), f"   {explained}", ""]
        return self.parse_text_to_nodes("\n".join(lines))


class LocalNames(SphinxDirective):
    """The table of local variables of other packages, as a list."""

    def run(self) -> Any:
        self.env.note_dependency(str(private_names.__file__))
        lines: list[str] = []
        for each in private_names.LOCALS:
            lines += [f"``{each.owner}``: ``{each.name}``", f"   {_explained(each, '')}", ""]
        return self.parse_text_to_nodes("\n".join(lines))


def _versions(each: private_names.Private) -> str:
    (since, until), (first, end) = (each.since, each.until), ((3, 11), (99, 0))
    later = f", from Python {since[0]}.{since[1]} on" if since > first else ""
    return later + (f", before Python {until[0]}.{until[1]}" if until < end else "")


def _explained(each: private_names.Private | private_names.Local, versions: str) -> str:
    loss = f"Without it, this is lost: {each.loss}." if each.loss else "Without it, no feature is lost."
    return f"Use{versions}: {each.reason}. {loss} Fallback: {each.fallback}."


def _name_type_variables(app: Sphinx, what: str, name: str, obj: Any, options: Any, sig: str, ret: str) -> Any:
    """Show a ``ParamSpec`` by its name, which autodoc does not know how to shorten."""
    return sig and sig.replace("[~_P]", "[_P]").replace("~typing.~_P", "_P"), ret


def setup(app: Sphinx) -> None:
    app.add_object_type("fixture", "fixture", "pair: %s; fixture")
    app.add_directive("fixtures", Fixtures)
    app.add_directive("private-names", PrivateNames)
    app.add_directive("local-names", LocalNames)
    app.connect("autodoc-process-signature", _name_type_variables)
