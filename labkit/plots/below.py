"""What happens below WebSocket: FIN, RST, TCP's tries, the opening handshake. It draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..trace import Event, Frame
from ..values.faults import ENDS
from .reading import NEVER, Reading
from .wire import Crossing

KINDS = {"fin": "FIN", "reset": "RST"}
OPENING = {"client": "GET ", "server": "HTTP/1.1 "}  # what each says in the opening handshake


def endings(r: Reading) -> Iterator[Crossing]:
    """FINs and RSTs: of each sender the first; the wire's own go to both ends."""
    for what, kind in KINDS.items():
        events = [event for event in r.story.select(what) if event.t <= r.stop]
        yield from _hung_up(r, events, kind)
        mine = [event.t for event in events if event.data["sender"] == "wire"]
        for end in _meant(r, len(mine)):
            yield Crossing("wire", kind, mine[0], mine[0], to=end)


def _hung_up(r: Reading, events: list[Event], kind: str) -> Iterator[Crossing]:
    """What the ends sent, the first first."""
    sent: dict[str, float] = {}
    arrived: dict[str, float] = {}
    for event in events:
        times = sent if event.data["step"] == "sent" else arrived
        times.setdefault(event.data["sender"], event.t)
    for end, t in sent.items():
        if end in arrived or arrived.get("wire", NEVER) > t:  # else the middle has hung up already
            held = max((one.free for one in r.stuck if one.sender == end), default=-NEVER)
            yield r.crossing(Frame(end, kind, t, arrived.get(end)), held)


def _meant(r: Reading, count: int) -> Iterable[str]:
    """Which ends the wire's own FIN or RST goes to."""
    if count != 1:
        return ENDS if count else ()
    acts = (event.data for event in r.story.select("act"))
    ways = (a.get("direction", "both") for a in acts if a["act"] in ("HangUp", "Reset", "Limit"))
    way = next(ways, "both")
    return [end for end in ENDS if way in ("both", f"to_{end}")][:1]


def tries(r: Reading, end: str) -> list[tuple[float, bool]]:
    """When TCP at an end tried again (s), and whether it got through."""
    events = r.story.select("retransmission", end, "tcp")
    return [(event.t, event.data["through"]) for event in events if r.shows(event.t)]


def opening(r: Reading) -> Iterator[Crossing]:
    """The opening handshake, from the library's log."""
    for sender, text in OPENING.items():
        rows = [(e, e.data.get("line", "")) for e in r.story.select("handshake")]
        mine = [(e, line[0]) for e, line in rows if line[2:].startswith(text)]
        sent = [e.t for e, sign in mine if e.where == sender and sign == ">"]
        got = [e.t for e, sign in mine if e.where != sender and sign == "<"]
        if sent and got:
            yield Crossing(sender, "HTTP", sent[0], got[0])
