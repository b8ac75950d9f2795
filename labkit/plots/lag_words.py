"""Loop lag in words: the finding, who was blamed, who did it, the alt text. Pure; draws nothing."""

from __future__ import annotations

from ..trace import OTHER
from .lag_blame import Blame, Block


def secs(value: float) -> str:
    """Seconds as a reader wants them: "11 s", "2.5 s", "4 ms"."""
    if 0 < value < 0.05:
        return f"{value * 1000:.0f} ms" if value >= 0.0005 else "no time"
    return f"{value:.0f} s" if abs(value - round(value)) < 0.05 else f"{value:.1f} s"


def at(value: float) -> str:
    """A moment, without "s"."""
    return f"{round(value, 2):g}"


def finding(blame: Blame) -> str:
    """The title, a sentence."""
    if blame.culprit is None:
        return _nobody(blame)
    (who, how), killer = blame.culprit, blame.killer
    if how == "cut":
        return f"The {killer} gave up at {at(blame.died)} s, and the wire was cut: no false alarm"
    own = who == killer
    why = {
        "blocked": "its own loop was blocked while the pong lay there"
        if own
        else f"the {who} was alive, only its loop was blocked",
        "unread": "its own program does not read, the pong waits in line"
        if own
        else f"the {who} was alive, but did not read",
        "slow": "the ping was on its way, behind a message"
        if blame.fatal and blame.fatal.came
        else "the ping was on its way",
    }[how]
    return f"The {killer} gave up at {at(blame.died)} s: {why}"


def _nobody(blame: Blame) -> str:
    longest = max(
        (ping.lasted(blame.trace.end) for ping in blame.pings if ping.read is not None), default=0.0
    )
    if blame.blocks:
        block = max(blame.blocks, key=lambda one: one.stop - one.start)
        blocked = f"the {block.end}'s loop was blocked for {secs(block.stop - block.start)}"
        return f"Nobody gave up: {blocked}, the longest answer took {secs(longest)}"
    return f"Nobody gave up: the longest answer took {secs(longest)}"


def blamed(blame: Blame) -> str:
    """What everybody reads in the logs."""
    if blame.killer is None:
        return "nobody"
    return f"the {OTHER[blame.killer]}: the {blame.killer} logs “sent 1011 keepalive ping timeout”, as if nobody were there"


def did_it(blame: Blame) -> str:
    """What was so."""
    if blame.culprit is None or blame.fatal is None:
        return "nobody"
    (who, how), ping = blame.culprit, blame.fatal
    own = who == blame.killer
    came = f"the pong came at {at(ping.back)} s" if own and ping.back is not None else ""
    if how == "blocked":
        block = blame.block_of(who)
        span = f", blocked {_span(block)}" if block else ""
        return f"the {who}{' itself' if own else ''}: its event loop{span}{'; ' * own}{came}"
    if how == "unread":
        return f"the {who}{' itself' if own else ''}: nobody calls recv(), so the library stopped reading{'; ' * own}{came}"
    if how == "cut":
        return "the wire: it was cut"
    return f"the wire: {blame.before(ping):,} bytes of messages went before the ping"


def _span(block: Block) -> str:
    """From when to when a loop was blocked."""
    return f"from {at(block.start)} {f'to {at(block.stop)} s' if block.over else 's on'}"


def alt_text(blame: Blame) -> str:
    """The whole figure in words."""
    parts = [f"Loop lag, pings and pongs. {finding(blame)}."]
    parts += [f"The {b.end}'s loop was blocked {_span(b)}." for b in blame.blocks[:5]]
    if ping := blame.fatal:
        parts.append(f"The last ping was sent at {at(ping.sent)} s")
        steps = (("came", ping.came), ("was heard", ping.heard), ("was answered", ping.answered))
        steps += (("its pong was back", ping.back), ("and was read", ping.read))  # type: ignore[assignment]
        parts[-1] += (
            "".join(f", {words} at {at(t)} s" if t is not None else "" for words, t in steps) + "."
        )
    timeouts = {
        end: blame.trace.experiment.peer(end).ping_timeout
        for end in {ping.sender for ping in blame.pings}
    }
    parts += [
        f"The {end}'s ping_timeout is {secs(limit)}."
        for end, limit in sorted(timeouts.items())
        if limit is not None
    ]
    return " ".join([*parts, f"Blamed: {blamed(blame)}.", f"Did it: {did_it(blame)}."])
