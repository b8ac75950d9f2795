"""The traces that stand in where no page can dial the kernel, recorded anew: ``python tests/browser/record_page.py data``.

Each is a run of ``run_with_page`` in JupyterLab, in Chromium, named after the code that ``onclose`` gets.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from conftest import QUIET, Lab, Tab, chromium
from playwright.sync_api import sync_playwright

COMMAND = "python tests/browser/record_page.py data"
CLOSE_TIMEOUTS = {"page-1006": 1, "page-1011": 5}  # s; the cut is healed at 8 s, and TCP tries next at 10.7 s
CELL = """
from labkit import Cut, Experiment, Peer, run_with_page
server = Peer(ping_interval=2, ping_timeout=2, close_timeout={close_timeout})
trace = run_with_page(Experiment(server=server, faults=[Cut(at=3, heal=8)]), patience=30)
(page,) = trace.select("page")
trace.header.update(made={command!r}, browser=page.data["browser"])
trace.save({path!r})"""


def main(folder: str) -> None:
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        lab = Lab(Path(temporary))
        try:
            lab.wait()
            browser = playwright.chromium.launch(executable_path=chromium(playwright), args=QUIET)
            tab = Tab(lab, browser.new_page(viewport={"width": 1280, "height": 1000}))
            for name, close_timeout in CLOSE_TIMEOUTS.items():
                path = str(Path(folder).resolve() / f"{name}.jsonl")
                tab.show(CELL.format(close_timeout=close_timeout, command=COMMAND, path=path))
                assert tab.problems() == []
                tab.shut_down()
            browser.close()
        finally:
            lab.close()


if __name__ == "__main__":
    main(sys.argv[1])
