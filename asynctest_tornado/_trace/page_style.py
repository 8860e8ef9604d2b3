"""The style of the pages of traces, light and dark."""

# Tested by tests/trace/test_page.py.

__unittest = True

_LIGHT = ("#0b62a8", "#a8480b", "#2a7a2a", "#8a2a8a", "#7a6a00", "#00757a", "#b0305a", "#4a4ac0")
_DARK = ("#6cb6ff", "#f2a272", "#7ed07e", "#dd9bdd", "#d8c85a", "#5fd0d5", "#f58fb0", "#a9a9ff")


def _colours(colours: tuple[str, ...]) -> str:
    return "".join(f"--c{number}:{colour};" for number, colour in enumerate(colours))


_USES = "".join(
    f"b.c{number}{{color:var(--c{number})}}svg .c{number}{{stroke:var(--c{number});fill:var(--c{number})}}\n"
    for number in range(len(_LIGHT))
)

#: CSS. It leads to nothing outside of the page. An item of the list is as high as a row of the drawing.
STYLE = f"""
:root{{--page:#fff;--ink:#1c1c1e;--dim:#5f6368;--line:#d5d8dc;--bad:#b3101b;--pale:#fde4e4;--lit:#fff3c4;
{_colours(_LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{--page:#15171a;--ink:#e6e6e8;--dim:#a0a5ab;--line:#3a3f45;--bad:#ff8a8a;
--pale:#4a1f22;--lit:#4a4320;{_colours(_DARK)}}}}}
body{{margin:1.5em;background:var(--page);color:var(--ink);font:14px/1.5 system-ui,sans-serif}}
h1{{font-size:1.25em;margin:0;overflow-wrap:anywhere}}
p{{margin:.4em 0;max-width:75em}}
a{{color:inherit}}
p.fail{{color:var(--bad);font-weight:600;overflow-wrap:anywhere}}
.trace{{display:flex;margin-top:1em;align-items:flex-start}}
svg{{flex:none;max-width:60%;overflow:hidden}}
ol{{list-style:none;margin:0;padding:0;flex:1;min-width:0}}
li{{height:24px;line-height:24px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;padding-left:8px}}
li:hover{{background:var(--line)}}
li.fails{{background:var(--pale)}}
li:target{{background:var(--lit)}}
.no{{display:inline-block;min-width:3.2em;text-align:right;color:var(--dim)}}
time{{display:inline-block;min-width:7em;text-align:right;margin:0 1em 0 .5em;color:var(--dim);
font-variant-numeric:tabular-nums}}
.by{{color:var(--dim);margin-left:1em;text-decoration:none}}
code{{font:12.5px/1 ui-monospace,monospace}}
{_USES}svg .plain{{stroke:var(--dim);fill:var(--dim)}}
svg .lane{{fill:none;stroke-width:2;opacity:.45}}
svg .wake{{fill:none;stroke:var(--dim);stroke-width:1;opacity:.7}}
svg .message{{fill:none;stroke:var(--ink);stroke-width:2.5}}
svg .jump{{fill:none;stroke:var(--dim);stroke-dasharray:3 4}}
svg .error{{fill:none;stroke:var(--bad);stroke-width:2.5}}
svg .fails{{fill:var(--pale)}}
svg .arrived{{fill:var(--page)}}
marker path{{fill:var(--dim)}}
"""
