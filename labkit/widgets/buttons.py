"""The buttons of live(): what each is for, in words and as an act. It knows no widgets."""

from __future__ import annotations

from ..values.faults import Act, Cut, Freeze, Goodbye, HangUp, Reset, Send, StopReading

FLOOD_SIZE, FLOOD_EVERY = 20_000, 0.02  # bytes, s: a megabyte a second
CUTS = {"Cut": "both", "Cut to client": "to_client", "Cut to server": "to_server"}
BACK = {  # buttons that are pressed again to end what they began
    "Freeze": "Thaw",
    "Stop reading": "Read again",
    "Flood": "Stop the flood",
}
BUTTONS = {
    "Cut": "cut the wire, both ways",
    "Cut to client": "cut the way to the client only",
    "Cut to server": "cut the way to the server only",
    "Heal": "heal the wire",
    "Reset": "a box in the middle resets the connection (RST)",
    "Hang up": "a box in the middle hangs up (FIN)",
    "Freeze": "the event loop of this end blocks, until it is thawed",
    "Stop reading": "the program of this end does not call recv() any more",
    "Flood": "the program of this end sends a megabyte a second",
    "Goodbye": "the program of this end calls close() with this code",
    "Reconnect": "end this connection and open another",
    "End": "end the session, and keep its trace",
}


def act_of(name: str, end: str, code: int) -> Act:
    """What a button is for."""
    if name == "Goodbye":  # may refuse its code
        return Goodbye(end=end, code=code)
    acts: dict[str, Act] = {
        **{cut: Cut(direction=way) for cut, way in CUTS.items()},
        "Reset": Reset(),
        "Hang up": HangUp(),
        "Freeze": Freeze(end=end),
        "Stop reading": StopReading(end=end),
        "Flood": Send(end=end, size=FLOOD_SIZE, every=FLOOD_EVERY),
    }
    return acts[name]
