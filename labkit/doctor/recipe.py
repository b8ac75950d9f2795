"""In which await is every task blocked, and how many bytes wait? Paste this: only asyncio."""

import asyncio
from typing import Any


def where(websocket: Any) -> None:
    for task in asyncio.all_tasks(websocket.loop):
        step, names = task.get_coro(), [task.get_name()]  # type: Any, list[str]
        while step is not None:
            names.append(getattr(step, "__name__", ""))
            frame: Any = getattr(step, "cr_frame", None) or getattr(step, "ag_frame", None)
            inner = names[-1] == "__aexit__" and getattr(frame.f_locals.get("self"), "gen", False)
            step = inner or getattr(step, "cr_await", None) or getattr(step, "ag_await", None)
        print(" > ".join(name for name in names if name != "__aexit__"))
    print(websocket.transport.get_write_buffer_size(), "bytes wait")
    print(websocket.transport.get_write_buffer_limits()[1], "bytes: above that, drain() blocks")
