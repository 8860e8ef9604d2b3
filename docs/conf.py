"""Settings of Sphinx. To build the pages, from the project root::

    python -m sphinx -W --keep-going -b html docs docs/_build/html

Nothing is fetched: names of Python and Tornado are not linked.
"""

from importlib.metadata import version as version_of

from sphinx.pycode import ModuleAnalyzer

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
