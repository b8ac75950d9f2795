"""The kernel wire: the TCP of Linux between two network namespaces, seen and hurt. Skipped where a system refuses that."""

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from machine import in_real_time

from labkit import Cut, Experiment, Goodbye, Peer, Reset, Send, Suspend, Tcp, Throttle, Vintage, open_run, run
from labkit.versions import why_no_kernel
from labkit.versions.worker import Worker, WorkerError
from labkit.wires.kernel.flows import Flow
from labkit.wires.kernel.packets import FIN, RST, SYN, Segment, read, reset_like

QUIET = Peer(ping_interval=None)
SOON = 0.1  # s; what follows at once in real time, and how late a look at a kernel may be
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")


@pytest.fixture(scope="session")
def kernel():
    """Skip where the kernel wire cannot be had; .ci/run fails there."""
    if why := why_no_kernel():
        pytest.skip(why)


def on_kernel(experiment, **options):
    return run(experiment, "kernel", progress=False, **options)


def times(trace, what, where="server"):
    return [event.t for event in trace.select(what, where)]


def sockets(trace, where="server"):
    return [event.data for event in trace.select("socket", where, "kernel")]


# what TCP does


@in_real_time
def test_what_a_cut_held_arrives_at_the_first_try_after_the_heal(kernel):
    trace = on_kernel(Experiment(QUIET, QUIET, [Cut(0.5, heal=1.6), Send(0.7, size=10)], until=2.5))
    (frame,) = trace.frames("server")
    tries = times(trace, "retransmission")
    assert len([t for t in tries if t < 1.6]) == 3
    assert frame.arrived_at == pytest.approx(next(t for t in tries if t > 1.6), abs=SOON)
    assert sockets(trace)[-1]["unacknowledged"] == 0


@in_real_time
def test_without_the_way_back_bytes_arrive_and_are_never_acknowledged(kernel):
    trace = on_kernel(Experiment(QUIET, QUIET, [Cut(0.5, direction="to_server"), Send(0.7, size=10)], until=1.7))
    (frame,) = trace.frames("server")
    assert frame.arrived_at - frame.sent_at < SOON
    assert len(times(trace, "retransmission")) >= 2 and not times(trace, "retransmission", "client")
    assert sockets(trace)[-1]["unacknowledged"] == 12 and sockets(trace)[-1]["timer"] == "retransmit"


OPTIONS = {  # what the server's kernel is told: what it does, and after how many tries or probes of it the program is told
    "keepalive": (Tcp(keepalive_idle=1, keepalive_interval=1, keepalive_count=2), [], "probe", 2),
    "user timeout": (Tcp(user_timeout=0.7), [Send(0.7, size=10)], "retransmission", 3),
    "retries": (Tcp(retries=1), [Send(0.7, size=10)], "retransmission", 3),
}


@pytest.mark.parametrize("name", OPTIONS)
@in_real_time
def test_a_kernel_gives_up_as_it_was_told(kernel, name):
    tcp, acts, what, count = OPTIONS[name]
    trace = on_kernel(Experiment(Peer(ping_interval=None, tcp=tcp), QUIET, [Cut(0.5), *acts], until=6))
    (raised,) = trace.raised("server")
    assert raised.cause and "ETIMEDOUT" in raised.cause or "timed out" in raised.cause
    assert len([t for t in times(trace, what) if t < raised.t]) == count
    assert trace.told_at("client") is None


@in_real_time
def test_an_orphan_tries_on_after_closed_and_then_is_gone(kernel):
    server = Peer(ping_interval=0.5, ping_timeout=0.3, close_timeout=0.2, tcp=Tcp(orphan_retries=1))
    trace = on_kernel(Experiment(server, Peer(ping_interval=60), [Cut(0.7)], until=4))
    closed = trace.closed_at("server")
    told = [event for event in trace.select("socket", "server") if event.t > closed]
    assert (told[0].data["state"], told[0].data["orphan"]) == ("FIN_WAIT1", True)
    assert told[-1].data == {"state": "gone"} and times(trace, "retransmission")[-1] > closed
    assert sockets(trace, "client")[-1]["state"] == "ESTABLISHED"


@in_real_time
def test_a_reset_ends_both_ends_at_once(kernel):
    trace = on_kernel(Experiment(QUIET, QUIET, [Cut(0.3), Reset(0.5)], until=3))
    assert trace.over == "both ended"
    assert max(trace.told_at(end) for end in ("server", "client")) < 0.5 + SOON
    assert {event.data["sender"] for event in trace.select("reset") if event.data["step"] == "arrived"} == {"wire"}


@in_real_time
def test_every_packet_takes_the_latency(kernel):
    trace = on_kernel(Experiment(Peer(ping_interval=0.3), QUIET, latency=0.1, until=1))
    assert all(0.2 < latency < 0.2 + SOON for _, latency in trace.latencies("server"))


def test_it_runs_in_another_vintage_too(kernel):
    trace = on_kernel(Experiment(QUIET, QUIET, [Goodbye(0.1)], tls=True, until=3), vintage=Vintage(implementation="threading"))
    assert trace.over == "both ended" and trace.header["implementation"] == "threading"
    assert trace.header["kernel"].startswith("Linux")


# its packets


@in_real_time
def test_the_packets_are_a_file_that_wireshark_opens(kernel, tmp_path):
    path = tmp_path / "cut.pcap"
    trace = on_kernel(Experiment(QUIET, QUIET, [Cut(0.5), Send(0.7, size=10)], until=1.7), pcap=path)
    packets = list(captured(path.read_bytes()))
    assert all(total(packet[:20]) == total(packet[12:20] + pseudo(packet)) == 0xFFFF for _, packet in packets)
    assert all(read(packet).flags & SYN for _, packet in packets[:2])
    stuck = [when for when, packet in packets if len(read(packet).payload) == 12]
    seen = [trace.frames("server")[0].sent_at, *times(trace, "retransmission")]
    assert [b - a for a, b in zip(stuck, stuck[1:])] == pytest.approx([b - a for a, b in zip(seen, seen[1:])], abs=0.02)


def captured(data):
    """The packets of a pcap file, with their times (s)."""
    magic, major, minor, _, _, _, link = struct.unpack_from("=IHHiIII", data)
    assert (magic, major, minor, link) == (0xA1B2C3D4, 2, 4, 101)
    at = 24
    while at < len(data):
        seconds, micros, length, whole = struct.unpack_from("=IIII", data, at)
        assert length == whole
        yield seconds + micros / 1e6, data[at + 16 : at + 16 + length]
        at += 16 + length


def pseudo(packet):
    """What the checksum of TCP covers besides the addresses (RFC 9293 §3.1)."""
    return struct.pack("!HH", 6, len(packet) - 20) + packet[20:]


def total(data):
    """The sum that is 0xFFFF where a checksum is right (RFC 1071)."""
    words = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2])) + (data[-1] << 8 if len(data) % 2 else 0)
    while words >> 16:
        words = (words & 0xFFFF) + (words >> 16)
    return words


def test_only_the_kernel_wire_has_packets():
    with pytest.raises(ValueError, match="only the kernel wire"):
        run(Experiment(), "virtual", pcap="x.pcap")


BASE = 2**32 - 3  # numbers go round after three bytes


def segment(place, payload=b"", flags=0):
    return Segment((1, 2), (BASE + place) % 2**32, flags, payload)


def test_a_flow_knows_what_is_new_what_is_a_try_and_what_has_arrived_in_order():
    flow = Flow()
    assert flow.heard(segment(-1, flags=SYN)).new == []
    first, second, last = segment(0, b"ping"), segment(4, b"close"), segment(9, flags=FIN)
    assert [flow.heard(one).new for one in (first, second, last)] == [[b"ping"], [b"close"], [b""]]
    assert [flow.heard(one).again for one in (first, last)] == [1, 2]
    assert [flow.heard(segment(place)).probe for place in (9, 10, 9)] == [1, 0, 2]
    assert flow.passed(second) == [] and flow.passed(last) == []
    assert flow.passed(first) == [(b"ping", 9), (b"", 0)] and flow.heard(last).again == 1
    assert flow.passed(first) == [] and flow.expected == (BASE + 10) % 2**32


def test_a_try_may_bring_something_new_behind_what_was_sent():
    flow = Flow()
    flow.heard(segment(-1, flags=SYN))
    flow.heard(segment(0, b"ping"))
    assert flow.heard(segment(0, b"pingpong", FIN)).new == [b"pong", b""]


def test_a_reset_from_the_middle_has_the_right_checksums():
    flow = Flow()
    flow.heard(segment(-1, flags=SYN))
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    packet = reset_like(ip + struct.pack("!HHIIBBHHH", 80, 999, 1, 1, 0x50, 16, 0, 0, 0), flow.expected)
    assert read(packet) == Segment((80, 999), BASE, RST, b"")
    assert total(packet[:20]) == total(packet[12:20] + pseudo(packet)) == 0xFFFF


# where it is not, and what it cannot do


@pytest.mark.parametrize(
    ("experiment", "why"),
    [
        (Experiment(faults=[Throttle(1)]), "cannot do Throttle"),
        (Experiment(faults=[Suspend(1)]), "cannot do Suspend"),
        (Experiment(server=Peer(tcp=Tcp(keepalive_idle=1.5))), "whole seconds"),
        (Experiment(server=Peer(tcp=Tcp(rto_max=200))), "1 to 120 s"),
        (Experiment(server=QUIET), "never end on the kernel wire"),
    ],
)
def test_what_it_cannot_do_it_says_before_it_starts(kernel, experiment, why):
    with pytest.raises(ValueError, match=why):
        on_kernel(experiment)


def test_it_lives_in_a_worker_process_only():
    with pytest.raises(ValueError, match="worker process"):
        open_run(Experiment(), "kernel")
    with pytest.raises(ValueError, match="no handlers"):
        on_kernel(Experiment(), server=print)


@LINUX
@pytest.mark.parametrize("limit", ["max_user_namespaces", "max_net_namespaces"])
def test_a_system_that_forbids_it_is_a_sentence_that_names_a_recording(kernel, limit):
    if not shutil.which("unshare"):
        pytest.skip("no unshare")
    script = f"echo 0 > /proc/sys/user/{limit}; exec {sys.executable} -m labkit kernel"
    for option, status in (("", 0), (" --required", 2)):
        command = ["unshare", "--user", "--map-root-user", "sh", "-c", script + option]
        done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert done.returncode == status and "does not work here" in said and "recorded('kernel-" in said
        assert "Traceback" not in said


def test_another_system_is_told_that_it_needs_linux(monkeypatch):
    from labkit.versions import child

    monkeypatch.setattr(sys, "platform", "darwin")
    assert child._enter() == "it needs Linux, and this is darwin"


# what is left


STUCK = Experiment(QUIET, QUIET, [Cut(0.1), Send(0.2, size=10)], until=60)
LEFT = """
import sys
sys.path.insert(0, sys.argv[1])
from labkit.wires import kernel as wire
wire.LOOK = 0  # its thread asks without a pause
wire.namespaces.enter()
from labkit import open_run
from labkit.values.experiment import Experiment
with open_run(Experiment.from_json(sys.argv[2]), "kernel") as session:
    def seen():
        return [[(told.state, told.unacknowledged) for _, told in kernel.sockets()]
                for kernel in session.wire.kernels.values()]

    while seen() != [[("ESTABLISHED", 12)], [("ESTABLISHED", 0)]]:
        session.wait(0.1)
    before = [seen() for _ in range(300)]
    session.wire.leave_nothing()
    print(all(one == before[0] for one in before), seen())
"""


def test_whoever_leaves_it_leaves_no_socket_behind_and_is_told_the_same_by_any_thread(kernel):
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-c", LEFT, root, STUCK.to_json()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True [[], []]\n", done.stderr


@pytest.mark.parametrize("end", ["interrupted", "killed"])
def test_a_worker_that_is_interrupted_or_killed_is_gone(kernel, end, monkeypatch):
    def tick(self):
        if self.session.now > 0.3:
            if end == "interrupted":
                raise KeyboardInterrupt
            worker.process.kill()

    monkeypatch.setattr("labkit.engine.progress.Living.tick", tick)
    with pytest.raises((KeyboardInterrupt, WorkerError)) as caught, Worker(Vintage().find(), "kernel") as worker:
        worker.run(STUCK, "kernel", progress=False)
    assert caught.type is (KeyboardInterrupt if end == "interrupted" else WorkerError)
    assert worker.process.returncode == (0 if end == "interrupted" else -9)
