"""What happened to each end, and why, in sentences: read off a trace, never off parameters alone. It draws nothing and runs nothing.

    The server noticed at 100 s, 37 s after the cut: the ping that it sent at 80 s had no pong for 20 s (ping_timeout). Its program
    was told at 110 s. The client never noticed: it sends no pings, and nothing has reached it since the cut.

Who left OPEN when is a fact of the trace; the reason is looked for among what the witnesses saw at that moment.
"""

from __future__ import annotations

from ..values.faults import ENDS
from . import OTHER, Frame, Trace

REAL = 0.05  # s; what a real clock may be late


def why(trace: Trace) -> str:
    """The story of a trace in a few sentences, the end that left OPEN first told first."""
    if not trace.select("opened", "client"):
        return _never_open(trace)
    order = sorted(
        ENDS, key=lambda end: (_or_never(trace.noticed_at(end)), _was_told_by_the_other(trace, end))
    )
    if all(trace.noticed_at(end) is None for end in ENDS):
        return f"Nobody noticed anything by {seconds(trace, trace.end)}: {_why_nobody(trace)}."
    return " ".join(_end(trace, end) for end in order)


def seconds(trace: Trace, t: float) -> str:
    """A moment or a length of time as a sentence says it: exact in virtual time, to a twentieth on a real clock."""
    value = round(t, 3) if _is_virtual(trace) else round(t * 20) / 20
    return f"{value:g} s" if abs(value) < 1e5 else f"{value:,.0f} s"


def _never_open(trace: Trace) -> str:
    problem = next((one for one in trace.raised("client")), None)
    what = f"{problem.type}, {problem.text}" if problem else "the run ended before"
    return f"The client was never OPEN: {what}."


def _end(trace: Trace, end: str) -> str:
    """What one end noticed, why, and when its program was told."""
    noticed, told = trace.noticed_at(end), trace.told_at(end)
    if noticed is None:
        return f"The {end} never noticed: {_deaf(trace, end)}."
    verb, reason = _reason(trace, end, noticed)
    colon = f": {reason}" if reason else ""
    after = _after(trace, noticed) if verb == "noticed" else ""
    return f"The {end} {verb} at {seconds(trace, noticed)}{after}{colon}. {_told(trace, end, told)}"


def _was_told_by_the_other(trace: Trace, end: str) -> bool:
    noticed = trace.noticed_at(end)
    return noticed is not None and "CLOSE" in _reason(trace, end, noticed)[1]


def _after(trace: Trace, t: float) -> str:
    """ ", 37 s after the cut": of the last cut before; nothing if there was none."""
    cuts = [cut for cut in trace.experiment.cuts if cut.start < t]
    return f", {seconds(trace, t - cuts[-1].start)} after the cut" if cuts else ""


def _told(trace: Trace, end: str, told: float | None) -> str:
    if told is not None:
        return f"Its program was told at {seconds(trace, told)}."
    if trace.closed_at(end) is None:
        return f"It was still CLOSING at {seconds(trace, trace.end)}, and its program had not been told."
    return "Its program was told nothing: it was not waiting in any call that could raise."


def _reason(trace: Trace, end: str, t: float) -> tuple[str, str]:
    """How an end left OPEN, as a verb and the rest of a sentence."""
    near = [
        event for event in trace.events if event.where == end and abs(event.t - t) <= _slack(trace)
    ]
    if any(event.what == "timeout" and "pong" in event.data.get("line", "") for event in near):
        return "noticed", _no_pong(trace, end, t)
    if calls := [event for event in near if event.what == "closing"]:
        return f"said goodbye ({calls[0].data.get('code')})", ""
    if closes := [
        event for event in near if event.what == "got" and event.data.get("opcode") == "CLOSE"
    ]:
        return (
            "noticed",
            f"it got the {OTHER[end]}'s CLOSE ({closes[0].data.get('code') or 'without a code'})",
        )
    return "noticed", _lost(trace, end, t)


def _no_pong(trace: Trace, end: str, t: float) -> str:
    timeout = trace.experiment.peer(end).ping_timeout or 0.0
    ping = min(
        _pings(trace, end, t), key=lambda frame: abs(frame.sent_at + timeout - t), default=None
    )
    if ping is None:
        return "a ping had no pong in time"
    waited = f"had no pong for {seconds(trace, t - ping.sent_at)} (ping_timeout)"
    if trace.experiment.cuts or ping.arrived_at is None:
        return f"the ping that it sent at {seconds(trace, ping.sent_at)} {waited}"
    return f"the ping that it sent at {seconds(trace, ping.sent_at)} {waited}, though nobody had cut anything"


def _lost(trace: Trace, end: str, t: float) -> str:
    """Why a connection was gone without a goodbye: by the exception that tells it, and by the log.

    Before 17.4 an exception has no cause when the stream has ended; the log says "< EOF" in each.
    """
    cause = next(
        (one.cause or one.text for one in trace.raised(end) if one.t >= t - _slack(trace)), ""
    )
    if "Reset" in cause:
        return "its connection was reset (RST)"
    got = (event for event in trace.select("got", end) if event.t <= t + _slack(trace))
    if any(event.data.get("opcode") == "EOF" for event in got):
        return "its connection was hung up (FIN) without a CLOSE"
    return f"its connection was lost ({cause})" if cause else "its connection was lost"


def _deaf(trace: Trace, end: str) -> str:
    """Why an end that never left OPEN has not heard of it."""
    peer = trace.experiment.peer(end)
    if not peer.keepalive:
        asks = "it sends no pings"
    elif peer.ping_timeout is None:
        asks = "it pings, but waits for a pong for ever (ping_timeout is None)"
    else:
        asks = "it had no reason to doubt before the run ended"
    cut = next(
        (cut for cut in trace.experiment.cuts if cut.meets(f"to_{end}") and cut.holds(trace.end)),
        None,
    )
    return asks + (
        ", and nothing has reached it since the cut" if cut and not peer.keepalive else ""
    )


def _why_nobody(trace: Trace) -> str:
    """Why both ends are OPEN still."""
    late = [ping for end in ENDS for ping in _pings(trace, end, trace.end) if _waited(trace, ping)]
    if late and late[-1].arrived_at is not None:
        ping, pong = late[-1], _pong(trace, late[-1])
        home = f", and its pong was home at {seconds(trace, pong)}" if pong is not None else ""
        return f"the ping of {seconds(trace, ping.sent_at)} was stuck until {seconds(trace, ping.arrived_at or 0.0)}{home}, in time"
    keepers = [end for end in ENDS if trace.experiment.peer(end).keepalive]
    if not keepers:
        return "neither end sends pings, and silence alone says nothing"
    if all(trace.experiment.peer(end).ping_timeout is None for end in keepers):
        return (
            f"the {' and the '.join(keepers)} would wait for a pong for ever (ping_timeout is None)"
        )
    return (
        "every ping that was due had its pong"
        if not late
        else "the pings that are stuck have time left"
    )


def _pings(trace: Trace, end: str, until: float) -> list[Frame]:
    return [
        frame for frame in trace.frames(end) if frame.opcode == "PING" and frame.sent_at <= until
    ]


def _waited(trace: Trace, frame: Frame) -> bool:
    """Whether a frame met a cut on its way."""
    came = _or_never(frame.arrived_at)
    cuts = [
        cut
        for cut in trace.experiment.cuts
        if cut.meets(f"to_{frame.receiver}") and cut.start <= came
    ]
    return any(cut.heal is None or cut.heal > frame.sent_at + _slack(trace) for cut in cuts)


def _pong(trace: Trace, ping: Frame) -> float | None:
    """When the answer to a ping was home (s)."""
    pongs = (
        f
        for f in trace.frames(ping.receiver)
        if f.opcode == "PONG" and f.payload == ping.payload and f.arrived_at is not None
    )
    return next((frame.arrived_at for frame in pongs), None)


def _slack(trace: Trace) -> float:
    return 1e-6 if _is_virtual(trace) else REAL


def _is_virtual(trace: Trace) -> bool:
    return trace.header.get("clock", "virtual") == "virtual"


def _or_never(t: float | None) -> float:
    return float("inf") if t is None else t
