"""Votes, counted: how many for each choice, and which beliefs are behind the wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks.workshop import Choice

WIDE = 24  # characters of the longest bar
NAMES = ("first vote", "second vote")


@dataclass(frozen=True)
class Histogram:
    """Of one question: each choice, with how many voted for it in each of two votes."""

    id: str
    bars: Sequence[tuple[Choice, Sequence[int]]]

    @property
    def totals(self) -> tuple[int, ...]:
        """How many voted, in each vote."""
        return tuple(map(sum, zip(*(counts for _, counts in self.bars))))

    @property
    def shown(self) -> dict[int, str]:
        """The votes in which anybody voted, with their names."""
        return {vote: NAMES[vote] for vote, total in enumerate(self.totals) if total}

    def part(self, count: int, vote: int) -> float:
        """A count as a part of its vote, 0 to 1."""
        return count / max(1, self.totals[vote])

    def right(self, vote: int) -> float:
        """Which part of a vote was right, 0 to 1."""
        return self.part(sum(counts[vote] for one, counts in self.bars if one.right), vote)

    def __str__(self) -> str:
        """For a terminal."""
        said = (f"{name}: {self.totals[vote]}" for vote, name in self.shown.items())
        lines = [f"{self.id}   {', '.join(said) or 'no votes'}"]
        for choice, counts in self.bars:
            lines.append(f"  {'✓' if choice.right else ' '} {choice.said}")
            for vote, name in self.shown.items():
                bar = "█" * round(WIDE * self.part(counts[vote], vote))
                lines.append(f"      {bar:{WIDE}} {counts[vote]:3}  {name}")
            lines += (f"      {belief}" for belief in choice.beliefs if any(counts))
        return "\n".join(lines)
