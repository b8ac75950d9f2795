"""The command line: ``python -m labkit run …`` and ``python -m labkit show trace.jsonl``. Wrong usage: exit 2 and one sentence."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from . import Cut, Experiment, Peer, Trace


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong call gets one sentence and not the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def seconds(text: str) -> float | None:
    """A number of seconds, or "none"."""
    if text.lower() == "none":
        return None
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected seconds or 'none', seen {text!r}") from None
    return int(value) if value.is_integer() else value


def parser() -> Parser:
    """What can be asked."""
    top = Parser(prog="python -m labkit", description="How WebSocket connections stay alive, die and say goodbye.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)

    run = commands.add_parser("run", help="cut a real connection and see who notices, and when")
    for name, default, what in (
        ("ping-interval", 20, "seconds between the server's keepalive pings"),
        ("ping-timeout", 20, "seconds it waits for a pong"),
        ("close-timeout", 10, "seconds it waits for the closing handshake"),
    ):
        run.add_argument(f"--{name}", type=seconds, default=default, metavar="S", help=f"{what}, or none (default {default})")
    run.add_argument("--client-ping-interval", type=seconds, default=None, metavar="S", help="the client's own keepalive (default none)")
    run.add_argument("--cut", type=seconds, metavar="T", help="cut the wire at this time (s after the server was OPEN)")
    run.add_argument("--heal", type=seconds, metavar="T", help="heal it again")
    run.add_argument("--direction", choices=["both", "to_client", "to_server"], default="both", help="what the cut silences")
    run.add_argument("--latency", type=seconds, default=0.0, metavar="S", help="of the wire, one way (default 0)")
    run.add_argument("--tls", action="store_true", help="speak wss://, with certificates made on the fly")
    run.add_argument("--until", type=seconds, metavar="T", help="end the run then, if it has not ended by itself")
    run.add_argument("--wire", choices=["loopback", "virtual"], default="loopback", help="real TCP in real time, or a clock that jumps")
    run.add_argument("--log", action="store_true", help="print the library's DEBUG log of the server too")
    _outputs(run)

    show = commands.add_parser("show", help="print a saved trace, and draw it")
    show.add_argument("trace", help="a file that `run --json` or Trace.save() wrote")
    _outputs(show)
    return top


def _outputs(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", metavar="FILE", help="save the trace as JSON Lines")
    command.add_argument("--figure", metavar="FILE", help="draw the timeline: .png or .svg")


def experiment(args: argparse.Namespace) -> Experiment:
    """The experiment that the options describe."""
    if args.heal is not None and args.cut is None:
        raise ValueError("--heal needs --cut: there is nothing to heal")
    server = Peer(ping_interval=args.ping_interval, ping_timeout=args.ping_timeout, close_timeout=args.close_timeout)
    faults = [] if args.cut is None else [Cut(at=args.cut, heal=args.heal, direction=args.direction)]
    client = Peer(ping_interval=args.client_ping_interval)
    return Experiment(server=server, client=client, faults=faults, latency=args.latency, until=args.until, tls=args.tls)


def output(trace: Trace, args: argparse.Namespace) -> None:
    """The table, and the files that were asked for."""
    print(trace)
    if args.json:
        print(f"\nsaved {trace.save(args.json)}")
    if args.figure:
        from . import plots, predict

        print(f"\ndrawn {plots.save(plots.timeline(trace, predict(trace.experiment)), args.figure)}")


def main(argv: list[str] | None = None) -> int:
    """Do what was asked; returns the exit status."""
    top = parser()
    args = top.parse_args(argv)
    try:
        _check_suffix(args.figure)
        if args.command == "show":
            trace = Trace.load(args.trace)
        else:
            from . import run

            trace = run(experiment(args), args.wire)
            if args.log:
                print(*trace.log("server"), "", sep="\n")
        output(trace, args)
    except (ValueError, TypeError, OSError) as problem:
        print(f"{top.prog}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def _check_suffix(figure: Any) -> None:
    if figure and not str(figure).endswith((".png", ".svg")):
        raise ValueError(f"--figure {figure}: expected a name that ends in .png or .svg")


if __name__ == "__main__":
    sys.exit(main())
