"""The command line: ``python -m labkit run …``, ``story``, ``wire``, ``show``, ``doctor``, …

What can be asked is in commandline.py. What cannot be done: exit 2 and one sentence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import Cut, Experiment, Peer, Trace
from .commandline import parser


def experiment(args: argparse.Namespace) -> Experiment:
    """The experiment that the options describe."""
    if args.heal is not None and args.cut is None:
        raise ValueError("--heal needs --cut: there is nothing to heal")
    cut = Cut(at=args.cut, heal=args.heal, direction=args.direction)
    return Experiment(
        server=Peer(
            ping_interval=args.ping_interval,
            ping_timeout=args.ping_timeout,
            close_timeout=args.close_timeout,
        ),
        client=Peer(ping_interval=args.client_ping_interval),
        faults=[] if args.cut is None else [cut],
        latency=args.latency,
        until=args.until,
        tls=args.tls,
    )


def output(trace: Trace, args: argparse.Namespace) -> None:
    """The table, and the files that were asked for."""
    print(trace)
    if args.json:
        print(f"\nsaved {trace.save(args.json)}")
    if args.figure:
        from . import plots, predict

        drawn = plots.timeline(trace, predict(trace.experiment))
        print(f"\ndrawn {plots.save(drawn, args.figure)}")


def do_run(args: argparse.Namespace) -> None:
    from . import run

    _check_suffix(args.figure)
    trace = run(experiment(args), args.wire, pcap=args.pcap)
    if args.log:
        print(*trace.log("server"), "", sep="\n")
    output(trace, args)


def do_story(args: argparse.Namespace) -> None:
    from . import story

    timers = args.ping_interval, args.ping_timeout, args.close_timeout
    print(story(*timers, cut=args.cut, heal=args.heal, latency=args.latency, end=args.end))


def do_wire(args: argparse.Namespace) -> None:
    from .yours.console import stand

    stand(args.port, args.server, args.trace)


def do_show(args: argparse.Namespace) -> None:
    _check_suffix(args.figure)
    output(Trace.load(args.trace), args)


def do_kernel(args: argparse.Namespace) -> None:
    """Try the kernel wire, and say whether it works, or why it does not."""
    from .versions import why_no_kernel

    why = why_no_kernel()
    if why and args.required:
        raise ValueError(why)
    print(why or "The kernel wire works here: run(experiment, wire='kernel').")


def do_vintages(args: argparse.Namespace) -> None:
    from .versions import shelf

    if args.action == "list":
        print(shelf.report())
        return
    default = [*shelf.ALL, shelf.installed()] if args.all else shelf.LIVE
    for version in args.versions or default:
        done = "fetched" if shelf.fetch(version) else "was here already"
        print(f"websockets {version}: {done}", flush=True)


def do_matrix(args: argparse.Namespace) -> None:
    from .versions.matrix import record

    print(record(Path(args.to)))


def do_doctor(args: argparse.Namespace) -> None:
    """The doctor's report, or the recipe."""
    from . import doctor

    _check_suffix(args.figure)
    if args.recipe:
        print(doctor.recipe_text(), end="")
        return
    report = doctor.diagnose_files(args.files)
    print(doctor.to_json(report) if args.json else report)
    if args.figure:
        from . import plots

        path = plots.save(doctor.draw(report, args.connection), args.figure)
        print(f"drawn {path}", file=sys.stderr if args.json else sys.stdout)


def do_classroom(args: argparse.Namespace) -> int:
    from .classroom import commandline

    return commandline.do(args)


COMMANDS: dict[str, Callable[[argparse.Namespace], int | None]] = {
    "run": do_run,
    "story": do_story,
    "wire": do_wire,
    "show": do_show,
    "kernel": do_kernel,
    "vintages": do_vintages,
    "matrix": do_matrix,
    "doctor": do_doctor,
    "class": do_classroom,
    "ready": do_classroom,
    "hand-in": do_classroom,
    "grade": do_classroom,
}


def main(argv: list[str] | None = None) -> int:
    """Do what was asked; returns the exit status."""
    top = parser()
    args = top.parse_args(argv)
    try:
        return COMMANDS[args.command](args) or 0
    except (ValueError, TypeError, OSError, RuntimeError) as problem:
        print(f"{top.prog}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _check_suffix(figure: Any) -> None:
    if figure and not str(figure).endswith((".png", ".svg")):
        raise ValueError(f"--figure {figure}: expected a name that ends in .png or .svg")


if __name__ == "__main__":
    sys.exit(main())
