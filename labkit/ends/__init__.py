"""The two ends: a websockets server and client, and the application that lives at each.

They know nothing of wires (they are given a socket) and nothing of being watched: they take a
logger, as any program of websockets may, and their application reports what it does to an
``observe`` function. end.py is what they share; capabilities.py knows what which version has.
websockets comes in four implementations:

    with_asyncio.py    asyncio, and legacy: coroutines in the loop that the wire gives
    with_threads.py    threading: blocking calls, a thread for each
    with_trio.py       trio: coroutines in a trio loop, in a thread of its own
"""

from __future__ import annotations

from typing import Any

from .end import End, Handler

__all__ = ["End", "Handler", "make_end"]


def make_end(implementation: str, *args: Any) -> End:
    """An end of that implementation; the other arguments are those of :class:`End`."""
    if implementation == "threading":
        from .with_threads import ThreadingEnd

        return ThreadingEnd(*args)
    if implementation == "trio":
        from .with_trio import TrioEnd

        return TrioEnd(*args)
    from .with_asyncio import AsyncioEnd, LegacyEnd

    return LegacyEnd(*args) if implementation == "legacy" else AsyncioEnd(*args)
