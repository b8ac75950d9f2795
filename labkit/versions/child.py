"""A worker process, from inside: experiments on standard input, their traces on standard output.

It runs on any Python from 3.10 on, with whatever websockets it finds, and needs nothing else. One
request a line: {"experiment": …, "wire": …, "implementation": …}, and {"pcap": path} if the packets
are to be kept. The answer is {"now": …} now and then, and at last {"lines": n} with the n lines of
the trace, or {"refused": sentence}, {"unavailable": sentence} or {"failed": traceback}. When its
standard input ends, it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from ..engine.session import Session
from ..trace import Trace
from ..trace.files import whole
from ..values.experiment import Experiment
from ..wires import Unavailable, Wire

EVERY = 0.2  # s between two reports


def main(wire: str = "") -> None:
    """Serve until standard input ends; for the kernel wire in namespaces of its own."""
    unavailable = _enter() if wire == "kernel" else ""  # while this is the only thread
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed here is no answer
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    wires: list[Wire] = []
    threading.Thread(target=_listen, args=(requests, wires), daemon=True).start()

    def say(*lines: str) -> None:
        answers.writelines(f"{line}\n" for line in lines)
        answers.flush()

    while True:
        request = requests.get()
        try:
            if unavailable:
                raise Unavailable(unavailable)
            trace = answer(json.loads(request), say, wires)
        except Unavailable as problem:
            say(json.dumps({"unavailable": str(problem)}))
        except ValueError as problem:
            say(json.dumps({"refused": str(problem)}))
        except BaseException:
            say(json.dumps({"failed": traceback.format_exc()}))
        else:
            lines = list(trace.to_lines())
            say(json.dumps({"lines": len(lines)}), *lines)


def _enter() -> str:
    """Enter a user namespace; returns why that cannot be, or nothing."""
    if sys.platform != "linux":
        return f"it needs Linux, and this is {sys.platform}"
    from ..wires.kernel.namespaces import enter

    try:
        enter()
    except Unavailable as problem:
        return str(problem)
    return ""


def _listen(requests: queue.SimpleQueue[str], wires: list[Wire]) -> None:
    for line in sys.stdin:
        requests.put(line)
    for wire in list(wires):
        with contextlib.suppress(Exception):  # it is being closed
            wire.leave_nothing()
    # whoever asked is gone; a thread that is stuck in a call must not keep this process
    os._exit(0)


def answer(request: dict[str, Any], say: Callable[[str], None], wires: list[Wire]) -> Trace:
    """Run one request; meanwhile ``wires`` has its wire."""
    if "identity" in request:
        from ..engine.tls import adopt

        adopt(request["identity"])
    experiment = Experiment.from_data(request["experiment"])
    wire, implementation = request["wire"], request["implementation"]
    with Session(
        experiment, wire, {"server": None, "client": None}, True, implementation
    ) as session:
        wires[:] = [session.wire]
        session.wait(tick=_reporter(session, say))
    if path := request.get("pcap"):
        with whole(path) as draft, open(draft, "wb") as file:
            file.writelines(session.wire.capture())
    return session.trace


def _reporter(session: Session, say: Callable[[str], None]) -> Callable[[], None]:
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            say(json.dumps({"now": session.now, **session.states}))

    return tick
