"""The verdict on one chart: which cause fits, how sure that is, and on which lines. Pure rules, the sure ones first.

*certain*: the log says it in so many words (the text of a CLOSE), or nothing else can have written these lines.
*likely*: it fits and nothing speaks against it, but a setting or a line that is missing could change it.
*possible*: one reading among several. Where lines of several connections may be mixed up, only what a CLOSE says
by itself stays certain.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .chart import Chart, Fact

KEEPALIVE = "keepalive ping timeout"
REFUSALS = (1002, 1003, 1007, 1008, 1009, 1010)
AWAY = (1001, 1012, 1013)
SAID = (
    "peer_timeout",
    "goodbye",
    "going_away",
    "refused_data",
    "peer_failed",
    "handler_raised",
)  # by a CLOSE, in words
IDLES = (
    30,
    45,
    50,
    55,
    60,
    75,
    90,
    100,
    110,
    120,
    180,
    240,
    300,
    350,
    360,
    400,
    600,
    900,
    1200,
    1800,
    3600,
    4000,
    7200,
)  # s
STUCK, SURELY, LEGACY = (
    30.0,
    150.0,
    60.0,
)  # s in CLOSING: beyond any default, beyond doubt; legacy may take 5 × close_timeout


@dataclass(frozen=True)
class Verdict:
    """What became of one connection: the cause, how sure (certain, likely, possible), why, and the lines that say so."""

    cause: str
    sure: str
    why: str
    evidence: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    connection: int = 0
    who: str = ""
    side: str = ""
    family: str = "unknown"
    lines: tuple[int, int] = (0, 0)
    opened: float | None = None  # s, on the log's clock
    closing: float | None = None
    closed: float | None = None
    idle: float | None = None  # s without a frame before the end
    story: tuple[Any, ...] = field(default=(), repr=False, compare=False)


def judge(chart: Chart, end: float | None) -> Verdict:
    """The verdict on a chart; ``end`` is the time of the log's last line (s; None: it has no times)."""
    found = next(verdict for rule in RULES if (verdict := rule(chart, end)) is not None)
    if chart.mixed and found.sure == "certain" and found.cause not in SAID:
        found = replace(found, sure="likely")
    if chart.mixed and found.cause == "own_timeout" and chart.ping is None:
        found = replace(found, sure="possible")  # its ping and pong may be on another chart
    if chart.mixed and found.sure == "certain" and not (chart.sent and chart.got):
        found = replace(found, sure="likely")  # the other half may be on another chart
    notes = (*found.notes, *_notes(chart, end))
    first, last = chart.first, chart.last
    return replace(
        found,
        notes=notes,
        connection=chart.number,
        who=chart.who,
        side=chart.side,
        family=family(chart),
        lines=(first.number if first else 0, last.number if last else 0),
        opened=chart.at("OPEN"),
        closing=chart.at("CLOSING"),
        closed=chart.at("CLOSED"),
        story=tuple(chart.story) if found.cause != "alive" else (),
    )


def family(chart: Chart) -> str:
    """Which websockets wrote this, as far as its wording tells."""
    if chart.version:
        return chart.version
    clues = chart.clues
    if "sent" in clues:
        return "15.0 or later"
    if "legacy" in clues:
        return (
            "13.1 or older (legacy)"
            if "!" in clues
            else "14.0 or later (legacy)"
            if "-" in clues
            else "legacy"
        )
    if "sending" in clues:
        return (
            "13.1 or older"
            if "!" in clues
            else "14.x, or legacy from 14.0"
            if "-" in clues
            else "14.x or older, or legacy"
        )
    return "13.1 or older" if "!" in clues else "14.0 or later" if "-" in clues else "unknown"


# the rules, in the order in which they are asked


def _never_open(chart: Chart, end: float | None) -> Verdict | None:
    if chart.refused and "OPEN" not in chart.states:
        return Verdict("handshake", "certain", "the opening handshake failed", (chart.refused,))
    if chart.whole and chart.is_over and "OPEN" not in chart.states:
        return Verdict(
            "handshake",
            "certain",
            "CLOSED without ever having been OPEN",
            _facts(chart, "CONNECTING", "CLOSED"),
        )
    return None


def _stuck(chart: Chart, end: float | None) -> Verdict | None:
    """CLOSING for longer than any default explains."""
    begin, over = chart.at("CLOSING"), chart.at("CLOSED")
    until = over if over is not None else end
    if begin is None or until is None or (chart.is_over and over is None):
        return None
    gap, legacy = until - begin, "legacy" in chart.clues
    if gap < (LEGACY if legacy else STUCK):
        return None
    words = f"CLOSING for {gap:,.0f} s" + ("" if chart.is_over else ", and still when the log ends")
    why = f"{words}; close_timeout is 10 s by default. {_why_stuck(chart)}"
    return Verdict(
        "closing_gap",
        "certain" if gap >= SURELY else "likely",
        why,
        _facts(chart, "CLOSING", "CLOSED", chart.timed_out, chart.sent),
    )


def _why_stuck(chart: Chart) -> str:
    which = family(chart)
    number = _number(chart.version)
    if (number and number < (14, 2)) or (not number and which.startswith("13.1")):
        return "This version's last step waits for the write buffer, and under TLS for the peer; 14.2 mended that."
    if number or which.startswith("15"):
        return "In this version only a blocked drain() (under trio, a blocked send) does that: the CLOSE waits behind other bytes."
    return (
        "Up to 14.1 bytes in the write buffer (or TLS) do that, in every version a blocked drain()."
    )


def _keepalive(chart: Chart, end: float | None) -> Verdict | None:
    """Closed by a keepalive: this end's own, or the peer's."""
    sent, got = chart.sent, chart.got
    if sent and _is_keepalive(sent) and not (got and got.number < sent.number):
        if chart.late_pong and chart.timed_out and chart.late_pong.number < chart.timed_out.number:
            evidence = tuple(
                fact for fact in (chart.ping_before, chart.late_pong, chart.timed_out, sent) if fact
            )
            return Verdict(
                "own_loop",
                "likely",
                "the pong was read before its own timeout was noticed: both waited for this end",
                evidence,
            )
        waited = f", {chart.waits:.3g} s after the ping" if chart.waits is not None else ""
        evidence = tuple(fact for fact in (chart.ping, chart.timed_out, sent) if fact)
        known = _order_known(chart, sent)
        seen = (
            chart.ping is not None
            and chart.timed_out is not None
            and chart.ping.number < chart.timed_out.number
        )  # so no pong of it came
        return Verdict(
            "own_timeout",
            "certain" if seen else "likely" if known else "possible",
            f"this end sent CLOSE 1011 'keepalive ping timeout'{waited}",
            evidence,
        )
    if got and _is_keepalive(got):
        return Verdict(
            "peer_timeout",
            "certain" if _order_known(chart, got) else "possible",
            _why_late(chart, got),
            tuple(f for f in (chart.asked, chart.replied, got) if f),
        )
    return None


def _why_late(chart: Chart, got: Fact) -> str:
    asked, said = chart.asked, "the peer sent CLOSE 1011 'keepalive ping timeout'"
    if (
        asked
        and asked.t is not None
        and got.t is not None
        and got.t - asked.t < 0.05
        and chart.before
    ):
        return f"{said}; its last PING was read at the same instant as the CLOSE: nothing was read until then"
    return (
        f"{said}; this end's log has no PING of it that was left waiting" if asked is None else said
    )


def _codes(chart: Chart, end: float | None) -> Verdict | None:
    """Closed with a code: who said it first, and what it means."""
    sent, got = chart.sent, chart.got
    first = min((fact for fact in (sent, got) if fact), key=lambda fact: fact.number, default=None)
    if first is None:
        return None
    mine, code = first is sent, first.code or 1005
    known = _order_known(chart, first)
    who = "one end" if not known else "this end" if mine else "the peer"
    evidence = tuple(sorted({fact for fact in (sent, got, chart.failed if mine else None) if fact}))
    why = f"{who} closed with {code}{_quoted(first.reason)}"
    if code == 1011:
        found = _eleven(chart, mine, why, evidence)
        return found if known else replace(found, sure="possible")
    cause = "refused_data" if code in REFUSALS else "going_away" if code in AWAY else "goodbye"
    notes = (
        ()
        if sent and got
        else ("one end's CLOSE is missing: the handshake was not finished in this log",)
    )
    return Verdict(cause, "certain", why, evidence, notes)


def _order_known(chart: Chart, first: Fact) -> bool:
    """Whether the first CLOSE in the log was the first of the connection; in a log that begins in its middle it may be an answer."""
    if chart.whole or (first is chart.got and chart.sent):
        return True
    return first is chart.sent and chart.first not in (first, chart.states.get("CLOSING"))


def _eleven(chart: Chart, mine: bool, why: str, evidence: tuple[Fact, ...]) -> Verdict:
    if not mine:
        return Verdict("peer_failed", "certain", why, evidence)
    mistake = f": {chart.mistake}" if chart.mistake else ""
    return Verdict(
        "handler_raised", "certain" if chart.failed else "likely", why + mistake, evidence
    )


def _lost(chart: Chart, end: float | None) -> Verdict | None:
    """TCP ended without a CLOSE."""
    if not (chart.is_over and ("OPEN" in chart.states or chart.active)):
        return None
    evidence = tuple(fact for fact in (chart.active, chart.eof, chart.states["CLOSED"]) if fact)
    over, last = chart.at("CLOSED"), chart.active.t if chart.active else None
    idle = over - last if over is not None and last is not None else None
    sure = "possible" if chart.mixed else "certain" if chart.whole else "likely"
    if idle is not None and _is_round(idle):
        why = f"no CLOSE either way, after {idle:,.1f} s without a frame, which is a round number"
        return Verdict("idle_drop", "possible", why, evidence, idle=idle)
    quiet = f", {idle:,.3g} s after the last frame" if idle is not None else ""
    return Verdict(
        "tcp_lost", sure, f"CLOSED without a CLOSE from either end{quiet}", evidence, idle=idle
    )


def _blocked(chart: Chart, end: float | None) -> Verdict | None:
    """OPEN, with a ping that never left drain()."""
    ping, interval = chart.ping, chart.interval
    if (
        chart.state not in ("OPEN", "")
        or ping is None
        or ping.t is None
        or end is None
        or interval is None
    ):
        return None
    since = end - ping.t
    if "sent" in chart.clues and not chart.confirmed and since >= max(1.0, interval):
        if chart.beat_at is None or abs(ping.t - chart.beat_at - interval) > 0.15 * interval:
            return None  # perhaps an application's own ping
        why = f"> PING without '% sent keepalive ping' for {since:,.0f} s: it waits in drain(), and its timer has not started"
        return Verdict(
            "blocked_drain",
            "certain" if since >= 2.5 * interval and chart.whole else "likely",
            why,
            (ping,),
        )
    if "sending" in chart.clues and since >= max(60.0, 3 * interval):
        why = f"a ping without pong or timeout for {since:,.0f} s, and no further ping: keepalive stands still"
        return Verdict("blocked_drain", "likely", why, (ping,))
    return None


def _alive(chart: Chart, end: float | None) -> Verdict | None:
    """OPEN, and nothing speaks against it."""
    good = chart.answered or chart.replied
    if chart.state in ("OPEN", "") and good and chart.ping is None and (chart.active is not None):
        silent = end - chart.active.t if end is not None and chart.active.t is not None else 0.0
        if chart.interval is None or silent <= 2 * chart.interval:
            return Verdict(
                "alive", "likely", f"{_answers(chart)}; OPEN at the end of the log", (chart.active,)
            )
    return None


def _unknown(chart: Chart, end: float | None) -> Verdict:
    where = {
        "OPEN": "OPEN when the log ends",
        "CLOSING": "CLOSING when the log ends",
        "CLOSED": "CLOSED",
    }.get(chart.state, "its beginning is missing")
    more = ", with a ping that is not answered yet" if chart.ping and chart.state == "OPEN" else ""
    return Verdict(
        "unknown",
        "possible",
        f"{where}{more}; the log does not say why",
        _facts(chart, chart.active, chart.last),
    )


RULES = (_never_open, _stuck, _keepalive, _codes, _lost, _blocked, _alive, _unknown)


# small things


def _notes(chart: Chart, end: float | None) -> list[str]:
    notes = []
    if chart.mixed:
        notes.append(
            "connections can't be told apart in this log: this is the story that fits its lines best"
        )
    interval = chart.interval
    if interval and len(chart.beats) >= 3 and max(chart.beats) > 1.5 * interval:
        notes.append(
            f"a keepalive ping was {max(chart.beats) - interval:.3g} s late: this end's event loop may have been blocked"
        )
    if "CLOSING" in chart.states and not chart.is_over:
        notes.append("still CLOSING in its last line")
    return notes


def _facts(chart: Chart, *wanted: str | Fact | None) -> tuple[Fact, ...]:
    facts = [chart.states.get(one) if isinstance(one, str) else one for one in wanted]
    return tuple(sorted({fact for fact in facts if fact}, key=lambda fact: fact.number))


def _answers(chart: Chart) -> str:
    return (
        f"{chart.answered} of its pings were answered"
        if chart.answered
        else "it answered the peer's pings"
    )


def _is_keepalive(close: Fact) -> bool:
    return close.code == 1011 and KEEPALIVE in close.reason


def _is_round(idle: float) -> bool:
    return any(abs(idle - one) <= max(0.5, 0.01 * one) for one in IDLES)


def _number(version: str) -> tuple[int, int] | None:
    parts = version.split(".")
    return (
        (int(parts[0]), int(parts[1]))
        if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit()
        else None
    )


def _quoted(reason: str) -> str:
    return f" ({reason})" if reason else ""
