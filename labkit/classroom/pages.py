"""Pages, from the templates beside this file; and those that need no network, as files.

Each page is whole: it asks no other address for anything.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tornado.template import Loader

from checks.workshop import POLLS

from ..trace.files import whole

LOADER = Loader(str(Path(__file__).with_name("templates")))
LETTERS = "ABCDEFGH"


def page(name: str, **fields: Any) -> str:
    """The page of this name, or a part of one; what is written into it is escaped."""
    return LOADER.load(name).generate(letters=LETTERS, **fields).decode()


def main(args: argparse.Namespace) -> int:
    """Write the cards and the projector's page."""
    args.to.mkdir(parents=True, exist_ok=True)
    for name in ("cards.html", "projector.html"):
        path = args.to / name
        with whole(path) as draft:
            draft.write_text(page(name, polls=POLLS), encoding="utf-8")
        print(f"written {path}")
    return 0
