"""How many bytes a frame of RFC 6455 takes on the wire: §5.2, without compression."""

from __future__ import annotations

LONG = {126: 2, 127: 8}  # seven bits that say: the length is in so many bytes more
MASK = {"server": 0, "client": 4}  # bytes: a client masks what it sends (§5.3)


def frame_size(payload: int, sender: str) -> int:
    """Bytes of a frame of ``sender`` ("server" or "client"): its header and ``payload`` bytes."""
    length = 0 if payload < 126 else LONG[126] if payload < 2**16 else LONG[127]
    return 2 + length + MASK[sender] + payload
