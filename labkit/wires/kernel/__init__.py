"""The kernel wire: two ends in network namespaces of their own, and a router that drops packets.

    client ── its kernel's TCP ── cable ── router ── cable ── the server's kernel's TCP ── server

Linux only, without root, in a worker process that has ``enter``ed (see versions/). Each end's
thread lives in a namespace of its own, so whatever socket is made there belongs to it. Nothing
between them takes bytes: what is sent into a cut stays in the sender's kernel, which tries again.

    namespaces.py   networks of our own, and what this system may refuse
    packets.py      TCP in IPv4 packets; flows.py: how far one direction of a connection has come
    router.py       carries packets, late or not at all
    sockets.py      what a kernel says of its sockets

Besides what every wire tells, a trace has "retransmission" and "probe" (witness "tcp": a packet
that says nothing new, as the router sees it, and whether it came through) and "socket" (witness
"kernel": a ``Told`` that has changed, or that it is gone). A frame goes into this wire when a
kernel sends it, which may be never.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import socket
from collections.abc import Iterator

from ...values.experiment import Experiment
from ...values.faults import ENDS, FLOW, Act, Cut, Fault, Reset, Suspend
from ...values.tcp import Tcp
from ..loopback import LoopbackWire, new_socket, set_buffers
from ..options import asked
from ..threads import LoopThread
from . import namespaces
from .packets import pcap
from .router import Router, Way
from .sockets import Kernel, Told

ADDRESSES = {"server": "10.0.0.1", "client": "10.0.0.2"}
PORT = 8765
LONGEST = 32_767  # s, of keepalive (MAX_TCP_KEEPIDLE)
LOOK = 0.05  # s between two looks at the kernels' sockets
SETTINGS = {  # of a network namespace, by the field of Tcp: the setting, and how many of it make 1
    "retries": ("tcp_retries2", 1),
    "orphan_retries": ("tcp_orphan_retries", 1),
    "rto_min": ("tcp_rto_min_us", 1_000_000),  # since Linux 6.11
    "rto_max": ("tcp_rto_max_ms", 1_000),  # since Linux 6.15
}


class KernelWire(LoopbackWire):
    """Three threads, a network namespace each, and packets in between."""

    name = "kernel"

    def __init__(self, experiment: Experiment) -> None:
        check(experiment)
        buffers = {end: experiment.peer(end).buffer for end in ENDS}
        tcp = {end: experiment.peer(end).tcp for end in ENDS}
        super().__init__(experiment.latency, buffers, experiment.seed, tcp)
        self.kernels: dict[str, Kernel] = {}
        self.told: dict[str, dict[bytes, Told]] = {end: {} for end in ENDS}
        self.router: Router | None = None
        self.about = {"kernel": f"{platform.system()} {platform.release()}"}

    # from the network up

    def _open(self) -> None:
        for name in (*ENDS, "wire"):
            self.threads[name] = LoopThread(name)
        self.loops = {end: self.threads[end].loop for end in ENDS}
        wire = self.threads["wire"]
        self.loop = wire.loop
        os.close(wire.ask(namespaces.leave_for_own_network))
        ways = {end: self._way(end, number) for number, end in enumerate(ENDS, start=1)}
        self.router = wire.ask(Router, self, self.loop, ways)
        self.sockets["server"] = self.threads["server"].listener = self._listener()
        wire.ask(self.look)

    def _way(self, end: str, number: int) -> Way:
        """The network of an end, and the cable from the router to it."""
        thread, mac = self.threads[end], bytes([2, 0, 0, 0, 0, number])  # 2: no maker's
        namespace = thread.ask(namespaces.leave_for_own_network)
        try:
            cable = self.threads["wire"].ask(namespaces.lay_cable, end, namespace, mac)
        finally:
            os.close(namespace)
        thread.ask(namespaces.plug_in, ADDRESSES[end])
        for setting, value in settings(self.tcp[end]):
            thread.ask(namespaces.set_up, setting, value)
        self.kernels[end] = thread.ask(Kernel)
        return Way(end, mac, cable)

    def _listener(self) -> socket.socket:
        sock = self.threads["server"].ask(self._socket, "server")
        sock.bind(self.address())
        sock.listen()
        sock.setblocking(False)
        return sock

    def _socket(self, end: str) -> socket.socket:
        """A socket of ``end``, made in its thread, with the options that its peer asks for."""
        sock = new_socket()
        set_buffers(sock, self.buffers[end])
        for level, option, value in asked(self.tcp[end]):
            sock.setsockopt(level, option, value)  # accepted sockets inherit it
        return sock

    def address(self) -> tuple[str, int]:
        """Where a client finds the server."""
        return ADDRESSES["server"], PORT

    def dial(self) -> socket.socket:
        """A new connection to the server: the client's socket."""
        sock = self._socket("client")
        try:
            sock.connect(self.address())
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    # what a session asks for

    def do(self, fault: Act, step: str) -> None:
        """Begin or end a fault, now."""
        assert self.router and isinstance(fault, Fault)
        for end in ENDS:
            if not fault.meets(FLOW[end]):
                continue
            if isinstance(fault, Reset):
                self.router.reset(end)
            else:
                self.router.ways[end].silent += 1 if step == "begin" else -1

    def travelling(self) -> bool:
        return bool(self.threads["wire"].ask(self._travelling))

    def _travelling(self) -> bool:
        """Whether anything is under way, or in a kernel that will try again and get through."""
        assert self.router
        self.see()
        for end, sockets in self.told.items():
            held = [told for told in sockets.values() if told.unacknowledged or told.unsent]
            if self.router.will_pass(end, bool(held)):
                return True
        return False

    # what the kernels say

    def look(self) -> None:
        """Look at the sockets, now and then, until this thread ends."""
        with contextlib.suppress(OSError):  # there was no room for the answer
            self.see()
        self.loop.call_later(LOOK, self.look)

    def see(self) -> None:
        """Tell what has changed in the kernels' sockets."""
        for end, kernel in self.kernels.items():
            before, now = self.told[end], dict(kernel.sockets())
            self.told[end] = now
            for identity, told in now.items():
                known = before.get(identity)
                if known is None or known.outline() != told.outline():
                    self.note(end, "kernel", "socket", **dataclasses.asdict(told))
            for _ in before.keys() - now.keys():
                self.note(end, "kernel", "socket", state="gone")

    def capture(self) -> Iterator[bytes]:
        """The parts of a pcap file: every packet that the router has seen."""
        return pcap(self.router.captured if self.router else [])

    # its end

    def _close_sockets(self, stuck: bool) -> None:
        super()._close_sockets(stuck)
        self.leave_nothing()
        for kernel in self.kernels.values():
            kernel.close()
        for way in self.router.ways.values() if self.router else ():
            way.cable.close()

    def leave_nothing(self) -> None:
        """Let the kernels forget every socket: they would try for two minutes what is stuck."""
        for kernel in self.kernels.values():
            for identity, _ in kernel.sockets():
                kernel.destroy(identity)


def check(experiment: Experiment) -> None:
    """Raise ValueError for what this wire cannot do, and where it is not."""
    if not namespaces.entered:
        raise ValueError(
            "the kernel wire lives in a worker process: run(experiment, wire='kernel') starts "
            "one, without handlers of your own"
        )
    for act in experiment.faults:
        if isinstance(act, (Fault, Suspend)) and not isinstance(act, (Cut, Reset)):
            raise ValueError(
                f"the kernel wire cannot do {act!r}: of the faults of a wire it has Cut and "
                "Reset, and every packet takes Experiment.latency; the virtual wire can"
            )
    for end in ENDS:
        _check_tcp(experiment.peer(end).tcp)


def _check_tcp(tcp: Tcp) -> None:
    """Raise ValueError for what Linux cannot be told."""
    for name in ("keepalive_idle", "keepalive_interval"):
        seconds = getattr(tcp, name)
        if seconds is not None and (seconds != int(seconds) or seconds > LONGEST):
            allowed = f"Linux counts whole seconds, up to {LONGEST:,}"
            raise ValueError(f"the kernel wire cannot have Tcp.{name} = {seconds}: {allowed}")
    if not 1 <= tcp.rto_max <= 120:
        allowed = "Linux has 1 to 120 s"
        raise ValueError(f"the kernel wire cannot have Tcp.rto_max = {tcp.rto_max}: {allowed}")


def settings(tcp: Tcp) -> Iterator[tuple[str, int]]:
    """What a network namespace is told for this TCP: the settings that are not Linux's own."""
    for name, (setting, scale) in SETTINGS.items():
        value = getattr(tcp, name)
        if value != getattr(Tcp(), name):
            yield setting, round(value * scale)
