"""IPv4 packets with TCP in them: read, made, and kept in a file. Pure.

read(packet)                a Segment
reset_like(packet, number)  an RST that looks as if the sender of ``packet`` had sent it
pcap(captured)              the bytes of a file that Wireshark opens (LINKTYPE_RAW)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

FIN, SYN, RST = 1, 2, 4
TCP = 6
IP_HEADER = struct.Struct("!BBHHHBBH4s4s")  # RFC 791, without options
TCP_HEADER = struct.Struct("!HHIIBBHHH")  # RFC 9293, without options
PCAP_HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 2**18, 101)


class Segment(NamedTuple):
    """What a packet says to TCP."""

    ports: tuple[int, int]  # from, to
    number: int  # of its first byte
    flags: int
    payload: bytes


def read(packet: bytes) -> Segment | None:
    """The segment in a packet; None if it is none of TCP."""
    if packet[9] != TCP:
        return None
    begin, end = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
    near, far, number, _, offset, flags, *_ = TCP_HEADER.unpack_from(packet, begin)
    return Segment((near, far), number, flags, packet[begin + (offset >> 4) * 4 : end])


def reset_like(packet: bytes, number: int) -> bytes:
    """An RST from where ``packet`` comes, with the ``number`` that its receiver expects next."""
    *_, source, target = IP_HEADER.unpack_from(packet)
    near, far = read_ports(packet)
    length = IP_HEADER.size + TCP_HEADER.size
    ip = IP_HEADER.pack(0x45, 0, length, 0, 0, 64, TCP, 0, source, target)
    tcp = TCP_HEADER.pack(near, far, number, 0, 5 << 4, RST, 0, 0, 0)
    pseudo = source + target + struct.pack("!HH", TCP, TCP_HEADER.size)  # RFC 9293 §3.1
    return _with_checksum(ip, 10, ip) + _with_checksum(tcp, 16, pseudo + tcp)


def read_ports(packet: bytes) -> tuple[int, int]:
    """The ports that a packet comes from and goes to."""
    segment = read(packet)
    assert segment is not None
    return segment.ports


def _with_checksum(header: bytes, place: int, covered: bytes) -> bytes:
    """A header with the checksum (RFC 1071) of what it covers."""
    total = sum(struct.unpack(f"!{len(covered) // 2}H", covered))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return header[:place] + struct.pack("!H", ~total & 0xFFFF) + header[place + 2 :]


def pcap(captured: Iterable[tuple[float, bytes]]) -> Iterator[bytes]:
    """The parts of a capture file: packets with their times (s since 1970)."""
    yield PCAP_HEADER
    for when, packet in captured:
        seconds, micros = divmod(round(when * 1e6), 10**6)
        yield struct.pack("=IIII", seconds, micros, len(packet), len(packet)) + packet
