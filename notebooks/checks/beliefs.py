"""Which sum of timers a number of seconds comes from: every wrong way to add them is a belief.

With the fruit fly (interval 4, timeout 3, close 2, cut at 9; noticed at 15, told at 17):

    9 at once · 12 cut + timeout, or only the ping · 13 cut + interval · 14 cut + timeout + close
    16 the worst case · 18 everything added
"""

from __future__ import annotations

from labkit import Experiment, predict

NEAR = 0.25  # s: as near as this, a number is taken for the belief's


def sums(experiment: Experiment, seconds: float) -> list[str]:
    """The beliefs that give this moment (s) for when the server notices its first cut."""
    server, cut, prediction = experiment.server, experiment.cuts[0].start, predict(experiment)
    timers = server.ping_interval, server.ping_timeout, server.close_timeout
    interval, timeout, close = map(_seconds, timers)
    noticed, told = map(_seconds, (prediction.noticed_at("server"), prediction.told_at("server")))
    ping = noticed - timeout
    grid = f"pings are sent at {_grid(interval, ping)}"
    moments = {
        "That is when the program is told. The server notices earlier, when it leaves OPEN.": told,
        "That is the cut itself. But nothing arrives at either end when a cable is cut,"
        " so there is nothing to notice yet.": cut,
        "It is cut + ping_timeout. But ping_timeout starts with a ping, not with the cut,"
        f" and {grid}.": cut + timeout,
        f"It is cut + ping_interval. But {grid}: the clock did not restart at the cut.": cut
        + interval,
        "It is the first ping after the cut. But by then the server has only asked."
        " It waits ping_timeout for the answer.": ping,
        "It is cut + ping_timeout + close_timeout. But the waiting starts with a ping, and"
        " close_timeout comes after noticing.": cut + timeout + close,
        "It is cut + ping_interval + ping_timeout. That is the worst case, a cut right after a"
        f" pong; here the next ping was only {ping - cut:g} s away.": cut + interval + timeout,
        "It is everything added. That is the worst case for being told, and noticing needs no"
        " close_timeout.": cut + interval + timeout + close,
    }
    return [text for text, moment in moments.items() if abs(moment - seconds) <= NEAR]


def _seconds(value: float | None) -> float:
    if value is None:
        raise ValueError("beliefs are about a cut that the server notices: expected its timers")
    return value


def _grid(interval: float, ping: float) -> str:
    times = [f"{count * interval:g}" for count in range(1, round(ping / interval) + 1)]
    return ", ".join(times if len(times) <= 4 else ["…", *times[-3:]])
