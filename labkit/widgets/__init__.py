"""Knobs to turn and a cable to pull, in a notebook: only how an Experiment is set up and shown.

run_with_page(fly), in page_client.py: the page that shows the notebook is the client
explore(fly)     sliders; every move runs the experiment anew, in virtual time
live(fly)        a running connection, in real time, and buttons

Where there is no ipywidgets, they give pictures that stand still (stills.py).
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec("ipywidgets"):
    from .explorer import explore
    from .liveview import live
else:
    from .stills import explore, live

__all__ = ["explore", "live"]
