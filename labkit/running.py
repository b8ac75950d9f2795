"""``run`` an experiment and wait for its trace.

Here, or in a worker process on another version of websockets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ends import Handler
from .engine.session import open_run
from .trace import Trace
from .values.experiment import Experiment

if TYPE_CHECKING:
    from .versions import Vintage


def run(
    experiment: Experiment,
    wire: str = "loopback",
    *,
    server: Handler | None = None,
    client: Handler | None = None,
    record: bool = True,
    progress: bool = True,
    guess: float | None = None,
    vintage: Vintage | None = None,
    pcap: str | None = None,
) -> Trace:
    """Run an experiment on a wire: "loopback", "virtual" (a clock that jumps), or "kernel".

    ``server`` and ``client`` replace the application of an end by your own
    ``async def handler(websocket)``. ``record=False`` keeps only states, what the applications
    tell, and how many pings and bytes there were; in virtual time both ends may then begin OPEN,
    without an opening handshake, where that makes no difference from t = 0 on (the trace's header
    says "handshake": false). A run of more than 2 s shows a living sentence unless ``progress`` is
    off; ``guess`` (s) is counted down in it. With a ``vintage``, such as Vintage("14.1"), it runs
    in a worker process, on that version and implementation of websockets and that Python. Returns
    a Trace; raises ValueError if the wire cannot do the experiment, and Hole if there is no such
    vintage here, or no such wire.

    The kernel wire is two network namespaces of Linux with a router between them, in a worker
    process: real TCP that loses packets, so it tries again, gives up, and leaves orphans. The trace
    says what it did (witnesses "tcp" and "kernel"), and the packets go to the file ``pcap``, which
    Wireshark opens. ``python -m labkit kernel`` says whether it works here.

    On the loopback wire it returns within 2 s of the run's end, or of an interrupt, whatever a
    handler does: connections are aborted, tasks cancelled, calls broken off. A handler that was not
    done by then is named with its line, in a StillBusy warning and in the trace's ``ended``. A
    thread that Python cannot stop, such as one in ``time.sleep(40)``, is left behind as a daemon
    without connections.

    On the virtual wire a handler runs in the caller's own thread. An interrupt is raised inside of
    it, and nothing else ends what it calls: with ``except BaseException`` around it, it goes on.
    Where a program is to block, see :func:`labkit.block`; where it is to hang, use the loopback
    wire.
    """
    if pcap is not None and wire != "kernel":
        raise ValueError(f"only the kernel wire has packets to keep in {pcap!r}, seen {wire!r}")
    if vintage is not None or wire == "kernel":
        from .versions import Vintage, run_in

        if server or client or not record:
            raise ValueError(
                "a vintage, and the kernel wire, run in a worker process: it takes an Experiment, "
                "no handlers of your own, and is always recorded"
            )
        chosen = vintage or Vintage()
        return run_in(chosen, experiment, wire, guess=guess, progress=progress, pcap=pcap)
    session = open_run(experiment, wire, server=server, client=client, record=record)
    if not record:
        session.skip_handshake()
    with session:
        from .engine.progress import Living

        with Living(session, guess if progress else None, shown=progress) as living:
            session.wait(tick=living.tick)
    return session.trace
