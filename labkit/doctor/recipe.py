"""In which await is every task blocked, and how many bytes wait (above the limit drain() blocks)?

Paste this into a program that has no labkit; it needs only asyncio.
"""

import asyncio
from typing import Any


def where(websocket: Any) -> None:
    for task in asyncio.all_tasks(websocket.loop):
        at: Any = task.get_coro()
        names = []
        while at is not None:
            names.append(getattr(at, "__name__", ""))
            own = at.cr_frame.f_locals.get("self") if names[-1] == "__aexit__" else None
            at = getattr(own, "gen", None) or getattr(at, "cr_await", getattr(at, "ag_await", None))
        print(task.get_name(), " > ".join(name for name in names if name.strip("_") != "aexit"))
    tcp = websocket.transport
    print(tcp.get_write_buffer_size(), "bytes wait; the limit is", tcp.get_write_buffer_limits()[1])
