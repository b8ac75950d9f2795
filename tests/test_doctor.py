"""The doctor: what it reads, what it says, how sure it is; and that it is never sure and wrong."""

import gzip
import json
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from cases import FLY
from doctor_cases import CAUSES, FAMILIES, FORMATS, NAMED, TIMELESS, Said, aged, lone, matrix, of_crowd, render, saids, seeded, verdicts
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit import Cut, Experiment, Peer, StopReading, Trace, run
from labkit.__main__ import main
from labkit.doctor import diagnose, diagnose_files, text, to_json
from labkit.doctor.remedies import REMEDIES
from labkit.doctor.timestamps import TimestampReader
from labkit.doctor.verdict import CAUSES as ORDER

FLY_LOG = run(FLY, "virtual").log("server")


def only(rows):
    """The one case in a log."""
    (found,) = diagnose(rows).verdicts
    return found


# the proof


NEVER_SURE = {"idle_drop"}  # one drop after a round time may be chance: never more than possible


@pytest.mark.parametrize("cause", CAUSES)
def test_a_cause_is_found_and_never_mistaken_in_any_format_and_wording(cause):
    counts, wrong = matrix(2, [cause])
    total = 2 * len(FORMATS) * len(FAMILIES)
    found = {sure: counts[cause, cause, sure] for sure in ("certain", "likely", "possible")}
    assert wrong == [] and sum(counts.values()) == total
    assert sum(found.values()) >= 0.85 * total
    assert bool(found["possible"]) == (cause in NEVER_SURE)


@pytest.mark.parametrize("form", FORMATS)
def test_among_many_connections_no_certain_verdict_is_wrong(form):
    for seed in range(6):
        counts, wrong = of_crowd(seed, form)
        assert counts["certain wrong"] == 0, wrong
        if form in NAMED:
            assert not wrong


@pytest.mark.parametrize("cause", CAUSES)
def test_a_log_that_is_cut_at_either_end_makes_nobody_sure_of_what_is_wrong(cause):
    dice = random.Random(cause)
    for seed in range(4):
        rows = render(lone(cause, seed).said, "asctime")
        for _ in range(12):
            a, b = sorted(dice.sample(range(len(rows) + 1), 2))
            for one in verdicts(rows[a:b]):
                truths = {cause, *{"closing_gap": ["own_timeout"], "idle_drop": ["tcp_lost"]}.get(cause, [])}
                assert one.sure != "certain" or one.cause in truths, (one, rows[a:b][-3:])


def test_a_pong_that_waits_behind_messages_which_this_end_does_not_take_is_not_blamed_on_the_peer_alone():
    server = Peer(ping_interval=10, ping_timeout=5, close_timeout=2, max_queue=1)
    client = Peer(ping_interval=None, send_every=0.5, send_size=100)
    trace = run(Experiment(server=server, client=client, faults=[StopReading(12, end="server")], until=30), "virtual")
    answered = [frame for frame in trace.frames("client") if frame.opcode == "PONG"]
    seen = only(trace.log("server"))
    assert len(answered) == 2 and seen.cause == "own_timeout"  # the client did answer the ping of 20 s, which the log says had no pong
    assert "the pong waits unread" in REMEDIES[seen.cause].means and "recv()" in REMEDIES[seen.cause].do


# reading


STAMPS = [
    ("2026-11-23 07:58:26,123 DEBUG ", "2026-11-23 07:58:27,623 DEBUG ", 1.5),
    ("2026-11-23T07:58:26.123456Z ", "2026-11-23T09:58:27.123456+02:00 ", 1.0),
    ("2026/11/23 07:58:26 [debug] ", "2026/11/23 07:59:26 [debug] ", 60),
    ("Nov 23 07:58:26 host app[12]: ", "Nov  3 07:58:26 host app[12]: ", -20 * 86400),
    ("Dec 31 23:59:59 host ", "Jan  1 00:00:01 host ", 2),
    ("10.0.0.1 - - [23/Nov/2026:07:58:26 +0000] ", "10.0.0.1 - - [23/Nov/2026:07:58:29 +0000] ", 3),
    ("23:59:59.500 | DEBUG | ", "00:00:00.250 | DEBUG | ", 0.75),
    ("1795420706.25 ", "1795420706.75 ", 0.5),
    ("1795420706250 ", "1795420706750 ", 0.5),
    ("1795420706250000 ", "1795420706750000 ", 0.5),
    ("   12.000 ", "   15.000 ", 3),
    ("512 websockets.server DEBUG ", "1512 websockets.server DEBUG ", 1),
    ("2026-11-23 07:58:26,123 DEBUG ", "2026-11-23 07:58:26,923 DEBUG ", 0.8),
]


@pytest.mark.parametrize(("one", "two", "apart"), STAMPS, ids=[one.strip() for one, _, _ in STAMPS])
def test_a_time_is_read_in_all_the_usual_ways(one, two, apart):
    clock = TimestampReader()
    first, second = clock.read(one), clock.read(two)
    assert second - first == pytest.approx(apart, abs=1e-5)


@pytest.mark.parametrize("odd", ["", "no time", "99:99:99", "2026-13-45 07:58:26", "ab1795420706", "Foo 33 07:58:26", "1.2.3.4:80"])
def test_what_is_no_time_is_none(odd):
    assert TimestampReader().read(odd) is None or odd.startswith(("2026-13", "Foo"))  # their clock may be believed


@pytest.mark.parametrize("form", FORMATS)
def test_a_verdict_names_its_lines_in_the_log_that_was_given(form):
    rows = render(seeded("own_timeout", 0), form, random.Random(0))
    found = next(one for one in verdicts(rows))
    assert found.cause == "own_timeout"
    for fact in found.evidence:
        row = rows[fact.number - 1]
        if form == "json":
            assert fact.words.split(" [")[0] in json.loads(row)["message"]
        plain = row.encode().decode("unicode_escape")  # the journal and Docker escape; and a ping of a newline is written as \n
        assert fact.words[2:12] in row or fact.words[2:12] in plain


def test_other_programs_lines_alone_say_nothing_and_the_doctor_says_how_to_turn_debug_on():
    report = diagnose(["GET / 200", "> quoted mail", "x = 3", "the connection was closed"])
    assert report.verdicts == [] and "setLevel(logging.DEBUG)" in text(report)


def test_info_lines_alone_are_not_enough():
    found = only(["INFO:websockets.server:connection open", "INFO:websockets.server:connection closed"])
    assert found.cause == "unknown" and "INFO only" in found.why


def test_the_contents_of_messages_are_never_printed():
    rows = [
        "= connection is CONNECTING",
        "< GET /?token=SECRET HTTP/1.1",
        "< Cookie: SECRET",
        "= connection is OPEN",
        "> TEXT 'SECRET' [6 bytes]",
    ]
    rows += [
        "connection handler failed",
        "Traceback (most recent call last):",
        "ValueError: SECRET",
        "> CLOSE 1011 (internal error) [2 bytes]",
    ]
    report = diagnose([f"DEBUG:websockets.server:{row}" for row in rows])
    assert report.causes == {"handler_raised"} and "ValueError" in text(report)
    assert "SECRET" not in text(report) + to_json(report)


def test_a_message_that_looks_like_a_log_line_is_a_message():
    rows = [*FLY_LOG[:-7], "   13.000 > TEXT '= connection is CLOSED > CLOSE 1000 (OK) [2 bytes]' [9 bytes]", *FLY_LOG[-7:]]
    assert only(rows).cause == "own_timeout"


def test_a_handler_that_fails_because_the_connection_was_lost_is_not_the_cause():
    said = seeded("own_timeout", 1)
    after = [Said(said[-1].t, 1, "server", "ERROR", words) for words in ("connection handler failed", "Traceback (most recent call last):")]
    exc = "websockets.exceptions.ConnectionClosedError: sent 1011 (internal error) keepalive ping timeout; no close frame received"
    report = diagnose([*render([*said, *after], "asctime"), exc])
    assert report.causes == {"own_timeout"}


# exceptions alone

ALONE = [
    ("sent 1011 (internal error) keepalive ping timeout; no close frame received", "own_timeout"),
    ("sent 1011 (unexpected error) keepalive ping timeout; no close frame received", "own_timeout"),
    ("received 1011 (internal error) keepalive ping timeout; then sent 1011 (internal error) keepalive ping timeout", "peer_timeout"),
    ("received 1011 (internal error); then sent 1011 (internal error)", "peer_failed"),
    ("no close frame received or sent", "tcp_lost"),
    ("received 1001 (going away); then sent 1001 (going away)", "going_away"),
    ("sent 1009 (message too big); no close frame received", "refused_data"),
    ("received 1000 (OK); then sent 1000 (OK)", "goodbye"),
    ("sent 1011 (internal error); no close frame received", "handler_raised"),
]


@pytest.mark.parametrize(("words", "cause"), ALONE, ids=[words[:40] for words, _ in ALONE])
@pytest.mark.parametrize("frame", ["websockets.exceptions.ConnectionClosedError: {}", "07:58:26 ERROR app: {}", "lost it: {}"])
def test_an_exceptions_text_alone_is_read(words, cause, frame):
    assert only(["Traceback (most recent call last):", '  File "app.py", line 3, in main', frame.format(words)]).cause == cause


def test_timed_out_while_closing_is_no_cause():
    found = only(["TimeoutError: timed out while closing connection"])
    assert found.cause == "unknown" and "no cause" in found.why
    chain = [
        "TimeoutError: timed out while closing connection",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
    ]
    exc = "websockets.exceptions.ConnectionClosedError: sent 1011 (internal error) keepalive ping timeout; no close frame received"
    found = only([*chain, exc])
    assert found.cause == "own_timeout" and "line 1: 'timed out while closing connection' is no cause" in found.notes[0]


def test_1006_in_ones_own_words_is_not_enough():
    found = only(["07:58 client 7 gone, code 1006"])
    assert found.cause == "unknown" and "never sent" in found.why


# many connections


def storm(count, within):
    rows = []
    for number in range(count):
        rows += [f"{100 + within * number / count:.3f} conn={number} = connection is {state}" for state in ("CONNECTING", "OPEN")]
    return rows


def test_a_reconnect_storm_is_many_opens_within_a_second():
    lost = [f"{n}.5 conn=a{n} = connection is {state}" for n in range(40) for state in ("CONNECTING", "OPEN")]
    lost += [f"{90 + n / 100:.3f} conn=a{n} = connection is CLOSED" for n in range(40)]
    found = {one.cause: one for one in diagnose([*lost, *storm(40, 0.5)]).verdicts}
    assert "storm" in found and found["storm"].sure == "likely" and "40 connections" in found["storm"].why
    assert "storm" not in diagnose(storm(40, 60)).causes


def test_the_same_idle_time_at_different_moments_is_likely_an_idle_timeout():
    rows = []
    for conn in range(3):
        rows += [
            Said(s.t + 17 * conn, conn, s.end, s.level, s.line) for s in seeded("idle_drop", 3) if s.end == seeded("idle_drop", 3)[0].end
        ]
    report = diagnose(render(sorted(rows, key=lambda said: said.t), "json"))
    assert [(one.cause, one.sure) for one in report.verdicts] == [("idle_drop", "likely")] * 3
    assert report.counts == {("idle_drop", "likely"): 3}


def test_interleaved_connections_without_names_are_said_to_be_mixed():
    one, two = seeded("own_timeout", 0), seeded("own_timeout", 1)
    rows = render(sorted([*one, *(Said(s.t + 0.5, 2, s.end, s.level, s.line) for s in two)], key=lambda said: said.t), "docs")
    assert all("can't be told apart" in note for found in verdicts(rows) for note in found.notes[:1])


# versions

FAMILY = {"15+": "15.0 or later", "14": "14.x, or legacy from 14.0", "13": "13.1 or older", "12": "13.1 or older (legacy)"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_version_family_is_known_by_the_wording(family):
    said = FAMILIES[family]([one for one in seeded("own_timeout", 0) if "websockets/" not in one.line])
    assert verdicts(render(said, "asctime"))[0].family == FAMILY[family]


def test_a_version_in_the_handshake_beats_the_wording():
    assert verdicts(render(aged(seeded("own_timeout", 0), "14"), "asctime"))[0].family == "14.1"


# robustness


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_fuzzed_log_never_crashes_the_doctor(data):
    rows = render(seeded(data.draw(st.sampled_from(list(CAUSES))), 0), data.draw(st.sampled_from(list(FORMATS))))
    dice = random.Random(data.draw(st.integers(0, 10**6)))
    raw = bytearray("\n".join(dice.sample(rows, len(rows)) if dice.random() < 0.3 else rows).encode())
    for _ in range(dice.randint(1, 60)):
        spot = dice.randrange(len(raw))
        raw[spot : spot + dice.choice([0, 1, 1, 5])] = dice.randbytes(dice.choice([0, 1, 2, 9])) if dice.random() < 0.7 else b"\n"
    report = diagnose(raw.decode("utf-8", "replace").split("\n"))
    assert text(report) and json.loads(to_json(report))


@given(st.lists(st.text(), max_size=20))
def test_any_text_can_be_read(rows):
    assert text(diagnose(rows))


def test_memory_stays_flat_however_long_the_log_is():
    def endless(count):
        for number in range(count):
            for row in ("= connection is CONNECTING", "= connection is OPEN", "> PING 1 [1 byte]", "< CLOSE 1000 (OK) [2 bytes]"):
                yield f"{number}.5 id=x conn={number} {row}"
            yield f"{number}.6 id=x conn={number} = connection is CLOSED"

    peaks = []
    for count in (1000, 4000):
        tracemalloc.start()
        report = diagnose(endless(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.counts["goodbye", "certain"] == count and len(report.verdicts) == 200
    assert peaks[1] < 1.3 * peaks[0]


# from a terminal


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("\n".join(render(seeded("own_timeout", 0), "asctime")) + "\n")
    return path


def test_the_command_tells_cause_evidence_and_remedy(log, capsys):
    assert main(["doctor", str(log)]) == 0
    out = capsys.readouterr().out
    assert "sent 1011: this end's own keepalive gave up" in out and "certain" in out and "line " in out and "04_detection_law" in out


def test_the_command_speaks_json(log, capsys):
    assert main(["doctor", "--json", str(log)]) == 0
    (found,) = json.loads(capsys.readouterr().out)["verdicts"]
    assert found["cause"] == "own_timeout" and found["evidence"][0]["line"] > 0 and found["fix"]


def test_the_command_reads_standard_input_and_needs_neither_jupyter_nor_matplotlib(log):
    heavy = "{'matplotlib', 'IPython', 'pandas'}"
    code = f"import sys; from labkit.__main__ import main; main(['doctor']); print(*[m for m in sys.modules if m in {heavy}])"
    done = subprocess.run([sys.executable, "-c", code], input=log.read_text(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "own keepalive" in done.stdout and done.stdout.strip().endswith("ipynb")


def test_rotated_and_compressed_files_are_one_log(log, tmp_path, capsys):
    rows = log.read_text().splitlines(keepends=True)
    with gzip.open(tmp_path / "app.log.1.gz", "wt") as file:
        file.writelines(rows[:20])
    log.write_text("".join(rows[20:]))
    report = diagnose_files([str(tmp_path / "app.log.1.gz"), str(log)])
    assert [(one.cause, one.sure) for one in report.verdicts] == [("own_timeout", "certain")] and report.lines == len(rows)


def test_the_command_draws_the_timeline_of_the_log(log, tmp_path, capsys):
    assert main(["doctor", str(log), "--figure", str(tmp_path / "figure.svg")]) == 0
    assert "<svg" in (tmp_path / "figure.svg").read_text()


def test_the_recipe_can_be_printed(capsys):
    assert main(["doctor", "--recipe"]) == 0
    assert "cr_await" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_refused_in_a_sentence(capsys):
    assert main(["doctor", "no/such.log"]) == 2
    assert "no/such.log" in capsys.readouterr().err


# words


def test_every_cause_has_a_remedy_and_a_place_in_the_order():
    assert set(REMEDIES) == set(ORDER)


def test_a_healed_cut_on_the_client_is_the_peers_keepalive():
    found = only(run(FLY.but(faults=[Cut(9, heal=14)]), "virtual").log("client"))
    assert found.cause == "peer_timeout" and "nothing was read until then" in found.why


def test_without_times_nothing_is_said_about_seconds():
    found = verdicts(render(seeded("own_timeout", 0), TIMELESS))[0]
    assert found.opened is None and "after the ping" not in found.why


# logs that old versions really wrote

RECORDED = sorted((Path(__file__).parent.parent / "data" / "matrix").glob("*.jsonl"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
@pytest.mark.parametrize("end", ["server", "client"])
def test_what_old_versions_and_other_implementations_wrote_is_understood(path, end):
    """The truth is what the trace's other witnesses saw, and the version that ran."""
    trace = Trace.load(path)
    (one,) = diagnose(trace.log(end)).verdicts
    noticed, closed = trace.noticed_at(end), trace.closed_at(end)
    assert one.family == path.stem.split("-")[0]
    if noticed is None:
        assert one.cause in ("alive", "unknown", "blocked_drain")
    elif closed is not None and closed - noticed > 30:
        assert one.cause == "closing_gap"
    else:
        closes = [event.data for event in trace.select("sent", end) + trace.select("got", end) if event.data.get("opcode") == "CLOSE"]
        mine = [event for event in trace.select("timeout", end) if "keepalive" in event.data["line"]]
        assert one.cause == ("own_timeout" if mine else "peer_timeout" if closes else "tcp_lost")


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_format_does_not_change_what_old_versions_logs_say(path):
    trace = Trace.load(path)
    for end in ("server", "client"):
        said = saids(trace, end)
        causes = {form: tuple(one.cause for one in verdicts(render(said, form, random.Random(1)))) for form in FORMATS if form != TIMELESS}
        assert len(set(causes.values())) == 1, causes
        (timeless,) = verdicts(render(said, TIMELESS))
        assert timeless.cause in {causes["asctime"][0], "unknown"} or causes["asctime"] == ("closing_gap",)


def test_there_are_such_logs_of_five_versions_and_four_implementations():
    names = [path.stem.split("-")[:2] for path in RECORDED]
    assert len({version for version, _ in names}) >= 5 and len({kind for _, kind in names}) == 4
