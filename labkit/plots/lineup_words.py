"""A line-up in words: the title that is its finding, how long a lane hung, the alt text. Pure; draws nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from .lineup_lanes import Lane
from .squeeze import Squeeze
from .tale import Tale
from .words import cut_words, listed


def finding(lanes: Sequence[Lane]) -> str:
    """What the line-up comes to: which vintages end in which way."""
    told = [lane for lane in lanes if lane.tale]
    if not told:
        return f"None of these could be run: {lanes[0].why}"
    groups = [
        [lane for lane in told if lane.kind == kind]
        for kind in dict.fromkeys(lane.kind for lane in told)
    ]
    if len(groups) == 1 and len(told) > 1:
        return f"{'Both' if len(told) == 2 else f'All {len(told)}'} {_fate(told)}"
    return "; ".join(f"{_who(group, told)} {_fate(group)}" for group in groups)


def _who(group: Sequence[Lane], lanes: Sequence[Lane]) -> str:
    """ "14.1 and older", "legacy", "Python 3.10": the one part of the labels that tells a group from the rest; or every label."""
    rest = [lane for lane in lanes if lane not in group]
    for part, say in SAY.items():
        ours, others = ({lane.parts.get(part, "") for lane in some} for some in (group, rest))
        if "" not in ours | others and not ours & others and (rest or part == "version"):
            return say(ours, others)
    differ = [part for part in SAY if len({lane.parts.get(part) for lane in lanes}) > 1]
    said = [
        " ".join(
            ADD.get(part, "{}").format(lane.parts[part]) for part in differ if part in lane.parts
        )
        for lane in group
    ]
    names = [one or lane.label for one, lane in zip(said, group)]
    return listed(names) if len(names) < 4 else f"{len(group)} of {len(lanes)}"


def _versions(ours: set[str], others: set[str]) -> str:
    """ "14.1 and older", if no other version is so old."""
    row, rest = sorted(ours, key=by_version), [by_version(version) for version in others]
    first, last = by_version(row[0]), by_version(row[-1])
    if len(row) > 1 and rest and all(last < other for other in rest):
        return f"{row[-1]} and older"
    if len(row) > 1 and rest and all(other < first for other in rest):
        return f"{row[0]} and newer"
    return listed(row)


def by_version(text: str) -> tuple[int, ...]:
    """Versions in their order: 9.1 before 14.2."""
    return tuple(int(part) for part in re.findall(r"\d+", text))


LABEL = "seconds since the server was OPEN"
SAY: dict[
    str, Callable[[set[str], set[str]], str]
] = {  # how the values of a part are said, beside those of the others
    "version": _versions,
    "implementation": lambda ours, _: listed(sorted(ours)),
    "python": lambda ours, others: f"Python {_versions(ours, others)}",
    "wire": lambda ours, _: listed(sorted(ours)),
}

ADD = {"python": "on Python {}", "wire": "with {}"}  # how a part is added to the version


def _fate(group: Sequence[Lane]) -> str:
    """What became of them: "hang in CLOSING until the cable is mended"."""
    s, kind = "s" if len(group) == 1 else "", group[0].kind
    until = (
        "until the cable is mended"
        if all(lane.is_cured for lane in group)
        else "to the end of the run"
    )
    until = "for ever" if all(lane.is_for_ever for lane in group) else until
    if kind == "hangs":
        return f"hang{s} in CLOSING {until}"
    if kind == "never":
        return f"never notice{s}: OPEN {until}" if group[0].hung else f"stay{s} OPEN"
    if kind == "late" and all(lane.is_told_late for lane in group):
        after = [(lane.told or math.inf) - (lane.noticed or 0.0) for lane in group]
        when = "never" if min(after) == math.inf else "late or never"
        when = f"only {between(after)} after leaving OPEN" if max(after) < math.inf else when
        return f"{'is' if s else 'are'} CLOSED in time, and told {when}"
    took = [
        lane.closed - lane.noticed
        for lane in group
        if lane.closed is not None and lane.noticed is not None
    ]
    timeout = next(iter({lane.timeout for lane in group}))
    if any(lane.is_told_late for lane in group):
        return f"are closed or told late, though close_timeout is {timeout:g} s"
    if kind == "late":
        return f"take{s} {between(took)} to close, though close_timeout is {timeout:g} s"
    if timeout is not None and all(abs(t - timeout) < 0.06 for t in took):
        return f"give{s} up after close_timeout, {timeout:g} s"
    return f"{'is' if s else 'are'} CLOSED {between(took)} after leaving OPEN"


def names(lane: Lane, rows: list[Lane]) -> list[tuple[str, float, bool]]:
    """The lines at the left of a lane, as (text, size, bold)."""
    part, wires = lane.parts, {other.parts["wire"] for other in rows if "wire" in other.parts}
    if "version" not in part:
        return [
            (line, 10.5 if k == 0 else 9.0, k == 0) for k, line in enumerate(lane.label.split(", "))
        ]
    big = " ".join(filter(None, [part["version"], part.get("implementation")]))
    small = [f"Python {part.get('python')}"] * ("python" in part) + [part.get("wire", "")] * (
        len(wires) > 1 and "wire" in part
    )
    small += [part["note"]] if "note" in part else []
    return [(big, 10.5, True), *[(" · ".join(small), 9.0, False)] * bool(small)]


def between(values: Sequence[float]) -> str:
    """ "30 s", "2 to 10 s"."""
    low, high = (f"{round(x, 1):g}" for x in (min(values), max(values)))
    return f"{low} s" if low == high else f"{low} to {high} s"


def hung_words(lane: Lane) -> list[str]:
    """How long it hung, and what ended that, the longest first; nothing for a lane that did not."""
    if lane.tale is None or lane.hung is None:
        return []
    long = f"{lane.tale.neat(lane.hung[1] - lane.hung[0])} s" if not lane.is_for_ever else "ever"
    until = (
        "until healed"
        if lane.is_cured
        else "nothing can end it"
        if lane.is_for_ever
        else "and still when the run ends"
    )
    if lane.kind == "late":
        return [f"CLOSING for {long}"]
    if lane.kind == "never":
        return [
            f"believes OPEN for {long}, {until}: never noticed",
            f"believes OPEN for {long}, {until}",
            f"believes OPEN for {long}",
        ]
    return [
        f"in CLOSING for {long}, {until}",
        f"CLOSING for {long}, {until}",
        f"CLOSING for {long}",
    ]


def axis_words(tale: Tale, scale: Squeeze) -> list[str]:
    """What the axis counts, and what it leaves out; the longest first."""
    if not scale.breaks:
        return [LABEL, "seconds"]
    gap = f"{tale.neat(scale.saved)} s"
    return [
        f"{LABEL}; at // the axis leaves out {gap} without a change",
        f"{LABEL}; // leaves out {gap}",
        f"seconds; // leaves out {gap}",
    ]


def alt_text(lanes: Sequence[Lane], end: str) -> str:
    """The whole figure in words."""
    tale = max((lane.tale for lane in lanes if lane.tale), key=lambda tale: tale.stop, default=None)
    parts = [f"Line-up of {len(lanes)} vintages, the states of the {end}. {finding(lanes)}."]
    parts += [f"{cut_words(tale, cut)}." for cut in tale.cuts] if tale else []
    return " ".join([*parts, *map(_lane, lanes)])


def _lane(lane: Lane) -> str:
    if lane.tale is None:
        return f"{lane.label}: not run, {lane.why}."
    row = [
        f"{span.belief or span.state} from {lane.tale.neat(span.begin)} s" for span in lane.spans
    ]
    told = lane.tale.told(lane.end)
    last = (
        "its application is never told"
        if told is None
        else f"its application is told at {lane.tale.seconds(told)}"
    )
    return f"{lane.label}: {'; '.join([', '.join(row), *hung_words(lane)[:1], last])}."
