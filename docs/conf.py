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

project = "asynctest_tornado"
release = version = version_of(project)
extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build", "examples"]

# Docstrings have names between single backquotes.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True


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


def _name_type_variables(app: Sphinx, what: str, name: str, obj: Any, options: Any, sig: str, ret: str) -> Any:
    """Show a ``ParamSpec`` by its name, which autodoc does not know how to shorten."""
    return sig and sig.replace("[~_P]", "[_P]").replace("~typing.~_P", "_P"), ret


def setup(app: Sphinx) -> None:
    app.add_object_type("fixture", "fixture", "pair: %s; fixture")
    app.add_directive("fixtures", Fixtures)
    app.connect("autodoc-process-signature", _name_type_variables)
