"""What is set up, and what happens to it: frozen values that check themselves. No I/O.

experiment.py    Experiment and Peer: two ends, their timers, and what else a run needs to know
faults.py        the timed acts: Cut, Delay, Reset, Freeze, Goodbye …
tcp.py           Tcp: when the kernel below an end tries again, and when it gives up
stream.py        what TCP does with what is sent, for the wires and for theory
sender.py        when it tries again, and when it gives up; probes.py: when it asks
segments.py      how much of what has waited it sends at once
fields.py        how the fields of a value are checked, written and read
framing.py       how many bytes a frame takes on the wire
"""
