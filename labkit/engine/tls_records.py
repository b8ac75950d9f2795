"""TLS records, opened after the run with the logged keys: what the tap saw, as if without TLS.

A record is |type 1|version 2|length 2|sealed …|; the type and the alert or bytes inside are sealed.
Each sender of a connection has two keys, one for the handshake and one for what follows, and counts
the records of each (RFC 8446 §5, §7.1, §7.3; the log's format: RFC 9850). A record went in when its
last byte did. Only TLS 1.3, and only until a KeyUpdate: beyond that, ``Unreadable`` says why.
Renegotiation, resumption and early data do not happen here.

    ClientHello, ServerHello        clear: whose keys, which cipher
    certificate … Finished          the sender's handshake key
    session tickets, data, alerts   the sender's traffic key
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .tap import Stream

HEADER = 5  # bytes
ALERT, HANDSHAKE, DATA = 21, 22, 23  # types of records
SERVER_HELLO, KEY_UPDATE = 2, 24  # types of handshake messages
SUITES: dict[int, tuple[Any, int, Any]] = {
    0x1301: (AESGCM, 16, SHA256),
    0x1302: (AESGCM, 32, SHA384),
    0x1303: (ChaCha20Poly1305, 32, SHA256),
}


class Unreadable(Exception):
    """Why records cannot be opened, in words."""


class Record(NamedTuple):
    """One record: what is in it, the moment its last byte went in, and that it arrived, or None."""

    kind: int
    data: bytes
    sent: Any
    arrived: Any | None


class Key:
    """A sender's key for one stage of a connection, and how many records it has opened."""

    def __init__(self, suite: int, secret: bytes) -> None:
        cipher, length, self.hash = SUITES[suite]
        self.cipher = cipher(self._expand(secret, b"key", length))
        self.iv = int.from_bytes(self._expand(secret, b"iv", 12), "big")
        self.count = 0

    def _expand(self, secret: bytes, label: bytes, length: int) -> bytes:
        """HKDF-Expand-Label (RFC 8446 §7.1)."""
        label = b"tls13 " + label
        info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
        return HKDFExpand(self.hash(), length, info).derive(secret)

    def open(self, header: bytes, sealed: bytes) -> tuple[int, bytes]:
        """The type of what was sealed, and the bytes themselves."""
        nonce = (self.iv ^ self.count).to_bytes(12, "big")
        inner = self.cipher.decrypt(nonce, sealed, header).rstrip(b"\0")  # padding
        self.count += 1
        return inner[-1], inner[:-1]


def opened(stream: Stream, keys: list[Key]) -> Iterator[Record]:
    """Each record of a sender, opened; ``keys`` in the order of their use."""
    keys = list(keys)
    for header, record in sealed(stream):
        if record.kind == DATA:
            kind, data = _open(header, record.data, keys)
            record = record._replace(kind=kind, data=data)
            if record.kind == HANDSHAKE and record.data[:1] == bytes([KEY_UPDATE]):
                new = "took new keys half-way (KeyUpdate), which the log does not hold"
                raise Unreadable(f"the {stream.sender} {new}")
        yield record


def _open(header: bytes, data: bytes, keys: list[Key]) -> tuple[int, bytes]:
    while keys:
        try:
            return keys[0].open(header, data)
        except InvalidTag:  # the first record of the next stage
            keys.pop(0)
    raise Unreadable("the key log lacks the keys of this connection, as it does before TLS 1.3")


def sealed(stream: Stream) -> Iterator[tuple[bytes, Record]]:
    """Each whole record of a sender as it is on the wire: its header, and the rest."""
    data, start = b"".join(stream.data), 0
    while (body := start + HEADER) <= len(data):
        end = body + int.from_bytes(data[start + 3 : body], "big")
        if end > len(data):
            return
        sent, arrived = stream.sent.moment_of(end), stream.arrived.moment_of(end)
        yield data[start:body], Record(data[start], data[body:end], sent, arrived)
        start = end


def keys_of(streams: dict[str, Stream], log: str) -> dict[str, list[Key]]:
    """The keys of both senders of a connection, in the order of their use."""
    secrets, suite = _secrets(_hello(streams, "client"), log), _suite(_hello(streams, "server"))
    keys: dict[str, list[Key]] = {sender: [] for sender in streams}
    if suite in SUITES:
        for sender in streams:
            for stage in ("HANDSHAKE_TRAFFIC_SECRET", "TRAFFIC_SECRET_0"):
                if secret := secrets.get(f"{sender.upper()}_{stage}"):
                    keys[sender].append(Key(suite, secret))
    return keys


def _hello(streams: dict[str, Stream], sender: str) -> bytes:
    """The first handshake message of a sender; empty if there is none."""
    records = sealed(streams[sender]) if sender in streams else iter(())
    return next((record.data for _, record in records if record.kind == HANDSHAKE), b"")


def _suite(hello: bytes) -> int:
    """The cipher suite that a ServerHello names; 0 if it is none."""
    if hello[:1] != bytes([SERVER_HELLO]):
        return 0
    return int.from_bytes(hello[39 + hello[38] :][:2], "big")


def _secrets(hello: bytes, log: str) -> dict[str, bytes]:
    """The lines of the log with the random of this ClientHello, by label."""
    random = hello[6:38].hex()
    lines = [line.split() for line in log.splitlines()]
    own = [line for line in lines if len(line) == 3 and line[1] == random]
    return {label: bytes.fromhex(secret) for label, _, secret in own}


class Opened(NamedTuple):
    """What one sender said under TLS: bytes, alerts, and why there may be more, or None."""

    stream: Stream
    alerts: list[tuple[Any, Any | None, int]]  # the moments, the description (RFC 8446 §6)
    problem: str | None


def unwrap(streams: dict[str, Stream], log: str) -> Iterator[Opened]:
    """Both directions of one connection, with the records opened."""
    for sender, keys in keys_of(streams, log).items():
        plain, alerts, problem = Stream(sender), [], None
        try:
            for record in opened(streams[sender], keys):
                if record.kind == DATA:
                    plain.add(record.sent, record.data)
                    if record.arrived is not None:
                        plain.arrive(record.arrived, len(record.data))
                elif record.kind == ALERT:
                    alerts.append((record.sent, record.arrived, record.data[1]))
        except Unreadable as reason:
            problem = str(reason)
        yield Opened(plain, alerts, problem)
