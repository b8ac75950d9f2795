"""What crosses the wire of a ladder, as arrows: sloped by their latency, stuck ones half-way.

    ┃─PING 1f 8e 2a 07─→┃      alone
    ┃←──BINARY, PONG───→┃      what is over within a hundredth of the axis is one level arrow
    ┃- - -✕ PING stuck  ┃      dotted on to where and when it arrives, if it does

What a ladder has no room for is left out before (wire.py).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..values.faults import ENDS
from . import ladder_words as words
from .excerpt import Excerpt
from .labels import Places
from .marks import DASHED, DOTTED, Dot, Mark, Path
from .widths import wrap
from .wire import Crossing

WIDE, HIGH = 404.8, 440.4  # points of the area at the usual size; the axis across counts these
RAIL = {"server": 0.285 * WIDE, "client": 0.735 * WIDE}
BAR = 5.0  # half the width of a bar
OUT = {"server": -1.0, "client": 1.0}  # the way to an end's margin
WIRE = sum(RAIL.values()) / 2
EDGE = {end: RAIL[end] - OUT[end] * BAR for end in ENDS} | {"wire": WIRE}  # inner edges
NEAR = 0.01  # of the axis; a round trip below is one arrow
FEW = 12  # of a kind; of more only the first is called by name
LOOK = {  # an arrow's colour, its words', and how wide it is; else faint and thin
    "PING": ("ping", "ping_words", 1.4),
    "PONG": ("ping", "ping_words", 1.4),
    "CLOSE": ("ink", "ink", 1.7),
    "FIN": ("ink", "ink", 1.0),
    "RST": ("ink", "ink", 1.0),
}
Group = list[Crossing]


def grouped(found: Group, near: float) -> list[Group]:
    """What is over within ``near`` (s) of the first's begin is one arrow."""
    groups: list[Group] = []
    for one in found:
        home = next((group for group in reversed(groups[-3:]) if _joins(group[0], one, near)), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return groups


def _joins(first: Crossing, one: Crossing, near: float) -> bool:
    same_sender, same_kind = first.sender == one.sender, first.is_data == one.is_data
    if one.stuck or first.stuck:
        is_alike = one.stuck == first.stuck and same_sender and same_kind
        return is_alike and one.sent_at - first.sent_at <= near
    if "wire" in (first.sender, one.sender):
        return same_sender and one.sent_at == first.sent_at
    return one.stop - first.sent_at <= near and same_kind


class Arrows:
    """The marks of what crosses, with words along them."""

    def __init__(self, r: Excerpt, shown: Group) -> None:
        self.r, self.point = r, r.length / HIGH  # s a point
        self.groups = grouped(shown, NEAR * r.length)
        self.many = Counter(map(_alike, self.groups))
        self.stops = sorted(group[0].stop for group in self.groups if not group[0].stuck)
        firsts = [group[0] for group in self.groups]
        late = [one for one in firsts if one.stuck and one.arrived_at and not one.is_data]
        self.late = {end: [one for one in late if one.sender == end][:6] for end in ENDS}

    def marks(self) -> Iterator[Mark]:
        """What matters first: its words are the first to find room."""
        seen: set[Any] = set()
        last = dict.fromkeys(ENDS, -math.inf)  # when the last stuck message that is drawn was sent
        for group in sorted(self.groups, key=_weight):
            first, kind = group[0], _alike(group)
            is_many = self.many[kind] > FEW or (first.stuck and first.is_data)
            is_named = kind not in seen or not is_many
            seen.add(kind)
            if not first.stuck:
                yield from self._arrow(group, is_named)
                continue
            if first.is_data:
                if first.sent_at - last[first.sender] < 9 * self.point:
                    continue
                last[first.sender] = first.sent_at
            yield from self._stuck(group, is_named)

    def _arrow(self, group: Group, is_named: bool) -> Iterator[Mark]:
        first, known = group[0], max(one.stop for one in group)
        main = "CLOSE" if any(one.opcode == "CLOSE" for one in group) else first.opcode
        colour, ink, wide = LOOK.get(main, ("faint", "faint", 1.0))
        look: dict[str, Any] = {"colour": colour, "ink": ink, "known": known}
        start, goal = EDGE[first.sender], EDGE[first.receiver]
        if first.sender == "wire":
            for one in group:
                way = ((one.sent_at, start), (one.sent_at, EDGE[one.receiver]))
                yield Path(way, wide=wide, head="to", **look)
            across = tuple((first.sent_at, EDGE[end]) for end in ENDS)
            yield Path(across, wide=0, wordings=words.called(self.r, first), above=True, **look)
        elif len(group) == 1:
            above, texts = main in ("PING", "CLOSE", "HTTP"), words.called(self.r, first)
            way = ((first.sent_at, start), (first.stop, goal))
            look |= {"wordings": texts if is_named else (), "above": above, "known": first.sent_at}
            yield Path(way, wide=wide, head="to", **look)
        else:  # one level arrow for all of them
            middle, senders = (first.sent_at + known) / 2, {one.sender for one in group}
            way, head = ((middle, start), (middle, goal)), "both" if len(senders) > 1 else "to"
            said, *rest = words.counted(self.r, group)
            texts = (said, main) if is_named else ()
            yield Path(way, wide=wide, head=head, wordings=texts, above=True, **look)
            if is_named and rest:
                below = wrap("; ".join(rest), 8, abs(goal - start) - 16)
                yield Path(way, wide=0, wordings=(below,), above=False, **look)

    def _stuck(self, group: Group, is_named: bool) -> Iterator[Mark]:
        """Dashed to half-way with a ✕; dotted on to where and when it arrives, if it does."""
        r, first, half = self.r, group[0], self.r.latency / 2
        (y, x), away = self._cross(first), OUT[first.receiver]
        look: dict[str, Any] = {"colour": "stuck", "known": first.sent_at}
        yield Path(((y - half, EDGE[first.sender]), (y, x)), wide=1.5, dash=DASHED, **look)
        arrived = first.arrived_at
        if arrived is not None and arrived <= r.horizon and not first.is_data:
            drop = max(y, arrived - half)
            late: dict[str, Any] = {"wide": 1.3, "dash": DOTTED, "z": 2.9, "known": arrived}
            yield Path(((y, x), (drop, x)), "stuck", **late)
            yield Path(((drop, x), (arrived, EDGE[first.receiver])), "stuck", head="to", **late)
        rows: tuple[float, ...] = (0, 7, -7, 12, -12, 20, -20)
        align = "left" if away > 0 else "right"
        places: Places = tuple((away * 8, dy, align, "center") for dy in rows)
        texts = words.stuck(r, group, self.many[_alike(group)]) if is_named else ()
        look = {"ink": "stuck_words", "known": first.sent_at}
        if arrived is not None and not first.is_data:
            look |= {"meanwhile": texts[1:], "over": arrived}
        yield Dot(y, x, "stuck", wordings=texts, places=places, **look)

    def _cross(self, first: Crossing) -> tuple[float, float]:
        """Where a ✕ stands: half-way; messages sooner; what arrives later a little apart."""
        near, reach = bisect_left(self.stops, first.sent_at - 4 * self.point), 4 * self.point
        is_met = near < len(self.stops) and self.stops[near] < first.sent_at + reach
        t = first.sent_at + self.r.latency / 2 + (5 * self.point if is_met else 0.0)
        start, goal = EDGE[first.sender], EDGE[first.receiver]
        late = self.late[first.sender]
        apart = 10.0 * OUT[first.receiver] * (late.index(first) if first in late else 0)
        part = 0.3 if first.is_data else 0.5
        return min(t, self.r.horizon), start + (goal - start) * part + apart


def _alike(group: Group) -> tuple[bool, str, str]:
    """What arrows have in common that need their words only once."""
    first = group[0]
    return first.stuck, first.sender, "message" if first.is_data else first.opcode


def _weight(group: Group) -> tuple[bool, bool, float]:
    first = group[0]
    return not first.stuck, first.opcode not in ("CLOSE", "FIN", "RST"), first.sent_at
