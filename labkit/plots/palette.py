"""What every colour, fill and mark of the figures means, in a light and a dark theme.

Colours are Okabe and Ito's (2008), told apart by the colour-blind; words use a darker or lighter
relative where the colour itself would be too faint to read. Nothing rests on colour alone, so
that a figure reads in grey:

    OPEN            solid green                  the word in it
    believes OPEN   pale green, green edge       OPEN after a cut: a belief, not a fact
    CLOSING         amber, hatched
    CLOSED          hollow
    ▼ PING, △ PONG  blue, filled and hollow; they point to where they go
    ✕ stuck         vermilion half-line          stuck, not lost: it arrives after healing
    ▯ ▮ TCP         grey ticks: tried again, hollow where that is lost too, filled where it arrives
    FIN, RST        grey
    ★ guess   ◇ theory   ● observed
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

Theme = SimpleNamespace  # colours (CSS) by name
BAND = 0.16  # opacity of the band over a cut, so that it works on any paper

COLOURS = """
name         light   dark    of what
ink          #262626 #e6e6e6
paper        #ffffff #111111
faint        #555555 #b0b0b0 words that may stand back
rule         #a6a6a6 #6e6e6e thin lines: the wire itself, messages
band         #707070 #a0a0a0 over a cut, at the opacity BAND
open         #009e73 #00a077
on_open      #00140e #000f0a words on OPEN
belief       #d3ede4 #12382c
on_belief    #004d38 #a5e5cf
closing      #e69f00 #e59e00
on_closing   #140e00 #120c00
ping         #0072b2 #56b4e9 PING and PONG
ping_words   #00659f #57b5ea
stuck        #d55e00 #f0772b
stuck_words  #a84a00 #ff9a57
guess        #a0348a #e79bd0
theory       #00669e #55b3e8
step_0       #f1f7fa #142937 of a scale, the least: cells of a landscape
step_1       #cdd9e2 #253d4c
step_2       #a3b8c5 #385365
step_3       #7693a7 #4e6f82
step_4       #4d728c #6a91a6
step_5       #2d5976 #86b4cc
step_6       #0d3f61 #a5d9f3 the most
on_low       #000b14 #f4f4f4 words on the steps 0 to 3
on_high      #fefefe #000c15 words on the steps 4 to 6
"""


def _theme(column: str) -> Theme:
    """The colours of a column of the table, by name."""
    head, *rows = (line.split() for line in COLOURS.strip().splitlines())
    return Theme(**{row[0]: row[head.index(column)] for row in rows})


THEMES = {name: _theme(name) for name in ("light", "dark")}
LIGHT, DARK = THEMES.values()

JUPYTER = {
    "ink": "--jp-content-font-color1",
    "faint": "--jp-content-font-color2",
    "paper": "--jp-layout-color0",
}


def theme(name: str) -> Theme:
    """The theme of that name, "light" or "dark"."""
    if name not in THEMES:
        raise ValueError(f"a theme is 'light' or 'dark', seen {name!r}")
    return THEMES[name]


def css(name: str) -> str:
    """The CSS variable of a colour: JupyterLab's own for ink and paper, ours for the rest."""
    return JUPYTER.get(name) or _own(name)


def _own(name: str) -> str:
    return f"--labkit-{name.replace('_', '-')}"


def dark_rules(selector: str) -> str:
    """The CSS that gives ``selector`` dark colours where JupyterLab (or VS Code) is dark."""
    ours = (f"{_own(name)}:{value}" for name, value in vars(DARK).items() if name not in JUPYTER)
    rules = ";".join(ours)
    return f'[data-jp-theme-light="false"] {selector},.vscode-dark {selector}{{{rules}}}'


@dataclass(frozen=True)
class Fill:
    """How a surface is filled: colours by name, a hatching, and the ink of words on it."""

    face: str
    edge: str = ""
    hatch: str = ""  # "/", "\\", "."
    hatched: str = "paper"  # the hatching's colour
    words: str = "ink"
    bold: bool = True
    dotted: bool = False  # its edge


FILLS = {  # by the word that stands on it
    "OPEN": Fill("open", "open", words="on_open"),
    "believes OPEN": Fill("belief", "open", words="on_belief", bold=False),
    "CLOSING": Fill("closing", "closing", "/", words="on_closing"),
    "CLOSED": Fill("paper", "ink"),
    "CONNECTING": Fill("paper", "ink", dotted=True),
    "not in this log": Fill("", "faint", words="faint", bold=False, dotted=True),
    "buffer": Fill("closing", "", "/"),
    "wire": Fill("stuck", "", ".", words="on_closing"),
    "queue": Fill("belief", "", "\\", "open"),
    "received": Fill("open", "", ""),
    "blocked": Fill("paper", "stuck", "/", "stuck", bold=False),
    "loop blocked": Fill("belief", "ink", "\\", "ink", "on_belief"),
    "reads no more": Fill("belief", "ink", ".", "ink", "on_belief"),
    "theory": Fill("step_0", "theory", dotted=True),  # what theory allows
    "runs": Fill("belief", "open"),
    "let in": Fill("belief", "open"),
    "refused": Fill("paper", "stuck", "/", "stuck"),
    "never": Fill("paper", "paper", "/", "rule", bold=False),
    "told": Fill("paper", "rule", bold=False),
    "late": Fill("closing", "closing"),
    "hangs or never": Fill("stuck", "stuck"),
    "not run": Fill("", "rule", words="faint", bold=False, dotted=True),
}
STEPS = 7  # of a scale, told apart in grey
FILLS |= {
    f"step {k}": Fill(f"step_{k}", "paper", words="on_low" if k < 4 else "on_high", bold=False)
    for k in range(STEPS)
}


@dataclass(frozen=True)
class Sign:
    """A small mark at a moment: its shape (marks.py), colours by name, and its size (points)."""

    shape: str  # triangle, diamond, circle, star, cross, tick
    fill: str  # "" is hollow
    edge: str
    size: float
    wide: float = 1.2


SIGNS = {
    "PING": Sign("triangle", "ping", "ping", 7),
    "PONG": Sign("triangle", "paper", "ping", 7),
    "CLOSE": Sign("triangle", "ink", "ink", 7),
    "stuck": Sign("cross", "stuck", "paper", 10),
    "arrives": Sign("triangle", "stuck", "stuck", 6),
    "guess": Sign("star", "guess", "paper", 14, 0.8),
    "theory": Sign("diamond", "", "theory", 15.5, 1.8),
    "tried again": Sign("tick", "paper", "faint", 8),
    "got through": Sign("tick", "faint", "faint", 8),
    "FIN": Sign("triangle", "faint", "faint", 6),
    "RST": Sign("triangle", "paper", "faint", 6),
    "observed": Sign("circle", "ink", "ink", 6),
    "not kept": Sign("diamond", "paper", "stuck", 11, 1.8),
    "blocks": Sign("circle", "paper", "stuck", 7, 2.0),
    "knee": Sign("circle", "", "theory", 17, 2.0),
}
