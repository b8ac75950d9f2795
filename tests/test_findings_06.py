"""Findings of notebook 06 about websockets itself: when one has gone, a notebook has to be rewritten."""

import pytest
import websockets
from findings import SEEN_IN, last_seen

from labkit import Cut, Experiment, Goodbye, Peer, run


def flow(cut: float, every: float, *more) -> Experiment:
    """A server with keepalive that sends more than a cut can take."""
    server = Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=every, send_size=20_000, buffer=4096)
    return Experiment(server=server, client=Peer(buffer=4096), faults=[Cut(cut), *more], until=3600)


def test_a_ping_that_waits_in_drain_has_no_timer():
    trace = run(flow(9, 0.5), "virtual")
    last_seen(
        "drain() blocked before the next ping: OPEN for ever, keepalive never fires",
        trace.noticed_at("server") is None,
        "Update notebook 06, “A server that talks”",
    )


def test_keepalives_close_waits_in_drain():
    trace = run(flow(11.5, 1), "virtual")
    last_seen(
        "drain() blocked after the ping: CLOSING for ever",
        (trace.noticed_at("server"), trace.closed_at("server")) == (15, None),
        "Update notebook 06, “Two and a half seconds later”",
    )


def test_close_does_not_return():
    trace = run(flow(9, 0.5, Goodbye(20)), "virtual")
    last_seen(
        "drain() blocked: close() does not return within close_timeout",
        not trace.select("returned", "server") and trace.state_at("server", 3600) == "CLOSING",
        "Update notebook 06, “Does close() return?”, and exercise 3, where close() is the wrong answer",
    )


def test_a_second_close_frees_it_at_the_firsts_close_timeout():
    trace = run(flow(9, 0.5, Goodbye(20), Goodbye(21)), "virtual")
    last_seen(
        "a second close() frees a connection whose first one waits in drain()",
        trace.closed_at("server") == trace.told_at("server") == 22 and len(trace.select("returned", "server")) == 2,
        "Update notebook 06, “What frees it?”",
    )


def test_a_finding_that_is_gone_says_what_to_do_and_whose_change_it_was(monkeypatch):
    monkeypatch.setattr(websockets.version, "version", "99.0")
    with pytest.raises(pytest.fail.Exception, match="websockets 99.0 no longer does this: it hangs .* Update notebook 06"):
        last_seen("it hangs", False, "Update notebook 06")
    monkeypatch.setattr(websockets.version, "version", SEEN_IN)
    with pytest.raises(pytest.fail.Exception, match="The lab has changed"):
        last_seen("it hangs", False, "Update notebook 06")
