"""``asyncio.run()`` in a cell, so that code from a page of documentation runs there unchanged.

A kernel runs its cells inside an event loop, so plain ``asyncio.run()`` refuses to start another.
The patch that allows it has to fit the kernel and its Python:

    ipykernel 6     nest_asyncio, or its successor nest_asyncio2
    ipykernel 7     nest_asyncio2 only: with nest_asyncio, JupyterLab's Run All leaves the cells
                    that follow at [*] for ever
    Python 3.14     nest_asyncio2 only: with nest_asyncio no task is current, and asyncio.timeout()
                    fails

In a browser it runs in virtual time: a server and a client of the same program find each other.

The turn of the loop in which the patch is made has counted its callbacks already, and a nested loop
would take some away ("pop from an empty deque": with Run All, ipykernel 6 dies of it). So this
waits for the next turn, and is awaited.

    turn n      the patch is made, sleep(0)
    turn n + 1  the cell ends, the next ones run: asyncio.run() is safe
"""

from __future__ import annotations

import asyncio
import importlib
import math
import sys
from collections.abc import Coroutine
from typing import Any

from ..wires import browser

PYTHON = sys.version_info[:2]


def safe(ipykernel: int) -> tuple[str, ...]:
    """The patches that fit, by ipykernel's major version, the first choice first."""
    if ipykernel >= 7 or PYTHON >= (3, 14):
        return ("nest_asyncio2",)
    return "nest_asyncio", "nest_asyncio2"


async def allow_asyncio_run() -> None:
    """Let ``asyncio.run()`` work in this kernel's later cells, and print in a sentence how.

    Outside a kernel it works anyway.
    """
    if browser.HERE:
        asyncio.run = in_virtual_time
        print(f"asyncio.run() works in this notebook's cells from now on. {browser.NO_SOCKETS}")
        return
    major, version = kernel()
    if major is None:
        print("Not in a notebook: asyncio.run() works as it is.")
        return
    for name in safe(major):
        try:
            patch = importlib.import_module(name)
        except ImportError:
            continue
        patch.apply()
        await asyncio.sleep(0)
        how = f"by {name}, under ipykernel {version}"
        print(f"asyncio.run() works in this notebook's cells from now on ({how}).")
        return
    wanted = safe(major)[0].replace("_", "-")
    print(
        f"asyncio.run() does not work in these cells: pip install {wanted}, "
        "or write `await main()` for `asyncio.run(main())`."
    )


def in_virtual_time(main: Coroutine[Any, Any, Any], **_: Any) -> Any:
    """What ``main`` returns, run where its host is "localhost" or "127.0.0.1"."""
    from ..wires.virtual import VirtualWire

    wire = VirtualWire(0.0, {"server": None, "client": None})
    wire.open()
    try:
        task = wire.loops["client"].create_task(main)
        wire.wait(task.done, math.inf)
    finally:
        wire.close({})
    return task.result()


def kernel() -> tuple[int | None, str]:
    """The ipykernel that runs this code: its major version and its whole one; else (None, "")."""
    ask: Any = getattr(sys.modules.get("IPython"), "get_ipython", None)
    if "ipykernel" not in sys.modules or getattr(ask and ask(), "kernel", None) is None:
        return None, ""
    version = str(sys.modules["ipykernel"].__version__)
    return int(version.split(".")[0]), version
