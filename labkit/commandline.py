"""What can be asked on the command line: the commands, their options, and what each one means.

Wrong usage: exit 2 and one sentence.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

from .values.faults import ENDS


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


def port(text: str) -> int:
    """A port of this machine: 9000, 127.0.0.1:9000 or localhost:9000."""
    host, _, number = text.rpartition(":")
    if host not in ("", "127.0.0.1", "localhost"):
        remedy = "a wire stands on this machine only, at 127.0.0.1"
        raise argparse.ArgumentTypeError(f"expected a port such as 9000, seen {text!r}: {remedy}")
    if not number.isascii() or not number.isdigit() or not 0 < int(number) < 2**16:
        expected = "a port from 1 to 65535, such as 9000"
        raise argparse.ArgumentTypeError(f"expected {expected}, seen {text!r}")
    return int(number)


SECONDS = {  # options of run: default, metavar, what
    "ping-interval": (
        20,
        "S",
        "seconds between the server's keepalive pings, or none (default 20)",
    ),
    "ping-timeout": (20, "S", "seconds it waits for a pong, or none (default 20)"),
    "close-timeout": (10, "S", "seconds it waits for the closing handshake, or none (default 10)"),
    "client-ping-interval": (None, "S", "the client's own keepalive (default none)"),
    "cut": (None, "T", "cut the wire at this time (s after the server was OPEN)"),
    "heal": (None, "T", "heal it again"),
    "latency": (0.0, "S", "of the wire, one way (default 0)"),
    "until": (None, "T", "end the run then, if it has not ended by itself"),
}


def parser() -> Parser:
    """What can be asked."""
    from .classroom import commandline as classroom

    top = Parser(
        prog="python -m labkit",
        description="How WebSocket connections stay alive, die and say goodbye.",
    )
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)

    _add_run(commands.add_parser("run", help="cut a real connection and see who notices, and when"))
    _add_story(
        commands.add_parser("story", help="your own timers: say what happens with them, and why")
    )
    _add_wire(
        commands.add_parser(
            "wire", help="stand before your own server: cut, delay and reset what crosses, and see"
        )
    )
    _add_show(commands.add_parser("show", help="print a saved trace, and draw it"))
    _add_kernel(commands.add_parser("kernel", help="say whether the kernel wire works here"))
    _add_vintages(
        commands.add_parser(
            "vintages", help="other versions of websockets: list those that are here, or fetch some"
        )
    )
    _add_matrix(
        commands.add_parser(
            "matrix", help="run every cell of the matrix that this machine can, and record it"
        )
    )
    _add_doctor(
        commands.add_parser(
            "doctor",
            help="read a debug log of websockets: what became of each connection, why, what to do",
        )
    )
    classroom.add(commands)
    return top


def _add_run(run: Parser) -> None:
    for name, (default, metavar, what) in SECONDS.items():
        run.add_argument(f"--{name}", type=seconds, default=default, metavar=metavar, help=what)
    run.add_argument(
        "--direction",
        choices=["both", "to_client", "to_server"],
        default="both",
        help="what the cut silences",
    )
    run.add_argument(
        "--tls", action="store_true", help="speak wss://, with certificates made on the fly"
    )
    run.add_argument(
        "--wire",
        choices=["loopback", "virtual", "kernel"],
        default="loopback",
        help="real TCP in real time, a clock that jumps, or two kernels and a router (Linux)",
    )
    run.add_argument("--pcap", metavar="FILE", help="keep the packets of the kernel wire")
    run.add_argument(
        "--log", action="store_true", help="print the library's DEBUG log of the server too"
    )
    _add_outputs(run)


def _add_story(story: Parser) -> None:
    for name in ("ping-interval", "ping-timeout", "close-timeout"):
        default, _, what = SECONDS[name]
        story.add_argument(
            name.replace("-", "_"),
            nargs="?",
            type=seconds,
            default=default,
            metavar=name,
            help=what,
        )
    for name in ("cut", "heal", "latency"):
        default, metavar, what = SECONDS[name]
        story.add_argument(f"--{name}", type=seconds, default=default, metavar=metavar, help=what)
    story.add_argument(
        "--end",
        choices=ENDS,
        default="server",
        help="whose timers these are (default server); the other end sends no pings",
    )


def _add_wire(wire: Parser) -> None:
    wire.add_argument("port", type=port, help="where your client dials, on 127.0.0.1")
    wire.add_argument("server", type=port, help="where your server listens, on 127.0.0.1")
    wire.add_argument(
        "--trace",
        metavar="FILE",
        help="save what was seen of each WebSocket in the end, for show and for the figures",
    )


def _add_show(show: Parser) -> None:
    show.add_argument("trace", help="a file that `run --json` or Trace.save() wrote")
    _add_outputs(show)


def _add_kernel(kernel: Parser) -> None:
    kernel.add_argument(
        "--required", action="store_true", help="exit 2 if it does not work, as for a test"
    )


def _add_vintages(vintages: Parser) -> None:
    actions = vintages.add_subparsers(dest="action", required=True, parser_class=Parser)
    actions.add_parser("list", help="what is here: versions, implementations, Pythons")
    fetch = actions.add_parser(
        "fetch", help="fetch old versions once; afterwards they work offline"
    )
    fetch.add_argument(
        "versions",
        nargs="*",
        metavar="VERSION",
        help="such as 14.1 (default: those that the notebooks run)",
    )
    fetch.add_argument("--all", action="store_true", help="every version of the recorded matrix")


def _add_matrix(matrix: Parser) -> None:
    matrix.add_argument(
        "--to",
        default="data",
        metavar="FOLDER",
        help="where matrix.jsonl and the folder matrix go (default data)",
    )


def _add_doctor(doctor: Parser) -> None:
    doctor.add_argument(
        "files",
        nargs="*",
        default=["-"],
        metavar="FILE",
        help="logs, rotated ones oldest first; none, or -: standard input",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON, for scripts")
    doctor.add_argument(
        "--figure",
        metavar="FILE",
        help="draw the timeline of a connection from the log: .png or .svg",
    )
    doctor.add_argument(
        "--connection",
        type=int,
        metavar="N",
        help="which connection to draw (default: the first that can be)",
    )
    doctor.add_argument(
        "--recipe",
        action="store_true",
        help="print ten lines to paste into a program that hangs: where is it blocked?",
    )


def _add_outputs(command: Parser) -> None:
    command.add_argument("--json", metavar="FILE", help="save the trace as JSON Lines")
    command.add_argument("--figure", metavar="FILE", help="draw the timeline: .png or .svg")
