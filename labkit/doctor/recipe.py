"""In which await is every task blocked, and how many bytes wait? Paste this into a program that has no labkit; it needs only asyncio."""

import asyncio
from typing import Any


def where(websocket: Any) -> None:
    for task in asyncio.all_tasks(websocket.loop):
        step: Any = task.get_coro()
        names = []
        while step is not None:
            names.append(getattr(step, "__name__", ""))
            frame = getattr(step, "cr_frame", None) or getattr(step, "ag_frame", None)
            inner = (
                getattr(frame and frame.f_locals.get("self"), "gen", None)
                if names[-1] == "__aexit__"
                else None
            )
            step = inner or getattr(step, "cr_await", None) or getattr(step, "ag_await", None)
        print(task.get_name(), " > ".join(name for name in names if name.strip("_") != "aexit"))
    print(
        websocket.transport.get_write_buffer_size(),
        "bytes wait; drain() blocks above",
        websocket.transport.get_write_buffer_limits()[1],
    )
