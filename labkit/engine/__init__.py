"""What runs an experiment, and what watches it.

engine.py        a server and its clients, a wire, and the acts in their time: every run is one
session.py       an engine with one client, watched: it leaves a trace
recorder.py      three witnesses: the library's log, the tap, and the application
dialect.py       what a log line of websockets means, in every version
tap.py           bytes on the wire, as frames; counts.py only counts them
tls_records.py   opens what is encrypted
tls.py           the certificates of a run under TLS
progress.py      the living sentence of a long run
"""
