"""The start page: start.html, with a figure that plays in it."""

from __future__ import annotations

from pathlib import Path

from checks.start_here import ASKS
from labkit import Cut, Experiment, Peer, plots, predict, run

HERE = Path(__file__).parent


def write(path: Path) -> None:
    """Write the page, with the figure of a run that is made now."""
    server = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
    healed = Experiment(server=server, faults=[Cut(at=9, heal=14)], until=24)
    figure = plots.timeline(run(healed, wire="virtual"), predict(healed)).play(*ASKS)
    told = figure._repr_mimebundle_()["text/html"]
    path.write_text(filled("start.html", figure=told), encoding="utf-8")


def filled(name: str, **parts: str) -> str:
    """A page of this folder with its parts, and the look of all our pages, in their places."""
    page = (HERE / name).read_text(encoding="utf-8")
    parts["look"] = (HERE / "look.html").read_text(encoding="utf-8")
    for part, text in parts.items():
        page = page.replace(f"<!-- {part} -->", text)
    return page
