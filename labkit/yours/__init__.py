"""Your own: your numbers, your program, and where your connection is blocked.

numbers.py      story: what happens with your timers, in words
wire.py         a wire that stands before a server of your own, in any language
watching.py     what crosses it: as lines while it lives, and as a trace
console.py      its keys and commands, and what is printed
whereabouts.py  where: in which await a connection of your own program is blocked
cells.py        asyncio.run() in a cell, so that code from a page of documentation runs there

    client ── 127.0.0.1:9000 ── forwarder: pipe → / ← pipe ── 127.0.0.1:8000 ── server

It knows nothing of the programs at both ends but what they put on the wire.
"""
