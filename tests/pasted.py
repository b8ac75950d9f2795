"""The corpus of what people paste, held against the doctor: ``python tests/pasted.py`` prints the confusion matrix.

What stands in a file of tests/corpus, and the words for what is true, are told in tests/corpus/README.md. An answer is

    right     it says the truth, or less than it that is so too, and no more; of what nobody can decide, it says just that
    astray    besides, it calls something possible that is not so
    silent    it says that it can't tell ("turn this on"), where one can
    wrong     it calls something certain or likely that is not so, or says, however carefully, what must not be said
"""

import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labkit.doctor import Verdict, diagnose

CORPUS = Path(__file__).parent / "corpus"
UNDECIDED = "undecided"
OUTCOMES = ("right", "astray", "silent", "wrong")

# What a verdict says in the corpus's words: by its cause, and by what its reason has in it; the first that fits.
MEANS = [
    ("storm", "", {"mass reconnect"}),
    ("blocked_drain", "", {"drain blocked"}),
    ("closing_gap", "", {"stuck in closing"}),
    ("slow_reader", "", {"reads too slowly"}),
    ("own_loop", "", {"own loop blocked"}),
    ("pong_bug", "", {"wrong pong"}),
    ("own_timeout", "", {"no pong in time"}),
    ("peer_timeout", "", {"our pong was missed"}),
    ("idle_drop", "", {"idle timeout"}),
    ("tcp_lost", "was reset", {"reset"}),
    ("tcp_lost", "closed TCP", {"hung up"}),
    ("tcp_lost", "gave up", {"network gave up"}),
    ("tcp_lost", "", {"lost without goodbye"}),
    ("legacy_bug", "", {"legacy drain bug"}),
    ("misuse", "", {"misused"}),
    ("handler_raised", "", {"our handler crashed"}),
    ("peer_failed", "", {"peer crashed"}),
    ("refused_data", "1009.*limit is the peer's", {"too big for the peer"}),
    ("refused_data", "1009.*this end's", {"too big for us"}),
    ("refused_data", "1008.*the peer's rule", {"peer refused"}),
    ("refused_data", "1008.*this end's rule", {"this end refused"}),
    ("refused_data", "1002|1003|1007|1010", {"protocol error"}),
    ("unreachable", "name", {"name not resolved"}),
    ("unreachable", "no way", {"could not connect", "network gave up"}),
    ("unreachable", "", {"could not connect"}),
    ("handshake", "HTTP [1-5]", {"handshake refused"}),
    ("handshake", "open_timeout", {"handshake timed out"}),
    ("handshake", "TCP ended", {"hung up in handshake"}),
    ("unanswered_close", "", {"close unanswered"}),
    ("other_code", "the peer|received", {"peer refused"}),
    ("other_code", "this end|sent", {"this end refused"}),
    ("going_away", "(the peer|received).*1012", {"peer refused"}),
    ("going_away", "(this end|sent).*1012", {"this end refused"}),
    ("going_away", "1001", {"clean goodbye"}),
    ("goodbye", "", {"clean goodbye"}),
    ("probe", "", {"handshake noise"}),
    ("alive", "", {"alive"}),
    ("", "", {UNDECIDED}),
]


@dataclass(frozen=True)
class Case:
    """A file of the corpus."""

    name: str
    versions: str
    end: str
    form: str
    made: str
    truth: tuple[str, ...]
    also: tuple[str, ...]
    never: tuple[str, ...]
    text: str

    @property
    def decided(self) -> bool:
        return self.truth != (UNDECIDED,)

    def outcome(self, verdicts: list[Verdict]) -> str:
        """One of OUTCOMES, for the doctor's answer to this text."""
        said = [(meaning(one), one.sure) for one in verdicts] or [({UNDECIDED}, "possible")]
        told = [(words, sure) for words, sure in said if words != {UNDECIDED}]
        stray = [(words, sure) for words, sure in told if not words & {*self.truth, *self.also}]
        if any(sure != "possible" or words & {*self.never} for words, sure in stray):
            return "wrong"
        if stray:
            return "astray"
        found = set().union(*(words for words, _ in told)) or {UNDECIDED}
        if len(self.truth) > 1:  # of several connections each has to be told
            return "right" if found.issuperset(self.truth) else "silent"
        return "right" if found & {*self.truth, *self.also} else "silent"


def meaning(verdict: Verdict) -> set[str]:
    """What a verdict says, in the corpus's words."""
    return next(words for cause, why, words in MEANS if cause in ("", verdict.cause) and re.search(why, verdict.why))


def read(path: Path) -> Case:
    head, text = path.read_text(encoding="utf-8").split("\n---\n", 1)
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    truth, also, never = (tuple(fields.get(one, "").split(", ")) if one in fields else () for one in ("truth", "also", "never"))
    return Case(path.stem, fields["versions"], fields["end"], fields["format"], fields["made"], truth, also, never, text)


@cache
def cases() -> tuple[Case, ...]:
    return tuple(read(path) for path in sorted(CORPUS.glob("*.txt")))


@cache
def answers() -> dict[Case, list[Verdict]]:
    return {case: diagnose(case.text.splitlines()).verdicts for case in cases()}


def outcomes(decided: bool) -> Counter[str]:
    """How often each outcome, of the cases that can be decided or of the others."""
    return Counter(case.outcome(found) for case, found in answers().items() if case.decided == decided)


def spoken(verdicts: list[Verdict]) -> str:
    """The answer in the corpus's words, the worst first; "?" behind what is only possible."""
    said = []
    for one in verdicts:
        doubt = "?" if one.sure == "possible" else ""
        said.append(" or ".join(sorted(meaning(one))) + doubt)
    return ", ".join(dict.fromkeys(said)) or UNDECIDED


def matrix() -> str:
    """What is true, each with its outcomes and with what was said instead."""
    rows = ["".join(f"{head:>8}" for head in OUTCOMES) + "  what is true, and what is said"]
    for truth in dict.fromkeys(case.truth for case in sorted(cases(), key=lambda one: one.truth)):
        mine = [case for case in cases() if case.truth == truth]
        counts = Counter(case.outcome(answers()[case]) for case in mine)
        rows.append("".join(f"{counts[one] or '':>8}" for one in OUTCOMES) + f"  {', '.join(truth)}")
        said = Counter((case.outcome(answers()[case]), spoken(answers()[case])) for case in mine)
        rows += [f"{'':34}{count:3} {outcome}: {words}" for (outcome, words), count in said.most_common() if outcome != "right"]
    for decided, which in ((True, "can be decided"), (False, "nobody can decide")):
        counts = outcomes(decided)
        rows.append("".join(f"{counts[one]:>8}" for one in OUTCOMES) + f"  of {counts.total()} that {which}")
    return "\n".join(rows)


def wrong() -> list[str]:
    """Each wrong answer in a line."""
    found = ((case, verdicts) for case, verdicts in answers().items() if case.outcome(verdicts) == "wrong")
    return [f"{case.name}: {', '.join(case.truth)}; said {spoken(verdicts)}" for case, verdicts in found]


if __name__ == "__main__":
    print(matrix())
    print("\n".join(wrong()))
    sys.exit(bool(wrong()))
