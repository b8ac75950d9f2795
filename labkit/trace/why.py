"""What happened to each end, and why, in sentences that are read off a trace.

    The server noticed at 100 s, 37 s after the cut: the ping that it sent at 80 s had no pong for
    20 s (ping_timeout). Its program was told at 110 s. The client never noticed: it sends no pings,
    and nothing has reached it since the cut.

Who left OPEN when is a fact of the trace; the reason is looked for among what the witnesses saw at
that moment.
"""

from __future__ import annotations

import math

from ..values.faults import ENDS, OTHER
from . import Trace
from .story import Frame

MANY = 9  # tries: more than that are counted, not listed


def why(trace: Trace) -> str:
    """The story of a trace in a few sentences, the end that left OPEN first told first."""
    if not trace.select("opened", "client"):
        return _never_open(trace)
    if all(trace.noticed_at(end) is None for end in ENDS):
        by = f" by {seconds(trace, trace.end)}"
        until = ", and nothing more can happen" if trace.over == "stuck" else by
        return f"Nobody noticed anything{until}: {_why_nobody(trace)}."
    order = sorted(ENDS, key=lambda end: (_or_never(trace.noticed_at(end)), _got_close(trace, end)))
    return " ".join(_end(trace, end) for end in order)


def seconds(trace: Trace, t: float) -> str:
    """A time as a sentence says it: exact in virtual time, to a twentieth on a real clock."""
    value = round(t, 3) if trace.is_virtual else round(t * 20) / 20
    return f"{value:g} s" if abs(value) < 1e5 else f"{value:,.0f} s"


def _never_open(trace: Trace) -> str:
    problems = trace.raised("client")
    what = f"{problems[0].type}, {problems[0].text}" if problems else "the run ended before"
    return f"The client was never OPEN: {what}."


def _end(trace: Trace, end: str) -> str:
    """What one end noticed, why, and when its program was told."""
    noticed = trace.noticed_at(end)
    if noticed is None:
        return f"The {end} never noticed: {_unaware(trace, end)}."
    verb, reason = _reason(trace, end, noticed)
    after = _after(trace, noticed) if verb == "noticed" else ""
    because = f": {reason}" if reason else ""
    tried = tries(trace, end, noticed)
    what = f"The {end} {verb} at {seconds(trace, noticed)}{after}{because}."
    sentences = what, f"{tried}." if tried else "", _told(trace, end)
    return " ".join(filter(None, sentences))


def tries(trace: Trace, end: str, t: float) -> str:
    """When the TCP of ``end`` tried again what was stuck at ``t`` (s), until it got through."""
    found: list[float] = []
    is_through = True
    for event in trace.select("retransmission", end, "tcp"):
        if event.data["number"] == 1 and event.t <= t:
            found, is_through = [], False
        if not is_through:
            found.append(event.t)
            is_through = event.data["through"]
    if not found:
        return ""
    if len(found) > MANY:
        return f"TCP tried again {len(found)} times, the last time at {found[-1]:.1f} s"
    *first, last = [f"{t:.1f}" for t in found]
    times = f"{', '.join(first)} and {last}" if first else last
    return f"TCP tried again at {times} s{_healed(trace, found)}"


def _healed(trace: Trace, found: list[float]) -> str:
    """Between which tries the last cut was healed, if it was."""
    heals = [cut.heal for cut in trace.experiment.cuts if cut.heal is not None]
    if len(found) < 2 or not heals or not found[-2] < heals[-1] <= found[-1]:
        return ""
    return "; the wire was healed between the last two"


def _got_close(trace: Trace, end: str) -> bool:
    noticed = trace.noticed_at(end)
    return noticed is not None and "CLOSE" in _reason(trace, end, noticed)[1]


def _after(trace: Trace, t: float) -> str:
    """The rest ", 37 s after the cut", of the last cut before; nothing if there was none."""
    cuts = [cut for cut in trace.experiment.cuts if cut.start < t]
    return f", {seconds(trace, t - cuts[-1].start)} after the cut" if cuts else ""


def _told(trace: Trace, end: str) -> str:
    told = trace.told_at(end)
    if told is not None:
        return f"Its program was told at {seconds(trace, told)}."
    is_unseen = trace.header.get("programs") == "unseen"  # somebody else's, see yours/
    if trace.closed_at(end) is None:
        still = f"It was still CLOSING at {seconds(trace, trace.end)}"
        return f"{still}." if is_unseen else f"{still}, and its program had not been told."
    if is_unseen:
        return ""
    return "Its program was told nothing: it was not waiting in any call that could raise."


def _reason(trace: Trace, end: str, t: float) -> tuple[str, str]:
    """How an end left OPEN, as a verb and the rest of a sentence."""
    near = [
        event for event in trace.events if event.where == end and abs(event.t - t) <= trace.slack
    ]
    if any(event.what == "timeout" and "pong" in event.data.get("line", "") for event in near):
        return "noticed", _no_pong(trace, end, t)
    for event in near:
        if event.what == "closing":
            return f"said goodbye ({event.data.get('code')})", ""
    for event in near:
        if event.what == "got" and event.data.get("opcode") == "CLOSE":
            code = event.data.get("code") or "without a code"
            return "noticed", f"it got the {OTHER[end]}'s CLOSE ({code})"
    return "noticed", _lost(trace, end, t)


def _no_pong(trace: Trace, end: str, t: float) -> str:
    timeout = trace.experiment.peer(end).ping_timeout or 0.0
    pings = _pings(trace, end, t)
    ping = min(pings, key=lambda frame: abs(frame.sent_at + timeout - t), default=None)
    if ping is None:
        return "a ping had no pong in time"
    waited = f"had no pong for {seconds(trace, t - ping.sent_at)} (ping_timeout)"
    sent = f"the ping that it sent at {seconds(trace, ping.sent_at)} {waited}"
    is_stuck = ping.arrived_at is None
    return sent if trace.experiment.cuts or is_stuck else f"{sent}, though nobody had cut anything"


def _lost(trace: Trace, end: str, t: float) -> str:
    """Why a connection was gone without a goodbye: by the exception that tells it, and by the log.

    Before 17.4 an exception has no cause when the stream has ended; the log says "< EOF" in each.
    """
    near = [event for event in trace.select("gave_up", end) if abs(event.t - t) <= trace.slack]
    if near and trace.select("probe", end):
        return "TCP asked whether anybody is there, and gave up without an answer (SO_KEEPALIVE)"
    if near:
        return "TCP gave up, since nobody acknowledged what it sent (ETIMEDOUT)"
    told = (one.cause or one.text for one in trace.raised(end) if one.t >= t - trace.slack)
    cause = next(told, "")
    resets = (event for event in trace.select("reset") if abs(event.t - t) <= trace.slack)
    if "Reset" in cause or not cause and next(resets, None):
        return "its connection was reset (RST)"
    got = (event for event in trace.select("got", end) if event.t <= t + trace.slack)
    if any(event.data.get("opcode") == "EOF" for event in got):
        return "its connection was hung up (FIN) without a CLOSE"
    return f"its connection was lost ({cause})" if cause else "its connection was lost"


def _unaware(trace: Trace, end: str) -> str:
    """Why an end that never left OPEN has not heard of it."""
    peer = trace.experiment.peer(end)
    if not _keeps_alive(trace, end):
        cuts = [cut for cut in trace.experiment.cuts if cut.meets(f"to_{end}")]
        is_cut = any(cut.holds(trace.end) for cut in cuts)
        silence = ", and nothing has reached it since the cut" if is_cut else ""
        return f"it sends no pings{silence}"
    if peer.ping_timeout is None:
        return "it pings, but waits for a pong until TCP gives up (ping_timeout is None)"
    return "nothing was missing at this end before the run ended"


def _why_nobody(trace: Trace) -> str:
    """Why both ends are OPEN still."""
    pings = [ping for end in ENDS for ping in _pings(trace, end, trace.end)]
    late = [ping for ping in pings if _met_a_cut(trace, ping)]
    if late and late[-1].arrived_at is not None:
        ping, pong = late[-1], _pong(trace, late[-1])
        home = "" if pong is None else f", and its pong was back at {seconds(trace, pong)}"
        until = seconds(trace, late[-1].arrived_at)
        stuck = f"the ping of {seconds(trace, ping.sent_at)} was stuck until {until}{home}, in time"
        tried = tries(trace, OTHER[ping.receiver], trace.end)
        return f"{stuck}. {tried}" if tried else stuck
    keepers = [end for end in ENDS if _keeps_alive(trace, end)]
    if not keepers:
        return "neither end sends pings, and silence alone says nothing"
    if all(trace.experiment.peer(end).ping_timeout is None for end in keepers):
        who = " and the ".join(keepers)
        return f"the {who} would wait for a pong until TCP gives up (ping_timeout is None)"
    for end in keepers:
        _, held = (trace.waiting(end) or [(0.0, 0)])[-1]
        if held:
            return f"the {end}'s pings wait in its own write buffer, which holds {held:,} bytes"
    if late:
        return "the pings that are stuck have time left"
    return "every ping that was due had its pong"


def _keeps_alive(trace: Trace, end: str) -> bool:
    """Whether an end was to send pings, or has sent one."""
    return trace.experiment.peer(end).keepalive or bool(_pings(trace, end, trace.end))


def _pings(trace: Trace, end: str, until: float) -> list[Frame]:
    return [one for one in trace.frames(end, "PING") if one.sent_at <= until]


def _met_a_cut(trace: Trace, frame: Frame) -> bool:
    """Whether a frame met a cut on its way."""
    came, sent = _or_never(frame.arrived_at), frame.sent_at + trace.slack
    cuts = [cut for cut in trace.experiment.cuts if cut.meets(f"to_{frame.receiver}")]
    return any(cut.start <= came and _or_never(cut.heal) > sent for cut in cuts)


def _pong(trace: Trace, ping: Frame) -> float | None:
    """When the answer to a ping was home (s)."""
    for frame in trace.frames(ping.receiver, "PONG"):
        if frame.payload == ping.payload and frame.arrived_at is not None:
            return frame.arrived_at
    return None


def _or_never(t: float | None) -> float:
    return math.inf if t is None else t
