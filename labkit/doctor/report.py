"""The report: every verdict counted, the telling ones kept, and what only many connections together can show."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace

from .chart import Fact
from .verdict import Verdict

KEPT = 200  # verdicts of a cause that are kept in full; the rest is counted
STORM = 20  # connections opened
WITHIN = 1.0  # s
SAME = 1.0  # s; idle times as near as this are the same
ORDER = (
    "storm blocked_drain closing_gap own_loop own_timeout peer_timeout idle_drop tcp_lost handler_raised peer_failed refused_data "
    "handshake going_away goodbye unknown alive"
).split()


@dataclass
class Report:
    """What the doctor found in a log."""

    lines: int = 0  # in the log
    spoken: int = 0  # of them, that are the library's
    begin: float | None = None  # s
    end: float | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(
        default_factory=Counter
    )  # (cause, sure) of all connections, kept or not
    kept: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """One more verdict."""
        self.counts[verdict.cause, verdict.sure] += 1
        self.kept[verdict.cause] += 1
        if self.kept[verdict.cause] <= KEPT:
            self.verdicts.append(verdict)

    def __str__(self) -> str:
        from .words import text

        return text(self).rstrip()

    @property
    def causes(self) -> set[str]:
        """Every cause that was found."""
        return {cause for cause, _ in self.counts}

    def settle(self) -> None:
        """Several connections that ended after the same idle time, at different moments, speak for one idle timeout."""
        round_ones = [
            one
            for one in self.verdicts
            if one.cause == "idle_drop" and one.idle is not None and one.closed is not None
        ]
        for one in round_ones:
            like = [
                two
                for two in round_ones
                if abs((two.idle or 0) - (one.idle or 0)) <= SAME
                and abs((two.closed or 0) - (one.closed or 0)) > 2 * SAME
            ]
            if like:
                self._replace(
                    one,
                    replace(
                        one,
                        sure="likely",
                        why=f"{one.why}; {len(like)} more did the same at other moments",
                    ),
                )
        self.verdicts.sort(
            key=lambda one: (ORDER.index(one.cause), one.sure != "certain", one.connection)
        )

    def _replace(self, old: Verdict, new: Verdict) -> None:
        self.verdicts[next(n for n, one in enumerate(self.verdicts) if one is old)] = new
        self.counts[old.cause, old.sure] -= 1
        self.counts[new.cause, new.sure] += 1
        self.counts += Counter()  # drops what is 0


class Storms:
    """Watches how many connections open within a second."""

    def __init__(self) -> None:
        self.opened: deque[tuple[float, int]] = deque(maxlen=5000)
        self.lost: deque[float] = deque(maxlen=5000)
        self.most: tuple[int, float, int, int] | None = (
            None  # how many, when (s), line, how many were lost in the minute before
        )

    def open(self, t: float, number: int) -> None:
        """One more is OPEN at ``t`` (s), in that line."""
        self.opened.append((t, number))
        while self.opened and self.opened[0][0] < t - WITHIN:
            self.opened.popleft()
        if len(self.opened) >= STORM:
            lost = sum(t - 60 <= one <= t for one in self.lost)
            here = (len(self.opened), self.opened[0][0], self.opened[0][1], lost)
            self.most = max(self.most or here, here, key=lambda one: (2 * one[3] >= one[0], one[0]))

    def verdict(self) -> Verdict | None:
        """A storm, if there was one."""
        if self.most is None:
            return None
        count, t, line, lost = self.most
        back = f", after {lost} were lost in the minute before" if lost else ""
        why = f"{count} connections opened within {WITHIN:g} s{back}"
        return Verdict(
            "storm",
            "likely" if 2 * lost >= count else "possible",
            why,
            (Fact(line, t, "= connection is OPEN"),),
        )
