"""The exception that a call raises once the connection is closed, in websockets' own words."""

from __future__ import annotations

from typing import Any

POLITE = (1000, 1001)  # codes after which it is a ConnectionClosedOK


def exception(
    sent: tuple[int, str] | None, received: tuple[int, str] | None, answered: bool
) -> dict[str, Any]:
    """The exception as data, from code and reason of both CLOSEs (RFC 6455 §7.1.5).

    ``answered``: what was sent answers what was received.
    """
    from websockets.exceptions import ConnectionClosed  # a prediction is all that needs it
    from websockets.frames import Close

    own, other = (Close(*close) if close else None for close in (sent, received))
    is_ok = all(close and close.code in POLITE for close in (own, other))
    return {
        "type": "ConnectionClosedOK" if is_ok else "ConnectionClosedError",
        "text": str(ConnectionClosed(other, own, answered if own and other else None)),
        "code": other.code if other else 1006,
        "sent": own.code if own else None,
        "received": other.code if other else None,
    }
