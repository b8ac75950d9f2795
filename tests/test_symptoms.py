"""The page of symptoms: its links lead somewhere, and its code does what it is for. (Its fixes run in test_doctor_remedies.py.)"""

import asyncio
import gc
import logging
import re
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from labkit.patterns import fix

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
PAGE = (NOTEBOOKS / "symptoms.md").read_text(encoding="utf-8")
CODE = {re.search(r"def (\w+)|$", code)[1]: code for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)}


def given(name):
    """A function of the page, executed with the imports that the page tells."""
    names = {}
    for line in re.findall(r"(?:^|`)((?:import|from) [^`]+)`", PAGE.partition("They need ")[2].partition("\n\n")[0]):
        exec(line, names)
    exec(CODE[name], names)
    return names[name]


def address(server):
    return "ws://{}:{}".format(*server.sockets[0].getsockname()[:2])


def slug(heading):
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_piece_of_code_is_run_here():
    assert set(CODE) == {"listen", "receive", "health", "no_noise"}


def test_its_links_and_anchors_exist():
    anchors = {slug(heading) for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    for path, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", PAGE):
        assert not path or path.startswith("http") or (NOTEBOOKS / path).exists(), path
        assert not anchor or anchor in anchors, anchor


def test_the_lines_that_matter_are_those_of_the_files_to_copy():
    shown = re.findall(r"^```py\n(.*?)^```", PAGE.partition("\n## The lines that matter")[2], re.MULTILINE | re.DOTALL)
    assert shown == [fix(name) for name in ("watchdog", "reconnect", "broadcast")]


def test_the_questions_that_people_ask_most_have_a_heading_each():
    asked = PAGE.partition("## You ask …")[2].partition("\n## ")[0]
    assert len(re.findall(r"^### ", asked, re.MULTILINE)) == 12


def test_a_listener_leaves_no_exception_that_is_never_retrieved(capsys):
    complaints = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))

        async def hangs_up(websocket):
            websocket.transport.abort()

        async with serve(hangs_up, "127.0.0.1", 0) as server:
            listening = asyncio.create_task(given("listen")(address(server)))
            await asyncio.wait([listening])
        del listening
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert not complaints
    assert capsys.readouterr().out.startswith("lost:")


def test_a_peer_that_says_nothing_is_left_after_the_patience():
    async def main():
        async def silent(websocket):
            await websocket.wait_closed()

        async with serve(silent, "127.0.0.1", 0) as server, connect(address(server), ping_timeout=None) as websocket:
            await given("receive")(websocket, patience=0.05)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_a_health_check_is_answered_and_a_client_still_gets_in():
    async def main():
        async def greets(websocket):
            await websocket.send("hello")

        async with serve(greets, "127.0.0.1", 0, process_request=given("health")) as server:
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{address(server)}/healthz")
            assert refused.value.response.status_code == HTTPStatus.OK
            async with connect(address(server)) as websocket:
                assert await websocket.recv() == "hello"
                with pytest.raises(ConnectionClosed):
                    await websocket.recv()

    asyncio.run(main())


def test_the_filter_drops_failed_handshakes_and_nothing_else(caplog):
    logger = logging.getLogger("websockets.server")
    before = list(logger.filters)
    given("no_noise")
    try:
        logger.error("opening handshake failed")
        logger.error("connection handler failed")
    finally:
        logger.filters[:] = before
    assert caplog.messages == ["connection handler failed"]
