"""The bench: knobs to turn and a cable to pull. Widgets only turn knobs into an Experiment; no rule of the lab lives here.

explore(fly)     sliders; every move runs the experiment anew, in virtual time
live(fly)        a running connection, in real time, and buttons
"""

from .explorer import explore
from .liveview import live

__all__ = ["explore", "live"]
