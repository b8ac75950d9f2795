"""TLS: the same story through records, read with the logged keys; who ends TLS and how; a certificate that is verified.

On the loopback wire only order is asserted; in virtual time the times are exact.
"""

import dataclasses
import gc
import os
import ssl
import tempfile
import warnings
from pathlib import Path

import pytest
import trustme
from cases import FLY, quiet, small
from machine import both_wires
from test_theory import frames, raised

from labkit import Cut, Experiment, Goodbye, Peer, Send, Trace, compare, open_run, predict, run
from labkit.engine import tls as tls_room
from labkit.engine.tap import Stream
from labkit.engine.tls_records import Key, Unreadable, opened, unwrap
from labkit.versions import Vintage
from labkit.versions.worker import Worker

SECRET = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")  # RFC 8448 §3, the server's, handshake


def sealed(**changes) -> Experiment:
    """The small fruit fly, under TLS."""
    return small(tls=True, **changes)


def alerts(trace):
    """Who ended TLS, and whether the other end heard of it, in order."""
    return [(event.data["sender"], event.data["step"]) for event in trace.select("close_notify", "wire", "tap")]


@pytest.fixture(autouse=True)
def folder_of_keys(tmp_path, monkeypatch):
    """Temporary files of this test, and of no other that runs beside it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def key_files():
    return list(Path(tempfile.gettempdir()).glob("labkit-keys-*"))


# the story is the same


@both_wires
def test_a_cut_that_is_never_healed(wire):
    trace = run(sealed(), wire)
    # 0.2, 0.4: pings come home; 0.45: cut; 0.6: the ping is stuck; 0.75: noticed; 0.85: closed and told
    *home, stuck, close = [(frame.opcode, frame.arrived_at is not None) for frame in trace.frames("server")]
    assert home and set(home) == {("PING", True)} and [stuck, close] == [("PING", False), ("CLOSE", False)]
    assert trace.frames("server")[-2].sent_at < trace.noticed_at("server") < trace.closed_at("server") <= trace.told_at("server")
    assert [trace.noticed_at("client"), trace.closed_at("client"), trace.told_at("client")] == [None] * 3
    assert trace.raised("server")[0].text == "sent 1011 (internal error) keepalive ping timeout; no close frame received"
    assert alerts(trace) == [("server", "sent")]  # and it is stuck
    assert "witnesses" not in trace.header


def test_the_fruit_fly_is_exact_under_tls_too():
    trace = run(FLY.but(tls=True), "virtual")
    assert [trace.noticed_at("server"), trace.closed_at("server"), trace.told_at("server")] == [15, 17, 17]
    assert [(f.opcode, f.sent_at, f.arrived_at) for f in trace.frames("server")] == [
        ("PING", 4, 4),
        ("PING", 8, 8),
        ("PING", 12, None),
        ("CLOSE", 15, None),
    ]
    assert [e.t for e in trace.select("close_notify")] == [15] and [e.t for e in trace.select("fin")] == [17]


@both_wires
@pytest.mark.parametrize(
    ("fault", "until"),
    [(Cut(0.45), None), (Cut(0.45, heal=0.68), 0.9), (Cut(0.45, heal=1.2), None), (Goodbye(0.3), None), (Send(0.1, size=70_000), 0.3)],
    ids=repr,
)
def test_the_frames_that_are_observed_are_those_of_the_log(wire, fault, until):
    trace = run(sealed(faults=[fault], until=until), wire)
    for end, other in (("server", "client"), ("client", "server")):
        sent = [(e.data["opcode"], e.data["size"]) for e in trace.select("sent", end, "log") if e.data["opcode"] != "EOF"]
        seen = trace.frames(end)
        assert sent[: len(seen)] == [(f.opcode, f.size) for f in seen] and len(sent) - len(seen) <= bool(trace.select("reset"))
        got = [e.data["opcode"] for e in trace.select("got", other, "log") if e.data["opcode"] != "EOF"]
        assert got == [f.opcode for f in seen if f.arrived_at is not None][: len(got)] and seen


@both_wires
@pytest.mark.parametrize("end", ["server", "client"])
def test_a_clean_goodbye_ends_tls_before_tcp(wire, end):
    trace = run(sealed(faults=[Goodbye(0.3, end=end)]), wire)
    assert {error.type for error in trace.raised()} == {"ConnectionClosedOK"}
    assert sorted(alerts(trace)) == [("client", "arrived"), ("client", "sent"), ("server", "arrived"), ("server", "sent")]
    assert alerts(trace)[0] == ("server", "sent")  # the server ends first, as it would hang up first
    whole = str(trace)
    assert "the server ends TLS (close_notify)" in whole and "close_notify of the client arrives" in whole and "hangs up (FIN)" in whole
    assert whole.index("CLOSE 1000") < whole.index("close_notify") < whole.index("FIN")


def test_a_frame_arrives_when_the_last_byte_of_its_record_does():
    trace = run(FLY.but(tls=True, latency=0.25, faults=[Cut(9.1, heal=14)]), "virtual")
    late = [(f.sent_at, f.arrived_at) for f in trace.frames("server") if f.arrived_at - f.sent_at > 0.25]
    assert late == [(12, 14.716)] and {round(f.arrived_at - f.sent_at, 9) for f in trace.frames("client")} == {0.25}
    assert trace.states("server")[1] == (0.0, "OPEN") and trace.states("client")[1] == (0.25, "OPEN")


def test_two_virtual_runs_are_the_same():
    def story(trace):
        return [
            (e.t, e.where, e.witness, e.what, e.data.get("state"), e.data.get("opcode"), e.data.get("arrived_at")) for e in trace.events
        ]

    busy = FLY.but(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=0.3), latency=0.1, tls=True)
    assert story(run(busy, "virtual")) == story(run(busy, "virtual"))


def test_a_trace_under_tls_survives_its_file(tmp_path):
    trace = run(sealed(faults=[Goodbye(0.3)]), "virtual")
    again = Trace.load(trace.save(tmp_path / "t.jsonl"))
    assert again.experiment.tls and str(again) == str(trace)


# theory


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_quiet_experiments_agree_with_theory(start):
    known = 0
    for seed in range(start, start + 50):
        experiment = quiet(seed)
        server = experiment.server if experiment.server.close_timeout != 0 else dataclasses.replace(experiment.server, close_timeout=0.5)
        experiment = experiment.but(server=server, tls=True)
        prediction = predict(experiment)
        known += prediction.unknown is None
        if prediction.unknown is None:
            trace = run(experiment, "virtual")
            assert compare(trace, prediction).worst < 1e-6, (seed, experiment, compare(trace, prediction))
            assert frames(trace) == frames(prediction), (seed, experiment)
            assert [row[:3] + row[4:] for row in raised(trace)] == [row[:3] + row[4:] for row in raised(prediction)], (seed, experiment)
    assert known > 40


STORIES = [
    [Cut(9)],
    [Cut(9, heal=14)],
    [Cut(9, heal=16)],
    [Cut(9, heal=20)],
    [Cut(9, direction="to_client")],
    [Cut(9, direction="to_server")],
    [Goodbye(5)],
    [Goodbye(5, end="client")],
]


@pytest.mark.parametrize("latency", [0, 0.25])
@pytest.mark.parametrize("faults", STORIES, ids=repr)
def test_the_fruit_fly_does_not_feel_tls(faults, latency):
    plain = FLY.but(faults=faults, latency=latency)
    assert compare(run(plain.but(tls=True), "virtual"), predict(plain)).worst < 1e-6


def test_a_server_that_would_wait_for_ever_waits_30_seconds_for_tls():
    patient = FLY.but(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=None), until=60)
    assert run(patient, "virtual").closed_at("server") is None
    assert run(patient.but(tls=True), "virtual").closed_at("server") == predict(patient.but(tls=True)).closed_at("server") == 45


def test_a_frame_that_comes_after_close_notify_ends_the_connection_at_once():
    # 8: the server's ping arrives, its pong is stuck; 11: noticed, CLOSE and close_notify are stuck; 11.36: the pong arrives
    faults = [Cut(7, heal=11.2, direction="to_server"), Cut(9, direction="to_client")]
    plain = FLY.but(faults=faults)
    assert [run(plain, "virtual").closed_at("server"), predict(plain).closed_at("server")] == [13, 13]
    sealed = plain.but(tls=True)
    assert [run(sealed, "virtual").closed_at("server"), predict(sealed).closed_at("server")] == [11.36, 11.36]


def test_theory_knows_that_a_handshake_of_four_trips_can_take_too_long():
    far = FLY.but(latency=2.6, faults=[Cut(20)])
    assert predict(far).unknown is None and "opening handshake" in predict(far.but(tls=True)).unknown
    assert run(far.but(tls=True), "virtual").raised("client")[0].awaiting == "connect"


# the certificate


def test_both_contexts_are_pythons_own_and_nothing_is_turned_off():
    client = tls_room.Tls().contexts["client"]
    assert client.verify_mode is ssl.CERT_REQUIRED and client.check_hostname
    assert [dict(pair[0] for pair in ca["subject"])["organizationName"] for ca in client.get_ca_certs()] == ["labkit"]


@both_wires
@pytest.mark.parametrize(
    ("names", "trusts", "words"),
    [(["localhost"], "another", "unable to get local issuer"), (["example.org"], "the same", "Hostname mismatch")],
)
@pytest.mark.usefixtures("nothing_stays")
def test_a_client_that_cannot_verify_the_certificate_says_so(wire, names, trusts, words, monkeypatch):
    signer = trustme.CA()
    trusted, server = (signer if trusts == "the same" else trustme.CA()), signer.issue_cert(*names)
    pems = {"authority": trusted.cert_pem.bytes().decode(), "server": server.private_key_and_cert_chain_pem.bytes().decode()}
    monkeypatch.setattr("labkit.engine.tls.identity", lambda: pems)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = run(sealed(), wire)
        gc.collect()
    (error,) = trace.raised("client")
    assert error.awaiting == "connect" and "certificate verify failed" in error.text and words in error.text
    assert trace.header["ended"] == "the server was never OPEN" and trace.noticed_at("server") is None


def test_without_trustme_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "trustme", None)
    tls_room._make.cache_clear()
    with pytest.raises(ImportError, match="tls=True needs trustme.*pip install trustme"):
        run(sealed(), "loopback")
    monkeypatch.undo()
    assert run(sealed(), "virtual").frames()


# when the records cannot be read


def only_tls_1_2(monkeypatch):
    made = tls_room.Tls.__init__

    def old(self):
        made(self)
        self.contexts["server"].maximum_version = ssl.TLSVersion.TLSv1_2

    monkeypatch.setattr(tls_room.Tls, "__init__", old)


@both_wires
def test_under_tls_1_2_the_log_is_the_only_witness_and_the_trace_says_so(wire, monkeypatch):
    only_tls_1_2(monkeypatch)
    trace = run(sealed(), wire)
    assert trace.closed_at("server") is not None and trace.frames() == []
    assert trace.header["witnesses"] == (
        "the log is the only witness of the frames: the key log lacks the keys of this connection, as it does before TLS 1.3"
    )


def test_without_cryptography_the_log_is_the_only_witness(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "labkit.engine.tls_records", None)
    trace = run(sealed(), "virtual")
    assert "needs cryptography" in trace.header["witnesses"] and trace.frames() == [] and trace.closed_at("server")


def record(key: Key, kind: int, data: bytes, padding: int = 0) -> bytes:
    """A record as its sender would seal it."""
    inner = data + bytes([kind]) + bytes(padding)
    header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
    return header + key.cipher.encrypt((key.iv ^ key.count).to_bytes(12, "big"), inner, header)


def test_keys_are_derived_as_in_rfc_8448():
    key = Key(0x1301, SECRET)
    assert key._expand(SECRET, b"key", 16).hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert key.iv.to_bytes(12, "big").hex() == "5d313eb2671276ee13000b30"


@pytest.mark.parametrize("suite", [0x1301, 0x1302, 0x1303])
def test_every_cipher_of_tls_1_3_is_read_and_padding_is_not_data(suite):
    handshake, traffic = SECRET, SECRET[::-1]
    stream = Stream("server")
    stream.add(1, record(Key(suite, handshake), 22, b"\x14done"))
    stream.add(2, record(Key(suite, traffic), 23, b"hello\0", padding=9))
    found = list(opened(stream, [Key(suite, handshake), Key(suite, traffic)]))
    assert [(r.kind, r.data, r.sent, r.arrived) for r in found] == [(22, b"\x14done", 1, None), (23, b"hello\0", 2, None)]


def test_new_keys_half_way_are_not_read_and_that_is_said():
    stream = Stream("client")
    stream.add(1, record(Key(0x1301, SECRET), 22, b"\x18\0\0\x01\0"))
    with pytest.raises(Unreadable, match="the client took new keys half-way"):
        list(opened(stream, [Key(0x1301, SECRET)]))


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_records_are_read_from_chunks_of_any_size(chunk):
    with open_run(sealed(faults=[Goodbye(0.3)]), "virtual") as session:
        session.wait()
        seen = session.recorder.streams
    streams = {}
    for (_, sender), stream in seen.items():
        streams[sender], data = Stream(sender), b"".join(stream.data)
        for start in range(0, len(data), chunk):
            streams[sender].add(start, data[start : start + chunk])
        streams[sender].arrive("whole", len(data) - 1)  # the last record lacks a byte
    said = {one.stream.sender: one for one in unwrap(streams, session.recorder.keys)}
    assert [what["opcode"] for _, _, what in said["server"].stream.frames()] == ["PING", "CLOSE"]
    assert [(arrived, description) for _, arrived, description in said["server"].alerts] == [(None, 0)]
    assert {one.problem for one in said.values()} == {None}


def test_bytes_that_are_no_tls_are_nobodys_error():
    streams = {sender: Stream(sender) for sender in ("client", "server")}
    for sender, data in (("client", b"GET / HTTP/1.1\r\n\r\n"), ("server", bytes(range(256)) * 40)):
        streams[sender].add(0, data)
    assert all(list(one.stream.frames()) == [] for one in unwrap(streams, "# comment\nrubbish\n"))
    assert list(unwrap({}, "")) == []


# nothing is left behind


def test_a_run_that_is_not_recorded_writes_no_keys():
    with open_run(sealed(), "virtual", record=False) as session:
        assert not key_files()
        session.wait()
    assert session.trace.told_at("server") is not None and session.trace.frames() == []


def test_a_key_log_that_is_asked_for_by_the_environment_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setitem(os.environ, "SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert run(sealed(), "virtual").frames("server")
    assert "CLIENT_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()  # for Wireshark


def test_a_threading_server_is_found_though_it_hands_its_listening_socket_to_tls():
    """The second run of a process is quick enough to dial while it does."""
    again = Experiment(client=Peer(ping_interval=1), tls=True, until=0.05)
    with Worker(Vintage(implementation="threading").find()) as worker:
        assert {worker.run(again, "loopback", progress=False).over for _ in range(5)} == {"until"}
