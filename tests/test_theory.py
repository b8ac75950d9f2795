"""Theory and fact: a prediction is made from parameters alone, and a thousand random runs agree with it."""

import errno
import math
import os

import pytest
from cases import DEFAULTS, FLY, frozen, goodbyes, impatient, overlapping, quiet, small, talk, unread
from websockets.version import version

from labkit import Cut, Experiment, Freeze, Goodbye, Peer, Send, StopReading, Throttle, compare, covers, predict, run
from labkit.theory import sends_into_a_cut

BATCH = 100
# until 17.4 a call that begins when the connection is lost already raises without a cause
CAUSELESS = tuple(map(int, version.split(".")[:2])) < (17, 4)
GIVEN_UP = f"TimeoutError: [Errno {errno.ETIMEDOUT}] {os.strerror(errno.ETIMEDOUT)}"


def frames(story):
    """Who sent what when, and when it arrived (µs)."""
    rows = [
        (f.sender, f.opcode, round(f.sent_at, 6), None if f.arrived_at is None else round(f.arrived_at, 6), f.code, f.size)
        for f in story.frames()
    ]
    return sorted(rows, key=str)


def raised(story):
    return sorted((r.end, r.awaiting, r.type, r.text, r.code, r.sent, r.received) for r in story.raised())


@pytest.mark.parametrize("start", range(0, 1000, BATCH))
def test_a_thousand_random_quiet_experiments_agree_with_theory_within_a_microsecond(start):
    for seed in range(start, start + BATCH):
        agrees(quiet(seed))


def test_cuts_that_overlap_are_one_silence_for_theory_too():
    for seed in range(200):
        experiment = overlapping(seed)
        prediction, trace = predict(experiment), run(experiment, "virtual")
        assert compare(trace, prediction).worst < 1e-6, (seed, experiment, compare(trace, prediction))
        assert frames(trace) == frames(prediction), (seed, experiment)


def test_the_random_experiments_hold_every_kind_of_story():
    """The generator is no good if it never produces what is to be tested."""
    stories = [(quiet(seed), predict(quiet(seed))) for seed in range(1000)]
    assert sum(bool(p.ties) for _, p in stories) > 100
    assert sum(p.noticed_at("server") is None for _, p in stories) > 100
    assert sum(p.noticed_at("server") is not None and p.noticed_at("client") is not None for _, p in stories) > 100
    assert sum(p.noticed_at("server") is not None and p.closed_at("server") is None for _, p in stories) > 20
    assert sum(any(frame.arrived_at is None for frame in p.frames()) for _, p in stories) > 300


def test_the_fruit_fly():
    prediction = predict(FLY)
    assert [prediction.noticed_at("server"), prediction.closed_at("server"), prediction.told_at("server")] == [15, 17, 17]
    assert [prediction.noticed_at("client"), prediction.closed_at("client"), prediction.told_at("client")] == [None] * 3
    assert [(f.opcode, f.sent_at, f.arrived_at) for f in prediction.frames("server")] == [
        ("PING", 4, 4),
        ("PING", 8, 8),
        ("PING", 12, None),
        ("CLOSE", 15, None),
    ]


def test_the_defaults_of_websockets():
    prediction = predict(DEFAULTS)
    assert [prediction.noticed_at("server"), prediction.told_at("server")] == [100, 110]


def test_a_tie_is_called_a_tie():
    tied = Experiment(server=Peer(ping_interval=4, ping_timeout=1, close_timeout=1), latency=0.5, until=20)
    prediction = predict(tied)
    assert prediction.ties and "ping_timeout" in prediction.ties[0] and "tie" in repr(prediction)
    assert compare(run(tied, "virtual"), prediction).worst == 0  # in virtual time the timer wins
    assert not predict(tied.but(latency=0.4999)).ties


@pytest.mark.parametrize("end", ["server", "client"])
@pytest.mark.parametrize("latency", [0, 0.25])
def test_goodbyes_are_predicted_too(end, latency):
    polite = FLY.but(faults=[Goodbye(5, end=end, code=1001, reason="lunch")], latency=latency)
    trace, prediction = run(polite, "virtual"), predict(polite)
    assert compare(trace, prediction).worst < 1e-6
    assert frames(trace) == frames(prediction)


def agrees(experiment, prediction=None):
    """Whether theory and a virtual run tell the same story: moments, frames, codes and exceptions."""
    prediction, trace = prediction or predict(experiment), run(experiment, "virtual")
    assert prediction.unknown is None, (experiment, prediction.unknown)
    assert compare(trace, prediction).worst < 1e-6, (experiment, compare(trace, prediction))
    assert frames(trace) == frames(prediction), experiment
    assert [row[:3] + row[4:] for row in raised(trace)] == [row[:3] + row[4:] for row in raised(prediction)], experiment
    return prediction


@pytest.mark.parametrize("seed", range(0, 200, 50))
def test_two_hundred_random_goodbyes_agree_with_theory_too(seed):
    for one in range(seed, seed + 50):
        agrees(goodbyes(one))


def test_the_random_goodbyes_hold_every_kind_of_story():
    stories = [predict(goodbyes(seed)) for seed in range(400)]
    closes = [[f for f in story.frames() if f.opcode == "CLOSE"] for story in stories]
    assert sum(len(row) == 2 and row[0].sent_at == row[1].sent_at and row[0].code != row[1].code for row in closes) > 15  # crossing
    assert sum(any(f.arrived_at is None for f in row) for row in closes) > 20
    assert sum(any("calls close() as" in tie for tie in story.ties) for story in stories) > 5
    assert sum(story.noticed_at("server") is not None and story.closed_at("server") is None for story in stories) >= 5


@pytest.mark.parametrize("close_timeout", [10, 0, None])
@pytest.mark.parametrize("latency", [0, 0.25])
def test_goodbyes_from_both_ends_at_one_instant_cross_and_each_answers_the_other(latency, close_timeout):
    peer = Peer(ping_interval=None, close_timeout=close_timeout)
    acts = [Goodbye(5, end="server", code=1001), Goodbye(5, end="client", code=4000)]
    prediction = agrees(Experiment(server=peer, client=peer, faults=acts, latency=latency))
    assert [(f.sender, f.code) for f in prediction.frames()] == [("server", 1001), ("client", 4000)]  # two, not four
    if close_timeout != 0 or latency == 0:  # otherwise neither waits for the other's CLOSE
        assert {r.end: (r.code, r.sent) for r in prediction.raised()} == {"server": (4000, 1001), "client": (1001, 4000)}


@pytest.mark.parametrize("close_timeout", [2, 0, None])
@pytest.mark.parametrize("end", ["server", "client"])
@pytest.mark.parametrize("heal", [None, 20])
def test_a_goodbye_during_a_cut_ends_with_close_timeout_and_without_it_when_the_cut_is_healed(heal, end, close_timeout):
    # 5: cut; 6: goodbye, stuck; 6 + close_timeout: dropped; 32.88: the next try after a heal at 20
    peer = Peer(ping_interval=None, close_timeout=close_timeout)
    prediction = agrees(Experiment(server=peer, client=peer, faults=[Cut(5, heal=heal), Goodbye(6, end=end)], until=40))
    assert prediction.noticed_at(end) == 6
    assert prediction.closed_at(end) == (heal and 32.88 if close_timeout is None else 6 + close_timeout)


@pytest.mark.parametrize(("first", "second"), [("server", "client"), ("client", "server")])
def test_a_goodbye_as_the_others_arrives_is_a_tie_and_in_virtual_time_too_late(first, second):
    crossing = FLY.but(faults=[Goodbye(5, end=first, code=1001), Goodbye(5.5, end=second, code=4000)], latency=0.5)
    prediction = agrees(crossing)
    assert "calls close() as" in prediction.ties[0] and [f.code for f in prediction.frames() if f.opcode == "CLOSE"] == [1001, 1001]
    assert not predict(crossing.but(latency=0.6)).ties


def test_a_peer_that_closes_by_itself_is_predicted_and_not_within_the_opening_handshake():
    agrees(FLY.but(client=Peer(close_at=3, close_code=3001), server=Peer(reads=False), faults=[], latency=0.25))
    assert "opening handshake" in predict(FLY.but(client=Peer(close_at=0.5), faults=[], latency=0.25)).unknown


@pytest.mark.parametrize(
    ("experiment", "word"),
    [
        (FLY.but(server=Peer(send_every=1), compression=True), "compression"),
        (FLY.but(faults=[Throttle(1)]), "Throttle"),
        (FLY.but(faults=[Send(1)], tls=True), "TLS"),
        (FLY.but(faults=[Freeze(1)], tls=True), "TLS"),
        (FLY.but(faults=[Freeze(1), Send(1)]), "not both"),
        (FLY.but(server=Peer(send_every=1, buffer=4096), faults=[Cut(5)]), "stuck"),
        (Experiment(server=Peer(send_every=0.1), client=Peer(reads=False, buffer=4096), until=60), "unread"),
        (FLY.but(faults=[StopReading(1)]), "StopReading"),
        (FLY.but(latency=1, faults=[Cut(1.5)]), "handshake"),
        (Experiment(server=Peer(ping_interval=0.01, ping_timeout=None, buffer=1024), faults=[Cut(1)], until=30), "stuck"),
    ],
)
def test_theory_says_where_it_does_not_know(experiment, word):
    prediction = predict(experiment)
    assert word in prediction.unknown and word in repr(prediction)
    assert math.isnan(prediction.noticed_at("server"))
    assert covers(experiment) is None or word in covers(experiment)
    assert "does not know" in str(compare(run(small(), "virtual"), prediction))


def test_a_comparison_knows_never_from_late():
    never = predict(FLY.but(faults=[], until=30))
    assert math.isinf(compare(run(FLY, "virtual"), never).worst)
    assert "not the same" in str(compare(run(FLY, "virtual"), never))
    assert str(compare(run(FLY, "virtual"))).count("never") == 6


def test_theory_takes_an_experiment_and_never_a_run():
    with pytest.raises(TypeError, match="never sees a run"):
        predict(run(FLY, "virtual"))


@pytest.mark.parametrize("block", range(4))
def test_theory_counts_the_sends_into_a_cut_in_200_random_talks(block):
    for seed in range(block * 50, block * 50 + 50):
        end, experiment = talk(seed)
        trace = run(experiment, "virtual")
        sent = [e.t for e in trace.select("message", end) if e.data["step"] == "sent"]
        assert len([t for t in sent if t >= experiment.cuts[0].start]) == sends_into_a_cut(experiment, end), (seed, end, experiment)
        lost, errors = trace.closed_at(end), trace.raised()
        assert [error.end for error in errors] == [end, end], "recv() and send()"
        late = [error.awaiting == "send" and error.t > lost for error in errors]
        assert [error.cause for error in errors] == [None if CAUSELESS and one else GIVEN_UP for one in late]


@pytest.mark.parametrize("more", [dict(server=Peer()), dict(compression=True), dict(latency=0.1)])
def test_theory_does_not_count_where_more_than_messages_waits(more):
    with pytest.raises(ValueError, match="only without keepalive, compression and latency"):
        sends_into_a_cut(Experiment(server=Peer(ping_interval=None)).but(**more))


# an end that is alive and does not answer


@pytest.mark.parametrize("start", range(0, 500, BATCH))
def test_five_hundred_random_frozen_ends_agree_with_theory_within_a_microsecond(start):
    for seed in range(start, start + BATCH):
        agrees(frozen(seed))


def test_the_random_frozen_ends_hold_every_kind_of_story():
    stories = [(frozen(seed), predict(frozen(seed))) for seed in range(500)]
    freezes = [[act for act in e.faults if isinstance(act, Freeze)] for e, _ in stories]
    alone = [len(row) == len(e.faults) for row, (e, _) in zip(freezes, stories)]
    blamed = [{r.end for r in p.raised() if r.sent == 1011 and r.received is None} for _, p in stories]
    assert sum(bool(who) and only for who, only in zip(blamed, alone)) > 50  # a false alarm: nobody cut anything
    assert sum(not any(p.noticed_at(end) for end in ("server", "client")) for _, p in stories) > 50  # and a freeze that did no harm
    assert sum(any(who == {act.end} for act in row) and only for who, row, only in zip(blamed, freezes, alone)) > 10  # one's own fault
    assert sum(any(act.thaw is None for act in row) for row in freezes) > 50
    assert sum(len({act.end for act in row}) == 2 for row in freezes) > 50
    assert sum(any("freezes" in tie for tie in p.ties) for _, p in stories) > 3


@pytest.mark.parametrize("start", range(0, 500, BATCH))
def test_five_hundred_random_talks_to_an_end_that_may_not_read_agree_with_theory(start):
    for seed in range(start, start + BATCH):
        if (prediction := predict(unread(seed))).unknown is None:
            agrees(prediction.experiment, prediction)


def test_the_random_unread_queues_hold_every_kind_of_story():
    stories = [(unread(seed), predict(unread(seed))) for seed in range(500)]
    assert sum(p.unknown is not None for _, p in stories) < 10
    own = [e for e, p in stories if any(r.sent == 1011 and not e.peer(r.end).send_every for r in p.raised() if not p.unknown)]
    silent = {end: [e for e, _ in stories if not e.peer(end).reads] for end in ("server", "client")}
    assert len(silent["server"]) > 100 and len(silent["client"]) > 100 and own
    killed = [e for e, p in stories if any(p.noticed_at(end) and not e.peer(end).reads and e.peer(end).keepalive for end in silent)]
    assert len(killed) > 100
    assert sum(all(p.noticed_at(end) is None for end in silent) for _, p in stories) > 50


@pytest.mark.parametrize("start", range(0, 400, BATCH))
def test_four_hundred_random_cuts_over_a_tcp_that_gives_up_agree_with_theory(start):
    for seed in range(start, start + BATCH):
        if (prediction := predict(impatient(seed))).unknown is None:
            agrees(prediction.experiment, prediction)


def test_the_random_cuts_over_a_tcp_that_gives_up_hold_every_kind_of_story():
    traces = [run(impatient(seed), "virtual") for seed in range(150)]
    assert sum(predict(trace.experiment).unknown is None for trace in traces) > 140
    told = [[str(error.cause) for error in trace.raised()] for trace in traces]
    assert sum(any(GIVEN_UP in cause for cause in causes) for causes in told) > 30
    assert sum(any("ConnectionReset" in cause for cause in causes) for causes in told) > 10
    seen = [
        {(event.what, event.data.get("through", event.data.get("orphan"))) for event in trace.events if event.witness == "tcp"}
        for trace in traces
    ]
    for kind in [("retransmission", True), ("retransmission", False), ("gave_up", True), ("gave_up", False), ("probe", None)]:
        assert sum(kind in kinds for kinds in seen) > 10, kind


def test_a_pong_that_lay_unread_while_the_loop_was_blocked_comes_too_late():
    # 12: ping; 12.2: the server blocks; 13: the pong is there; 15: its time runs out; 20: the server reads it, and the timer fires
    blocked = FLY.but(latency=0.5, faults=[Freeze(12.2, end="server", thaw=20)])
    prediction = agrees(blocked)
    assert prediction.noticed_at("server") == 20 and not prediction.ties
    assert [f.arrived_at for f in prediction.frames("client") if f.opcode == "PONG"][-1] == 13
    assert agrees(blocked.but(faults=[Freeze(12.2, end="server", thaw=14.9)], until=30)).noticed_at("server") is None
    assert "ping_timeout" in agrees(blocked.but(faults=[Freeze(12.2, end="server", thaw=15)])).ties[0]


def test_an_unread_queue_kills_the_reader_that_is_none_by_its_own_keepalive():
    # 0, 0.45 …: messages; the 17th, at 7.2 s, is one too many; 8: a ping, whose pong stays behind it; 11: its time runs out
    reader = Peer(ping_interval=4, ping_timeout=3, close_timeout=2, reads=False)
    lazy = Experiment(server=Peer(ping_interval=None, send_every=0.45, send_size=100), client=reader, until=40)
    prediction = agrees(lazy)
    assert prediction.noticed_at("client") == 11 and prediction.raised("server")[0].received == 1011
    assert agrees(lazy.but(client=Peer(ping_interval=4, ping_timeout=3, close_timeout=2))).noticed_at("client") is None


def test_theory_does_not_tell_two_equal_sends_apart():
    assert "two equal acts send" in covers(Experiment(faults=[Send(2), Send(2)]))
    assert covers(Experiment(faults=[Send(2), Send(2, size=7)])) is None
