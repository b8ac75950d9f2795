"""What runs an experiment, and what watches it.

session.py       a server, a client, a wire, and the acts in their time; it ends, and leaves a trace
recorder.py      three witnesses: the library's log, the tap, and the application
dialect.py       what a log line of websockets means, in every version
tap.py           bytes on the wire, as frames; counts.py only counts them
tls_records.py   opens what is encrypted
tls.py           the certificates of a run under TLS
progress.py      the living sentence of a long run
"""
