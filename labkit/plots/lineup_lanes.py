"""The lanes of a line-up: whose each is, how it ended, and what they come to. It draws nothing.

bounded, late, hangs and never are a fate (fate.py); a hole has no trace to show, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..trace import Story, Trace
from ..trace.fate import SLACK, fate, limit
from ..values.experiment import Experiment
from .ends import listed
from .reading import NEVER, Reading

LABEL = re.compile(
    r"websockets (?P<version>[\w.]+)(?: (?P<implementation>[a-z]+))?"
    r"(?:, (?:Python )?(?P<python>[\d.]+))?(?: \((?P<note>\w+)\))?$"
)
PARTS = {  # of a label: said alone, and after the version
    "version": ("{}", "{}"),
    "implementation": ("{}", "{}"),
    "python": ("Python {}", "on Python {}"),
    "wire": ("{}", "with {}"),
}
UNTIL = {  # what ended it, in the title and in the bar
    "heal": ("until the cable is mended", "until healed"),
    "nothing": ("for ever", "nothing can end it"),
    "the run's end": ("to the end of the run", "and still when the run ends"),
}
EDGE = 1.4  # such a run is drawn on until so many times the end of the longest run


class Lane:
    """One vintage: its label, and its trace read for ``end``; or, in a hole, why there is none."""

    def __init__(self, label: str, end: str, r: Reading, hole: str = "") -> None:
        self.label, self.end, self.r, self.hole = label, end, r, hole
        found = LABEL.match(label)
        # what the label says, a note such as "recorded" too; and the wire, ws or wss
        self.parts = {key: x for key, x in found.groupdict().items() if x} if found else {}
        if not hole:
            self.parts["wire"] = "wss" if r.experiment.tls else "ws"
        asks = r.noticed(end), r.closed(end), r.told(end)
        self.times = tuple(NEVER if t is None else t for t in asks)  # s
        heals = (r.heal(cut) for cut in r.cuts[-1:])
        # when the last cut was healed (s), if the run lived to see it
        self.heal = next((t for t in heals if t <= r.stop + 1e-6), None)
        self.kind = "hole" if hole else fate(r.story, end, self.heal)

    @property
    def is_told_late(self) -> bool:
        """Whether it was CLOSED in time, and only its program was not told."""
        noticed, closed, _ = self.times
        return self.kind == "late" and closed - noticed <= limit(self.r.story, self.end)

    @property
    def hung(self) -> tuple[float, float] | None:
        """From when to when (s) it was CLOSING for too long, or OPEN after the cut."""
        noticed, closed, _ = self.times
        if self.kind == "never" and self.r.cuts:
            return self.r.cuts[-1].start, self.heal or self.r.stop
        if self.kind in ("hangs", "late") and not self.is_told_late:
            return noticed, min(closed, self.r.stop)
        return None

    @property
    def until(self) -> str:
        """What ended it, if it hung: of UNTIL."""
        is_closed = self.kind != "hangs" or self.times[1] < NEVER
        if self.hung and self.heal is not None and is_closed and self.hung[1] >= self.heal - SLACK:
            return "heal"
        return "nothing" if self.r.story.over == "stuck" else "the run's end"

    def names(self, rows: Sequence[Lane]) -> tuple[str, str]:
        """Whose lane it is, and in smaller letters what else tells it from the others."""
        part, wires = self.parts, {lane.parts.get("wire") for lane in rows if not lane.hole}
        if "version" not in part:
            name, _, rest = self.label.partition(", ")
            return name, rest
        big = (part["version"], part.get("implementation"))
        python = f"Python {part['python']}" if "python" in part else None
        small = (python, part.get("wire") if len(wires) > 1 else None, part.get("note"))
        return " ".join(filter(None, big)), " · ".join(filter(None, small))


def lanes(entries: Iterable[Any], end: str) -> list[Lane]:
    """A lane for each trace, and an empty one for each hole: a value that says ``why``."""
    entries = list(entries)
    last = max((one.end for one in entries if isinstance(one, Story)), default=0.0)
    found = [_lane(one, end, EDGE * last) for one in entries]
    if not found:
        raise ValueError("lineup() takes at least one trace, seen none")
    if len({lane.r.experiment.cuts for lane in found if not lane.hole}) > 1:
        raise ValueError(
            "lineup() shows one experiment on many vintages; "
            "seen traces with different cuts: draw one figure of each"
        )
    return found


def _lane(entry: Any, end: str, edge: float) -> Lane:
    if isinstance(entry, Story):
        unknown = "" if entry.states(end) else "? not in this log"
        if isinstance(entry, Trace) and entry.over == "stuck":  # it stays as it is
            entry = replace(entry, header={**entry.header, "end": edge})
        return Lane(label(entry), end, Reading(entry), unknown)
    why = getattr(entry, "why", None)
    if not isinstance(why, str):
        raise TypeError(
            f"lineup() takes traces, and holes that say why there is none; seen {entry!r}"
        )
    name = getattr(entry, "label", None) or getattr(entry, "vintage", "?")
    return Lane(str(name), end, Reading(Trace(Experiment(), [])), f"not run: {why}")


def label(story: Story) -> str:
    """Whose it is: what the header calls the vintage, or else the versions in it."""
    header, versions = story.header, story.header.get("versions", {})
    if header.get("vintage") or "websockets" not in versions:
        return str(header.get("vintage") or "a prediction")
    python = ".".join(str(versions.get("python", "?")).split(".")[:2])
    return f"websockets {versions['websockets']}, Python {python}"


# in words


def finding(rows: Sequence[Lane]) -> str:
    """What the line-up comes to: which vintages end in which way."""
    seen = [lane for lane in rows if not lane.hole]
    if not seen:
        return f"None of these could be run: {rows[0].hole.removeprefix('not run: ')}"
    kinds = dict.fromkeys(lane.kind for lane in seen)
    if len(kinds) == 1 and len(seen) > 1:
        return f"{'Both' if len(seen) == 2 else f'All {len(seen)}'} {_fate(seen)}"
    groups = [[lane for lane in seen if lane.kind == kind] for kind in kinds]
    return "; ".join(f"{_who(group, seen)} {_fate(group)}" for group in groups)


def _who(group: Sequence[Lane], rows: Sequence[Lane]) -> str:
    """ "14.1 and older", "Python 3.10": the part that tells a group from the rest, or all names."""
    rest = [lane for lane in rows if lane not in group]
    for part, (alone, _) in PARTS.items():
        ours, others = ({lane.parts.get(part, "") for lane in some} for some in (group, rest))
        is_told = "" not in ours | others and not ours & others
        if is_told and (rest or part == "version"):
            return alone.format(_values(ours, others))
    differ = [part for part in PARTS if len({lane.parts.get(part) for lane in rows}) > 1]
    names = []
    for lane in group:
        said = [PARTS[part][1].format(lane.parts[part]) for part in differ if part in lane.parts]
        names.append(" ".join(said) or lane.label)
    return listed(names) if len(names) < 4 else f"{len(names)} of {len(rows)}"


def _values(ours: set[str], others: set[str]) -> str:
    """ "14.1 and older", if no other version is so old; else all of them."""
    row, rest = sorted(sorted(ours), key=by_version), [by_version(one) for one in others]
    if len(row) > 1 and rest and by_version(row[-1]) < min(rest):
        return f"{row[-1]} and older"
    if len(row) > 1 and rest and by_version(row[0]) > max(rest):
        return f"{row[0]} and newer"
    return listed(row)


def by_version(text: str) -> tuple[int, ...]:
    """Versions in their order: 9.1 before 14.2."""
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _fate(group: Sequence[Lane]) -> str:
    """What became of them: "hang in CLOSING until the cable is mended"."""
    s, be = ("s", "is") if len(group) == 1 else ("", "are")
    kind, first, lates = group[0].kind, group[0], [lane.is_told_late for lane in group]
    ways = {lane.until for lane in group}
    until = UNTIL[ways.pop() if len(ways) == 1 else "the run's end"][0]
    if kind == "hangs":
        return f"hang{s} in CLOSING {until}"
    if kind == "never":
        return f"never notice{s}: OPEN {until}" if first.hung else f"stay{s} OPEN"
    timeout = first.r.experiment.peer(first.end).close_timeout
    though = "" if timeout is None else f", though close_timeout is {timeout:g} s"
    took = [closed - noticed for noticed, closed, _ in (lane.times for lane in group)]
    after = [told - noticed for noticed, _, told in (lane.times for lane in group)]
    if all(lates):
        told = f"only {_between(after)} after leaving OPEN"
        if max(after) == NEVER:
            told = "never" if min(after) == NEVER else "late or never"
        return f"{be} CLOSED in time, and told {told}"
    if any(lates):
        return f"are closed or told late{though}"
    if kind == "late":
        return f"take{s} {_between(took)} to close{though}"
    if timeout is not None and all(abs(t - timeout) < 0.06 for t in took):
        return f"give{s} up after close_timeout, {timeout:g} s"
    return f"{be} CLOSED {_between(took)} after leaving OPEN"


def _between(values: Sequence[float]) -> str:
    """ "30 s", "2 to 10 s"."""
    low, high = (f"{round(x, 1):g}" for x in (min(values), max(values)))
    return f"{low} s" if low == high else f"{low} to {high} s"


def hung_words(lane: Lane) -> tuple[str, ...]:
    """How long it hung, and what ended that, the longest first; nothing if it did not."""
    if lane.hung is None:
        return ()
    long = f"{lane.r.neat(lane.hung[1] - lane.hung[0])} s"
    what = "believes OPEN" if lane.kind == "never" else "CLOSING"
    what = f"{what} for {'ever' if lane.until == 'nothing' else long}"
    why = f"{what}, {UNTIL[lane.until][1]}"
    if lane.kind == "late":
        return (what,)
    longest = f"{why}: never noticed" if lane.kind == "never" else f"in {why}"
    return longest, why, what
