"""Knobs to turn and a cable to pull, in a notebook: only how an Experiment is set up and shown.

explore(fly)        sliders; every move runs the experiment anew, in virtual time
live(fly)           a running connection, in real time, and buttons
run_with_page(fly)  the page itself as the client, in real time
"""

from .explorer import explore
from .liveview import live
from .page_client import run_with_page

__all__ = ["explore", "live", "run_with_page"]
