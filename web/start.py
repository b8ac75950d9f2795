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
    page = (HERE / "start.html").read_text(encoding="utf-8")
    told = figure._repr_mimebundle_()["text/html"]
    path.write_text(page.replace("<!-- figure -->", told), encoding="utf-8")
