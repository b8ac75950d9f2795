"""where(): in which await each task of a connection is blocked, in asyncio, legacy and threading; and the recipe without labkit."""

import asyncio
import contextlib
import socket
import sys
import threading
import time
import warnings

import pytest

from labkit import Cut, Experiment, Peer, open_run, where
from labkit.doctor import recipe_text
from labkit.yours.whereabouts import _sendq

BLOCKED = Experiment(
    server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=0.3, send_size=40000, buffer=4096),
    client=Peer(buffer=4096),
    faults=[Cut(9.5)],
    until=60,
)


@pytest.fixture
def blocked():
    """The server of a connection whose drain() has been blocked since the cut."""
    with open_run(BLOCKED, "virtual") as session:
        session.wait(40)
        yield session.ends["server"].connection


def test_a_blocked_drain_shows_in_keepalive_and_in_the_sender(blocked):
    found = where(blocked)
    calls = {one.calls for one in found.tasks}
    assert ("keepalive", "ping", "send_context", "drain") in {one[:4] for one in calls}
    assert any(one[0] == "send" and "drain" in one for one in calls)
    assert found.state == "OPEN" and found.waiting > found.limit == 32768 and not found.drained
    text = str(found)
    assert "keepalive → ping → send_context → drain" in text and "the peer takes no bytes" in text and "bytes wait" in text


def test_a_task_is_enough(blocked):
    found = where(blocked.keepalive_task)
    assert len(found.tasks) == 1 and "drain" in found.tasks[0].calls and found.waiting is None


def test_a_quiet_connection_is_asleep_and_waits_for_messages():
    with open_run(BLOCKED.but(server=Peer(), faults=[]), "virtual") as session:
        session.wait(10)
        found = where(session.ends["server"].connection)
    assert found.drained and found.waiting == 0
    assert {"asleep", "waits for a message"} <= {one.means for one in found.tasks}


def test_the_recipe_is_ten_lines_of_plain_asyncio_which_say_the_same_when_pasted(blocked, capsys):
    body = recipe_text().partition("def where")[2].splitlines()[1:]
    assert len(body) <= 10 and "labkit" not in recipe_text().partition('"""\n')[2]
    names = {}
    exec(recipe_text(), names)
    names["where"](blocked)
    out = capsys.readouterr().out
    assert "keepalive > ping > send_context > drain" in out and f"{blocked.transport.get_write_buffer_size()} bytes wait" in out


def test_legacy_connections_are_understood():
    async def look():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from websockets.legacy.client import connect
            from websockets.legacy.server import serve

            async def echo(websocket):
                async for message in websocket:
                    await websocket.send(message)

            async with serve(echo, "127.0.0.1", 0) as server, connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as websocket:
                reading = asyncio.create_task(websocket.recv())
                await asyncio.sleep(0)
                found = where(websocket)
                reading.cancel()
                return found

    found = asyncio.run(look())
    assert found.state == "OPEN" and "keepalive_ping" in {one.calls[0] for one in found.tasks if one.calls}
    assert any("recv" in one.calls for one in found.tasks)


def test_a_connection_of_threads_shows_its_threads():
    from websockets.sync.client import connect
    from websockets.sync.server import serve

    def hold(websocket):
        with contextlib.suppress(Exception):
            websocket.recv()

    with serve(hold, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with connect(f"ws://127.0.0.1:{server.socket.getsockname()[1]}", proxy=None) as websocket:
            reader = threading.Thread(target=hold, args=(websocket,), name="reader")
            reader.start()
            found = until(lambda: where(websocket), lambda found: any(one.name == "reader" for one in found.tasks))
            assert found.state == "OPEN" and found.waiting is None
            assert next(one for one in found.tasks if one.name == "reader").means == "waits for a message"
        reader.join(5)
        server.shutdown()


def until(look, good, patience=5.0):
    """What ``look`` gives, as soon as it is good."""
    end = time.monotonic() + patience
    while not good(found := look()) and time.monotonic() < end:
        threading.Event().wait(0.01)
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel tells its Send-Q on Linux only")
def test_the_kernels_send_q_is_what_the_peer_has_not_taken():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as one:
        other, _ = listener.accept()
        one.setblocking(False)
        assert _sendq(one) == 0
        with contextlib.suppress(BlockingIOError):
            while True:
                one.send(bytes(65536))
        assert _sendq(one) > 10_000
        other.close()


def test_something_else_is_refused_in_a_sentence():
    with pytest.raises(TypeError, match="a connection of websockets, or an asyncio task, seen str"):
        where("ws://localhost")
