"""What crosses below WebSocket: FIN and RST, and the opening handshake. It draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..trace import Frame
from ..values.faults import ENDS
from .reading import NEVER, Reading
from .wire import Crossing

KINDS = {"fin": "FIN", "reset": "RST"}
OPENING = {"client": "GET ", "server": "HTTP/1.1 "}  # what each says in the opening handshake


def endings(r: Reading) -> Iterator[Crossing]:
    """FINs and RSTs: of each sender the first; the wire's own go to both ends."""
    for what in KINDS:
        yield from _hung_up(r, what)
        mine = [event for event in r.story.select(what) if event.data.get("sender") == "wire"]
        for end in _meant(r, len(mine)):
            yield Crossing("wire", KINDS[what], mine[0].t, mine[0].t, to=end)


def _hung_up(r: Reading, what: str) -> Iterator[Crossing]:
    """What the ends sent, the first first."""
    sent: dict[str, float] = {}
    arrived: dict[str, float] = {}
    for event in r.story.select(what):
        times = sent if event.data["step"] == "sent" else arrived
        times.setdefault(event.data["sender"], event.t)
    for end, t in sent.items():
        if end in arrived or arrived.get("wire", NEVER) > t:  # else the middle has hung up already
            yield r.crossing(Frame(end, KINDS[what], t, arrived.get(end)))


def _meant(r: Reading, count: int) -> Iterable[str]:
    """Which ends the wire's own FIN or RST goes to."""
    if count != 1:
        return ENDS if count else ()
    acts = (event.data for event in r.story.select("act"))
    ways = (a.get("direction", "both") for a in acts if a["act"] in ("HangUp", "Reset", "Limit"))
    way = next(ways, "both")
    return [end for end in ENDS if way in ("both", f"to_{end}")][:1]


def opening(r: Reading) -> Iterator[Crossing]:
    """The opening handshake, from the library's log."""
    for sender, text in OPENING.items():
        rows = [(e, e.data.get("line", "")) for e in r.story.select("handshake")]
        mine = [(e, line[0]) for e, line in rows if line[2:].startswith(text)]
        sent = [e.t for e, sign in mine if e.where == sender and sign == ">"]
        got = [e.t for e, sign in mine if e.where != sender and sign == "<"]
        if sent and got:
            yield Crossing(sender, "HTTP", sent[0], got[0])
