"""Knobs to turn and a cable to pull, in a notebook: only how an Experiment is set up and shown.

run_with_page(fly), in page_client.py: the page that shows the notebook is the client
explore(fly)     sliders; every move runs the experiment anew, in virtual time
live(fly)        a running connection, in real time, and buttons
"""

from .explorer import explore
from .liveview import live

__all__ = ["explore", "live"]
