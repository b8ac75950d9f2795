"""What is set up, and what happens to it: frozen values that check themselves. Nothing here runs, and nothing here knows a wire.

experiment.py    Experiment and Peer: two ends, their timers, and everything that a run needs to know
faults.py        the timed acts: Cut, Delay, Reset, Freeze, Goodbye …
fields.py        how a field refuses what it cannot be, in one sentence
"""
