"""My program: a wire that stands before a server of one's own, in any language, and can be hurt.

    client ── 127.0.0.1:9000 ── forwarder: pipe → / ← pipe ── 127.0.0.1:8000 ── server

wire.py       the forwarder of the loopback wire, alone, between two ports
watching.py   what crosses a connection: as lines while it lives, and as a trace
console.py    keys and commands, and what is printed

It knows nothing of the programs at both ends but what they put on the wire.
"""
