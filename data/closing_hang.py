"""Record closing-hang.jsonl: a server is CLOSING for 48 s, although its close_timeout is 2 s.

    python data/closing_hang.py

In virtual time, so that it is the same on every machine. What happens (do not tell a learner
before notebook 05):

     9.0  cut; 2 kB every 0.2 s now fill the wire (12 KiB), then asyncio's write buffer
    12.0  a ping is due: it is written behind them, its timer starts
    13.4  the write buffer is above write_limit (32 KiB): from now on drain() waits
    15.0  no pong: CLOSE is written, CLOSING, and drain() is awaited – outside of close_timeout
    45.0  healed; TCP has tried what is stuck again at 35.9 s, and does so next at 62.8 s
    62.8  the buffer drains, and the connection closes
"""

from pathlib import Path

from labkit import Cut, Experiment, Peer, run

SERVER = Peer(
    ping_interval=4,
    ping_timeout=3,
    close_timeout=2,
    send_size=2000,
    send_every=0.2,
    buffer=12 * 1024,
)
EXPERIMENT = Experiment(server=SERVER, faults=[Cut(at=9, heal=45)])

if __name__ == "__main__":
    print(run(EXPERIMENT, wire="virtual").save(Path(__file__).with_name("closing-hang.jsonl")))
