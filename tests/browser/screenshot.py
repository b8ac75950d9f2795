"""A picture of explore() as it looks in JupyterLab: ``python tests/browser/screenshot.py data/explore.png`` (make screenshot).

The same server, browser and hand as in the tests, on a page of fixed size; less than 200 KB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from conftest import QUIET, Lab, Tab, chromium
from playwright.sync_api import sync_playwright

CELLS = (
    "from labkit import Cut, Experiment, Peer, explore",
    "fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])",
    "explore(fly, guess=13)",
)


def main(path: str) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        try:
            lab.wait()
            browser = playwright.chromium.launch(executable_path=chromium(playwright), args=QUIET)
            tab = Tab(lab, browser.new_page(viewport={"width": 1280, "height": 1000}))
            tab.show(*CELLS)
            tab.page.wait_for_selector(".labkit-picture svg")
            tab.page.locator(".labkit-explore").screenshot(path=path)
            tab.shut_down()
            browser.close()
        finally:
            lab.close()


if __name__ == "__main__":
    main(sys.argv[1])
