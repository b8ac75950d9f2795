"""Messages by number, over as many connections as it takes: none lost, none doubled.

For use with client.py beside it, to copy with it; ``receiver`` is a handler for any server.

    first_to_end           several things at once over one connection; when one of them ends, all do
    heartbeat              ask the peer's *program* whether it is there (a ping asks its library)
    Outbox                 messages by number, kept until they are acknowledged
    goodbye                close a connection, but do not wait for ever
    send_kept, read_acknowledgements   what an outbox does over one connection
    deliver                all of these: a connection for as long as the program lives, no loss
    receiver               the other end: take every message once, in order, and acknowledge it

On the wire, towards the receiver: a JSON list of the sender's name, a number and a text (number 0:
only a question). Back: the last number that was taken.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.exceptions import ConnectionClosed

from .client import keep_connected

Take = Callable[[str, str], None]  # what is done with a message: take(name, text)
Handler = Callable[[Any], Coroutine[Any, Any, None]]


async def first_to_end(*programs: Coroutine[Any, Any, Any]) -> None:
    """Run all of them at once; as soon as one ends, cancel the others, and raise what it raised.

    If several end in the same instant, the first of them in the order given counts.
    """
    tasks = [asyncio.create_task(program) for program in programs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in filter(asyncio.Task.done, tasks):
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def heartbeat(
    websocket: Any,
    heard: asyncio.Event,
    question: str = "?",
    every: float = 5.0,
    patience: float = 5.0,
) -> None:
    """Ask every so many seconds, for ever; TimeoutError without an answer in ``patience`` (s).

    Whoever reads the connection sets ``heard`` when an answer comes: there is only one recv().
    """
    while True:
        heard.clear()
        await websocket.send(question)  # it may wait behind much else; if stuck, see client.py
        async with asyncio.timeout(patience):
            await heard.wait()
        await asyncio.sleep(every)


class Outbox:
    """The messages of one sender, by number, kept until they are acknowledged.

    It outlives every connection. Its numbers begin at 1, so each outbox needs a name of its own:
    after a restart of the process, a new one (uuid4).
    """

    def __init__(self, name: str, most: int = 100_000) -> None:
        self.name, self.most = name, most  # messages that are kept at the same time
        self.last = 0  # the number of the newest message
        self.taken = 0  # the last number that the receiver has taken
        self.kept: dict[int, str] = {}  # in order
        self.more = asyncio.Event()  # there is something new to send
        self.heard = asyncio.Event()  # the receiver has answered

    def put(self, text: str) -> None:
        """Take a message to be delivered; asyncio.QueueFull if ``most`` are waiting already."""
        if len(self.kept) >= self.most:
            raise asyncio.QueueFull(f"{self.most} messages are kept, and not acknowledged")
        self.last += 1
        self.kept[self.last] = text
        self.more.set()

    def acknowledged(self, number: int) -> None:
        """The receiver has every message up to this number: forget them. ValueError if not so."""
        if not self.taken <= number <= self.last:
            # It forgot its numbers, or knows another sender by this name: data is lost.
            raise ValueError(
                f"expected a number from {self.taken} to {self.last} to be acknowledged "
                f"to {self.name!r}, seen {number}"
            )
        for done in range(self.taken + 1, number + 1):
            del self.kept[done]
        self.taken = number
        self.heard.set()


async def send_kept(websocket: Any, outbox: Outbox) -> None:
    """Send all that is kept, the oldest first, then what is put in: once for each connection."""
    number = outbox.taken
    while True:
        outbox.more.clear()
        while number < outbox.last:
            number += 1
            if number in outbox.kept:  # it may have been acknowledged meanwhile
                await websocket.send(json.dumps([outbox.name, number, outbox.kept[number]]))
        await outbox.more.wait()


async def read_acknowledgements(websocket: Any, outbox: Outbox) -> None:
    """Read until the connection is closed."""
    async for message in websocket:
        outbox.acknowledged(int(message))


async def goodbye(websocket: Any, patience: float) -> None:
    """Close a connection; abort it after ``patience`` (s), if CLOSE is stuck."""
    try:
        async with asyncio.timeout(patience):
            await websocket.close()
    except TimeoutError:
        websocket.transport.abort()


async def deliver(
    uri: str,
    outbox: Outbox,
    spread: float = 5.0,
    every: float = 5.0,
    patience: float = 5.0,
    **settings: Any,
) -> None:
    """Keep a connection for as long as the program lives, and deliver what is put into the outbox.

    ``spread`` (s): who has lost a connection waits by chance up to this long before dialling
    again, since others have lost theirs, too. ``settings`` go to connect(). Ends if it is cancelled
    (with a goodbye), or if trying again cannot help: a server refuses, or numbers do not fit. Its
    bounds are those of client.py, with every for ping_interval and patience for close_timeout.
    """
    question, wait = json.dumps([outbox.name, 0, ""]), patience

    async def talk(websocket: Any) -> None:
        nonlocal wait
        taken = outbox.taken
        try:
            await first_to_end(
                send_kept(websocket, outbox),
                read_acknowledgements(websocket, outbox),
                heartbeat(websocket, outbox.heard, question, every, wait),
            )
        except TimeoutError:
            websocket.transport.abort()  # a goodbye would wait for an answer, too
            raise
        finally:  # a line may be too slow for our patience: then the next connection waits longer
            wait = patience if outbox.taken > taken else min(2 * wait, 64 * patience)

    timers = {"ping_interval": every, "close_timeout": patience, **settings}
    await keep_connected(uri, talk, spread, **timers)


def receiver(take: Take, last: dict[str, int]) -> Handler:
    """A handler for serve() that calls ``take(name, text)`` once for every message, in order.

    ``last`` holds the last number taken, by sender. Keep it where you keep what you took, changed
    in the same transaction: a server that forgets it takes nothing more. ``take`` runs in the event
    loop, so let it be short; if it raises, the connection ends, and the message comes again.
    """

    async def handler(websocket: Any) -> None:
        try:
            async for message in websocket:
                name, number, text = json.loads(message)
                if number == last.get(name, 0) + 1:
                    take(name, text)  # nothing is awaited from here until it is noted
                    last[name] = number
                await websocket.send(str(last.get(name, 0)))
        except ConnectionClosed:
            pass  # the sender will be back, with all that we did not acknowledge

    return handler
