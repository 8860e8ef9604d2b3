"""Draw pytest's report of the failing test in README.rst, as on a terminal: docs/report.svg.

If the report changes for a good reason, draw it anew, from the project root::

    python -m tests.report_picture
"""

import html
import re
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT, run_python

README = (ROOT / "README.rst").read_text(encoding="utf-8")
PICTURE = ROOT / "docs" / "report.svg"
WORDS = ("python", "-m", "pytest", "-q", "--no-header", "test_price.py")

_FIRST_LINE, _LINE, _CHARACTER, _MARGIN = 26, 17, 7.5, 16
#: Light on dark, on a page of either kind. The keys are the codes of ANSI for colours.
_COLOURS = {31: "#ff7b72", 33: "#e3b341", 36: "#76d9e6", 92: "#7ee787", 94: "#79b8ff", 96: "#76d9e6"}
_STYLE = (
    "text { font: 12px/1 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; "
    "fill: #e6edf3; white-space: pre } .b { font-weight: bold } "
) + " ".join(f".c{code} {{ fill: {colour} }}" for code, colour in _COLOURS.items())


def example() -> str:
    """Return the first example of the README."""
    found = re.search(r"\.\. code-block:: python\n\n((?: {4}.*\n|\n)+)", README)
    assert found is not None
    return textwrap.dedent(found[1]).strip() + "\n"


def failing_example() -> str:
    """Return the first example of the README with the other price, with which its test fails."""
    price = re.search(r"as with ``(\"tea\": \d+)``", README)
    assert price is not None
    return re.sub(r"\"tea\": \d+", price[1], example())


def coloured_report() -> str:
    """Run the example by pytest, and return what is on the terminal then, with the codes of ANSI for colours."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_price.py").write_text(failing_example(), encoding="utf-8")
        # Plugins of others, which happen to be installed, could add lines.
        options = ["-p", "asynctest_tornado.pytest_plugin", "-p", "no:cacheprovider", "--color=yes"]
        done = run_python(*WORDS[1:], *options, cwd=folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", COLUMNS="80")
    return f"$ {' '.join(WORDS)}\n{done.stdout}"


def styled(line: str) -> Iterator[tuple[str, str]]:
    """Return the parts of a line, each with its classes in the picture."""
    codes: set[int] = set()
    for text, sequence in re.findall(r"([^\x1b]*)(?:\x1b\[([\d;]*)m)?", line):
        if text:
            names = [f"c{code}" for code in sorted(codes & _COLOURS.keys())] if text.strip() else []
            yield text, " ".join(names + ["b"] * (1 in codes and bool(text.strip())))
        for code in map(int, filter(None, sequence.split(";"))):
            if code in (0, 39):
                codes = codes & {1} if code else set()
            else:
                codes.add(code)


def draw(report: str) -> str:
    """Return the picture of a report."""
    lines = [line.rstrip() for line in report.rstrip().splitlines()]
    texts = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    width = round(2 * _MARGIN + _CHARACTER * max(map(len, texts)))
    height = _FIRST_LINE + _LINE * len(lines)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        'xml:space="preserve">',
        f"<title>A report of pytest</title><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
    ]
    for number, line in enumerate(lines):
        spans = []
        for text, names in styled(line):
            spans.append(f'<tspan class="{names}">{html.escape(text)}</tspan>' if names else html.escape(text))
        if spans:
            drawn.append(f'<text x="{_MARGIN}" y="{_FIRST_LINE + _LINE * number}">{"".join(spans)}</text>')
    return "\n".join([*drawn, "</svg>\n"])


if __name__ == "__main__":
    PICTURE.write_text(draw(coloured_report()), encoding="utf-8")
