"""Who dials when, after a server was gone: attempts to connect in each second, crowd by crowd.

    every 3 s         █      █      █      ● 200 in one second
    ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ what the server can take
    with jitter     ▂▃▂▃▂▃▂▂▁▂▁
                    ▒▒▒▒▒▒▒▒                 nobody listens: attempts are refused (hatched)

All rows have one scale. It takes what crowd(…) gives, and runs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from . import ends
from .axis import Axis, numbers
from .bars import Band, Bar
from .figure import Figure, figure
from .layout import Panel
from .marks import DASHED, Dot, Label, Mark, Path, Says

MARGINS = (46.0, 44.0, 14.0, 30.0)  # points
WIDE, ROW = 9.0, 1.45  # inches, and inches a row
BARS, REACH = 0.64, 1.3  # of a row: the part with bars; and how high it is, in highest bars
BEFORE, AFTER = 3, 2  # s shown before the server goes, and after the last attempt
BAR = "a bar: attempts to connect in one second (green: let in, hatched: refused)"
LEFT = ((0, 0, "left", "center"),)
RIGHT = ((0, 0, "right", "center"),)


@figure
def reconnects(crowds: Any, *, bound: float | None = None, since: float | None = None) -> Figure:
    """The attempts to connect in each second, of one crowd or of several by name.

    ``bound`` is what the server can take (connections a second). ``since`` (s) is where peaks are
    counted from: the first restart, unless told otherwise.
    """
    rows = dict(crowds) if isinstance(crowds, Mapping) else {"": crowds}
    if not rows or not all(hasattr(one, "attempts") for one in rows.values()):
        raise TypeError(
            f"reconnects() takes what crowd(…) gives, or several of them by name; seen {crowds!r}"
        )
    if bound is not None and not bound > 0:
        raise ValueError(f"a bound is connections a second, above 0; seen bound={bound!r}")
    downs = {act.at: act.back for one in rows.values() for act in one.restarts}
    since = min(downs, default=0.0) if since is None else since
    along = _along(rows, downs, since)
    bars = {name: _bars(one, along.low) for name, one in rows.items()}
    most = max([bound or 1, *(sum(bar) for seconds in bars.values() for bar in seconds.values())])
    across = replace(numbers(0, most, count=2, size=8.5, least=1), high=REACH * most)
    quiet, panels = replace(along, ticks=(), label=""), []
    for k, (name, one) in enumerate(rows.items()):
        low, high, peak = 1 - (k + 1) / len(rows), 1 - k / len(rows), one.peak(since)
        middle = low + BARS * (high - low)
        marks = tuple(_chart(one, bars[name], peak, bound, along))
        panels.append(Panel(quiet, across, marks, box=(0, low, 1, middle)))
        marks = tuple(_head(name, one, peak, bound, along))
        panels.append(Panel(quiet, Axis(0, 1), marks, box=(0, middle, 1, high)))
    clauses = [] if bound is None else [f"The server can take {bound:g} a second"]
    for at, back in sorted(downs.items()):
        clauses.append(f"Nobody listens from {at:g} s {'on' if back is None else f'to {back:g} s'}")
    said = Panel(along, Axis(0, 1), tuple(Says(says=clause) for clause in clauses))
    clients = ends.plural(max(one.clients for one in rows.values()), "client")
    after = " after a restart" if any(one.restarts for one in rows.values()) else ""
    peaks = ends.listed([f"{one.peak(since)[0]:,}" for one in rows.values()])
    return Figure(
        f"{clients}{after}: at most {peaks} dial in one second",
        (said, *panels),
        ((BAR, "faint"),),
        "Connections per second",
        (WIDE, 1.05 + ROW * len(rows)),
        MARGINS,
    )


def _along(rows: Mapping[str, Any], downs: Mapping[float, float | None], since: float) -> Axis:
    """From shortly before the server goes until the last attempt."""
    last = [a.t for one in rows.values() for a in one.attempts if a.t >= since]
    end = max([since, *last, *(back for back in downs.values() if back is not None)])
    low, high = max(0.0, since - BEFORE), int(end) + 1.0 + AFTER
    return numbers(low, high, "seconds since the server was up", 10, 10)


def _bars(crowd: Any, low: float) -> dict[int, tuple[int, int]]:
    """How many attempts were let in and how many refused, by the second they fall in."""
    counts = Counter((int(a.t), a.refused) for a in crowd.attempts if a.t >= low)
    seconds = sorted({second for second, _ in counts})
    return {second: (counts[second, False], counts[second, True]) for second in seconds}


def _chart(
    crowd: Any,
    bars: Mapping[int, tuple[int, int]],
    peak: tuple[int, int],
    bound: float | None,
    along: Axis,
) -> Iterator[Mark]:
    """The time in which nobody listens, a bar for each second, the highest marked, the bound."""
    yield Path(((along.low, 0), (along.high, 0)), "rule", 0.8)
    for act in crowd.restarts:
        yield Band(act.at, min(along.high, act.back or along.high))
    for second, (let_in, refused) in bars.items():
        begin, end, high = second + 0.04, second + 0.96, let_in + refused
        if let_in:
            yield Bar(begin, end, (0, let_in), "let in")
        if refused:
            yield Bar(begin, end, (let_in, high), "refused")
    if peak[0]:
        yield Dot(peak[1] + 0.5, peak[0], "observed")
    if bound is not None:
        yield Path(((along.low, bound), (along.high, bound)), "theory", 1.3, DASHED)
        texts = (f"bound: {bound:g} a second", f"{bound:g} a second")
        above = ((-2, 3, "right", "bottom"),)
        yield Label(along.high, bound, wordings=texts, places=above, ink="theory")


def _head(
    name: str, crowd: Any, peak: tuple[int, int], bound: float | None, along: Axis
) -> Iterator[Mark]:
    """The words above a row: its name, its peak, and when there was no server."""
    count, second = peak
    full = many = f"{count:,} in one second"
    if bound is not None:
        held = f"{count / bound:.1f} × the bound" if count > bound else "within the bound"
        full = f"{many}, {held}"
    refused = f"{sum(a.refused for a in crowd.attempts):,} attempts were refused"
    says = f"{name or 'The crowd'}: peak of {full}, at {second} s; {refused}"
    yield Label(
        along.low,
        0.62,
        wordings=(name,) if name else (),
        says=says,
        sizes=(10.0, 8.5),
        bold=True,
        places=LEFT,
    )
    texts = (f"● {full}", f"● {many}") if count else ()
    yield Label(along.high, 0.62, wordings=texts, places=RIGHT, sizes=(9.0, 8.0))
    for act in crowd.restarts:
        until = f"to {act.back:g} s" if act.back is not None else "on"
        texts = (f"no server from {act.at:g} {until}", "no server")
        yield Label(act.at, 0.18, wordings=texts, places=LEFT, ink="faint")
