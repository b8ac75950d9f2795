"""A worker process, from inside: experiments on standard input, their traces on standard output.

It runs on any Python from 3.10 on, with whatever websockets it finds, and needs nothing else. One
request a line: {"experiment": …, "wire": …, "implementation": …}. The answer is {"now": …} now and
then, and at last {"lines": n} with the n lines of the trace, or {"refused": sentence}, or
{"failed": traceback}. When its standard input ends, it ends.
"""

from __future__ import annotations

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
from ..values.experiment import Experiment

EVERY = 0.2  # s between two reports


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed here is no answer
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()

    def say(*lines: str) -> None:
        answers.writelines(f"{line}\n" for line in lines)
        answers.flush()

    while True:
        try:
            trace = answer(json.loads(requests.get()), say)
        except ValueError as problem:
            say(json.dumps({"refused": str(problem)}))
        except BaseException:
            say(json.dumps({"failed": traceback.format_exc()}))
        else:
            lines = list(trace.to_lines())
            say(json.dumps({"lines": len(lines)}), *lines)


def _listen(requests: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    # whoever asked is gone; a thread that is stuck in a call must not keep this process
    os._exit(0)


def answer(request: dict[str, Any], say: Callable[[str], None]) -> Trace:
    """Run one request."""
    if "identity" in request:
        from ..engine.tls import adopt

        adopt(request["identity"])
    experiment = Experiment.from_data(request["experiment"])
    wire, implementation = request["wire"], request["implementation"]
    with Session(
        experiment, wire, {"server": None, "client": None}, True, implementation
    ) as session:
        session.wait(tick=_reporter(session, say))
    return session.trace


def _reporter(session: Session, say: Callable[[str], None]) -> Callable[[], None]:
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            say(json.dumps({"now": session.now, **session.states}))

    return tick
