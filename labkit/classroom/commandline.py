"""What a teacher can ask on the command line, and which module does it.

A module is imported when it is asked for; its ``main(args)`` returns the exit status.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

MODULES = {"class": "workshop", "ready": "ready", "hand-in": "handin", "grade": "grading"}


def add(commands: Any) -> None:
    """Add the commands, with their options, to those of labkit."""
    commands.add_parser("class", help="a class votes: in a room on the network, or with cards")
    _add_ready(commands.add_parser("ready", help="say whether this machine can hold a workshop"))
    _add_hand_in(commands.add_parser("hand-in", help="make one file of a notebook's answers"))
    _add_grade(
        commands.add_parser("grade", help="judge a folder of handed-in files, here and anew")
    )


def do(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit status."""
    module = import_module(f".{MODULES[args.command]}", __package__)
    return int(module.main(args))


def _add_ready(ready: argparse.ArgumentParser) -> None:
    ready.add_argument("--json", action="store_true", help="print JSON, for scripts")


def _add_hand_in(hand_in: argparse.ArgumentParser) -> None:
    hand_in.add_argument("notebook", help="the notebook whose answers are handed in")


def _add_grade(grade: argparse.ArgumentParser) -> None:
    grade.add_argument("folder", help="the folder of the files that `hand-in` wrote")
