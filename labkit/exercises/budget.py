"""Notebook 04, exercise 2: three timers for a budget of 8 s, with the least traffic and no false alarm.

The learner's timers go through four experiments in virtual time: ten minutes on a healthy but slow wire, a goodbye on it, cuts at
many phases on a slow and on a fast wire, and the bytes of those ten minutes. What fails is told with the belief behind it.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from ..many.sweeps import observe, sweep
from ..plots import timeline
from ..running import run
from ..theory import predict
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import Cut, Goodbye

BUDGET = 8.0  # s from any cut until the application is told
LATENCY = 0.5  # s, one way: a round trip takes up to 1 s
ALLOWED = 200  # bytes a minute
MINUTES = 10
PHASES = 60
ROOM = 0.1  # s between a round trip and ping_timeout; with less, one lost packet or a busy moment is a false alarm
NAMES = ("ping_interval", "ping_timeout", "close_timeout")


def check_budget(
    ping_interval: Any = ..., ping_timeout: Any = ..., close_timeout: Any = ...
) -> Axes | None:
    """Exercise 2: run the learner's timers; says what each run showed, and gives the picture of the worst."""
    server = _peer(ping_interval, ping_timeout, close_timeout)
    if server is None:
        return None
    trace = endless(server) or false_alarm(server) or cold_goodbye(server) or too_late(server)
    if trace is None:
        trace, spent = worst_cut(server), traffic(server)
        if spent > ALLOWED:
            print(f"traffic        ✗ {spent:g} bytes a minute, more than {ALLOWED}")
            print(
                "not yet: 8 s are shared by three. ping_timeout need not fit ping_interval, it has to outlast the round trip, and so has"
            )
            print(
                "   close_timeout; whatever they take beyond that is safety, and is missing from ping_interval. Here it is too much."
            )
        else:
            print(f"traffic        ✓ {spent:g} bytes a minute")
            print(
                f"✓ {BUDGET:g} s are kept. Much less than 160 bytes is out of reach here: of 8 s, two round trips leave 6 for ping_interval"
            )
    return timeline(trace, predict(trace.experiment))


# the experiments: each prints what it showed, and gives the trace of what failed, or None


def endless(server: Peer) -> Trace | None:
    """A timer that is None: one cut, and nobody is ever told."""
    why = {
        "ping_interval": "Nothing is cheaper, no byte is sent. But who does not ask, never learns: turning pings off turns detection off",
        "ping_timeout": "The server asks, and waits for the answer until TCP gives up, some 16 minutes: a ping that nobody times is traffic without detection",
        "close_timeout": "The server notices, and waits for the other end until TCP gives up: its program is told after some 16 minutes",
    }
    for name, words in why.items():
        if getattr(server, name) is None:
            print(
                f"one cut        ✗ at 20 s, and two minutes later the program has not been told\nnot yet: {name}=None. {words}."
            )
            return run(Experiment(server=server, faults=[Cut(at=20)], until=140), "virtual")
    return None


def false_alarm(server: Peer) -> Trace | None:
    """A healthy wire whose round trip takes 1 s: is it left alone?"""
    trace = run(Experiment(server=server, latency=LATENCY, until=60.0 * MINUTES), "virtual")
    noticed = trace.noticed_at("server")
    if noticed is None:
        print(f"healthy wire   ✓ {MINUTES} minutes, and every pong in time{_close_call(server)}")
        return None
    print(f"healthy wire   ✗ killed at {noticed:g} s, though nobody cut it: a false alarm")
    tie = (
        ": exactly as long, and that is a tie, which only luck decides"
        if server.ping_timeout == 2 * LATENCY
        else ""
    )
    print(
        f"not yet: a pong takes up to {2 * LATENCY:g} s, and ping_timeout is {server.ping_timeout:g} s{tie}. It must be longer."
    )
    return trace


def _close_call(server: Peer) -> str:
    """What to think of a ping_timeout that is hardly longer than the slowest round trip."""
    spare = round((server.ping_timeout or 0.0) - 2 * LATENCY, 6)
    if spare >= ROOM:
        return ""
    return f", with {spare:g} s to spare: a real wire is not so punctual, and loses a packet now and then"


def cold_goodbye(server: Peer) -> Trace | None:
    """The server says goodbye on the slow wire: is its CLOSE answered before close_timeout is over?"""
    goodbye = Experiment(
        server=server, latency=LATENCY, faults=[Goodbye(at=10.2, end="server")], until=60
    )
    trace = run(goodbye, "virtual")
    if all(one.received == 1000 for one in trace.raised("server")):
        print("a goodbye      ✓ the client's CLOSE came back in time")
        return None
    print(
        f"a goodbye      ✗ the server said goodbye, waited {server.close_timeout:g} s, and gave up before the answer came"
    )
    print(
        f"not yet: close_timeout is not only for cuts. A goodbye is a question, too, and its answer takes up to {2 * LATENCY:g} s."
    )
    return trace


def too_late(server: Peer) -> Trace | None:
    """Cuts at every phase: is the application always told within the budget?"""
    seen = cuts(server)
    delays = list(seen["told"] - seen["cut.at"])
    verdict = "✗" if max(delays) > BUDGET else "✓"
    print(
        f"{f'{len(seen)} cuts':15}{verdict} told {min(delays):.1f} to {max(delays):.1f} s after the cut"
    )
    if max(delays) <= BUDGET:
        return None
    print(f"not yet: that is more than {BUDGET:g} s. {_why_late(server)}.")
    return worst_cut(server)


def _why_late(server: Peer) -> str:
    """The belief behind timers that are too slow."""
    interval, timeout, close = (float(getattr(server, name) or 0) for name in NAMES)
    if timeout + close > BUDGET:
        return f"ping_timeout and close_timeout alone are {timeout + close:g} s, and the wait for the ping comes before them"
    if interval + timeout <= BUDGET:
        return f"By {interval + timeout:g} s the server has noticed; its program is told close_timeout later"
    return (
        "ping_timeout is not the detection time: its clock starts with a ping, and after an unlucky cut "
        f"the next ping is almost {interval:g} s away"
    )


def cuts(server: Peer) -> Any:
    """Cuts at every phase of the pings, and the unluckiest, right after a pong; on a wire without latency, and on the slow one."""
    interval, way = float(server.ping_interval or 0), [0.0, LATENCY]
    start = 2 * interval + 2 * LATENCY  # after the opening handshake, whatever the interval
    moments = [start + interval * n / PHASES for n in range(PHASES)] + [
        3 * interval + 2 * latency for latency in way
    ]
    moments = [round(moment + 0.001, 6) for moment in moments]
    return sweep(
        Experiment(server=server, faults=[Cut(at=start)]),
        over={"latency": way, "cut.at": sorted(moments)},
    )


def worst_cut(server: Peer) -> Trace:
    """The run of a cut right after a pong, on a wire without latency: late enough for the figure to tell the two apart."""
    cut = round(2 * float(server.ping_interval or 0) + 0.05, 6)
    return run(Experiment(server=server, faults=[Cut(at=cut)]), "virtual")


def traffic(server: Peer) -> float:
    """Bytes of WebSocket a minute, pings and pongs, on a quiet connection."""
    trace = run(Experiment(server=server, latency=LATENCY, until=60.0 * MINUTES), "virtual")
    return float(observe(trace)["bytes"]) / MINUTES


def _peer(*given: Any) -> Peer | None:
    """The learner's timers; None (and a word) if there are none yet."""
    if any(value is ... for value in given):
        print("your turn – replace the three ... by numbers of seconds")
        return None
    for name, value in zip(NAMES, given):
        if isinstance(value, (int, float)) and value > 600:
            print(
                f"{name}: seen {value:g}; timers of websockets are in seconds, not in milliseconds"
            )
            return None
    try:
        server = Peer(**dict(zip(NAMES, given)))
    except (TypeError, ValueError) as problem:
        print(problem)
        return None
    if server.ping_interval is not None and server.ping_interval < 0.1:
        print(
            f"ping_interval: {server.ping_interval:g} s is a flood; the check takes 0.1 s and more"
        )
        return None
    return server
