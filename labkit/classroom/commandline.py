"""What a teacher can ask on the command line, and which module does it.

A module is imported when it is asked for; its ``main(args)`` returns the exit status.
"""

from __future__ import annotations

import argparse
import ipaddress
from importlib import import_module
from pathlib import Path
from typing import Any

MODULES = {"ready": "ready", "hand-in": "handin", "grade": "grading"}


def add(commands: Any) -> None:
    """Add the commands, with their options, to those of labkit."""
    _add_class(
        commands.add_parser("class", help="a class votes: in a room on the network, or with cards")
    )
    _add_ready(commands.add_parser("ready", help="say whether this machine can hold a workshop"))
    _add_hand_in(commands.add_parser("hand-in", help="make one file of a notebook's answers"))
    _add_grade(
        commands.add_parser("grade", help="judge a folder of handed-in files, here and anew")
    )


def do(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit status."""
    name = args.module if args.command == "class" else MODULES[args.command]
    try:
        module = import_module(f".{name}", __package__)
    except ModuleNotFoundError as problem:
        remedy = "this runs in a clone of the lab, installed with [lab] as the README says"
        raise RuntimeError(f"{problem}: {remedy}") from None
    return int(module.main(args))


def address(text: str) -> str:
    """One address of this machine, as a number; never all of them."""
    try:
        one = ipaddress.ip_address(text)
    except ValueError:
        expected = "expected one address such as 192.168.1.5"
        raise argparse.ArgumentTypeError(f"{expected}, seen {text!r}") from None
    if one.is_unspecified or one.is_multicast:
        raise argparse.ArgumentTypeError(f"{text} is not one address of this machine")
    return str(one)


def _add_class(room: argparse.ArgumentParser) -> None:
    room.set_defaults(module="server")
    room.add_argument(
        "--address",
        type=address,
        default="127.0.0.1",
        help="where to serve: one address of this machine (default: for this machine only)",
    )
    room.add_argument("--port", type=int, default=8765, help="its port (default 8765; 0: any)")
    room.add_argument("--yes", action="store_true", help="do not ask whether that is meant")
    actions = room.add_subparsers(metavar="[cards | merge]")
    cards = actions.add_parser(
        "cards", help="no network: write cards to print, and the projector's page"
    )
    cards.set_defaults(module="pages")
    cards.add_argument(
        "--to", type=Path, default=Path(), metavar="FOLDER", help="where (default: here)"
    )
    _add_merge(actions.add_parser("merge", help="no network: count what is in learners' ledgers"))


def _add_merge(merge: argparse.ArgumentParser) -> None:
    merge.set_defaults(module="merge")
    merge.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="a learner's my-guesses.jsonl, each"
    )
    merge.add_argument(
        "--room", nargs="*", type=Path, default=[], metavar="FILE", help="what a room has saved"
    )
    merge.add_argument("--html", type=Path, metavar="FILE", help="write a page, too")


def _add_ready(ready: argparse.ArgumentParser) -> None:
    ready.add_argument("--json", action="store_true", help="print JSON, for scripts")


def _add_hand_in(hand_in: argparse.ArgumentParser) -> None:
    hand_in.add_argument("notebook", help="the notebook whose answers are handed in")


def _add_grade(grade: argparse.ArgumentParser) -> None:
    grade.add_argument("folder", help="the folder of the files that `hand-in` wrote")
