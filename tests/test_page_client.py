"""A page as the client: what it tells, what is refused, what stands in. A thread plays the page here; tests/browser has a real one."""

import asyncio
import json
import re
import threading
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from labkit import Cut, Experiment, Goodbye, HangUp, Peer, Reset, Send, run, run_with_page
from labkit.trace.why import why
from labkit.widgets import page_client
from labkit.widgets.page_client import RECORDED, Output

SERVER = Peer(ping_interval=0.3, ping_timeout=0.2, close_timeout=0.2)
SECRET = {"Cookie": "username=secret"}


class Page(Output):
    """What page_client.js does, in a thread: it looks often, and knows only its own WebSocket."""

    thread = None

    def show(self, shown, plain):
        if self.thread:
            self.thread.join()
            self.last = plain
            return
        self.config = json.loads(re.search(r"\}\)\((\{.*\})\);", shown)[1])
        self.thread = threading.Thread(target=asyncio.run, args=(self.live(),))
        self.thread.start()

    async def live(self):
        with suppress(ConnectionClosed):
            async with connect(self.config["report"], ping_interval=None) as self.kernel:
                await self.tell(methods=["close", "send"], browser="a thread")
                await self.tell(readyState=0)
                await self.dial(self.config["wire"])

    async def dial(self, wire):
        async with connect(wire, ping_interval=None, close_timeout=0.1, additional_headers=SECRET, compression=None) as socket:
            closed = asyncio.ensure_future(socket.wait_closed())
            while not closed.done():
                await self.tell(readyState=1)
                await asyncio.wait([closed], timeout=0.1)
            code = socket.close_code
            await self.tell(readyState=3, code=code, reason=socket.close_reason, wasClean=code != 1006)

    async def tell(self, **data):
        await self.kernel.send(json.dumps(data))


@pytest.fixture
def page(monkeypatch):
    page = Page()
    monkeypatch.setattr(page_client, "Output", lambda: page)
    return page


@pytest.mark.parametrize("fault, code", [(Reset(at=0.1), 1006), (HangUp(at=0.1), 1006), (Goodbye(at=0.1, end="server", code=1001), 1001)])
def test_what_the_page_is_told_is_in_the_trace(page, fault, code):
    trace = run_with_page(Experiment(server=SERVER, faults=[fault]), patience=30)
    (told,) = trace.raised("client")
    assert (told.type, told.awaiting, told.code) == ("CloseEvent", "onclose", code)
    assert [state for _, state in trace.states("client")] == ["CONNECTING", "OPEN", "CLOSED"]
    assert f"onclose is called: code {code}" in str(trace)
    assert ("it got the server's CLOSE (1001)" in why(trace)) == (code == 1001)
    assert "methods close, send; none of them sends a ping" in page.last
    assert re.search(rf"readyState was 1 OPEN .*\n.* 3 CLOSED .*\nonclose was called at .* code {code}, wasClean", page.last)


def test_the_page_looks_once_more_after_a_cut_that_it_cannot_see(page):
    trace = run_with_page(Experiment(server=SERVER, faults=[Cut(at=0.4)]), patience=30)
    looks = trace.select("ready_state", "client")
    assert looks[-1].t > trace.closed_at("server") and looks[-1].data["value"] == 1
    assert trace.noticed_at("client") is None and page.last.endswith("onclose was not called.")


def test_the_cookie_that_a_browser_sends_to_every_port_is_not_kept(page):
    trace = run_with_page(Experiment(server=SERVER, faults=[Reset(at=0.1)]), patience=30)
    text = "\n".join(trace.to_lines())
    assert "Cookie: (left out)" in text and "secret" not in text


def test_who_does_not_know_the_token_and_a_second_page_are_sent_away(page, monkeypatch):
    answers = []

    async def intrude(self, wire):
        for url in (wire, self.config["report"]):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url[:-1], origin="http://elsewhere.example")
            answers.append(refused.value.response.status_code)
        async with connect(self.config["report"]) as second:
            await second.wait_closed()
        await Page.dial(self, wire)

    monkeypatch.setattr(page, "dial", intrude.__get__(page))
    trace = run_with_page(Experiment(server=SERVER, faults=[Reset(at=0.1)]), patience=30)
    assert answers == [403, 403]
    assert trace.raised("client")[0].code == 1006


def test_a_run_that_is_broken_off_leaves_no_script_and_no_thread(page, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(page_client.PageSession, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_with_page(Experiment(server=SERVER, until=30), patience=30)
    assert page.last == "The run was broken off."
    assert not [one.name for one in threading.enumerate() if one.name.startswith("labkit")]


@pytest.mark.parametrize("close_timeout, name", [(1, "page-1006"), (5, "page-1011"), (2, "page-1006")])
def test_where_no_page_comes_a_sentence_says_so_and_a_recorded_trace_stands_in(capsys, close_timeout, name):
    server = Peer(ping_interval=2, ping_timeout=2, close_timeout=close_timeout)
    trace = run_with_page(Experiment(server=server, faults=[Cut(at=3, heal=8)]), patience=0.05)
    said = capsys.readouterr().out
    assert "No page has connected" in said and repr(trace.experiment) in said
    assert re.search(r"1 OPEN from 0.\d s to \d+\.\d s\.\nreadyState was 3 CLOSED at 10.\d s", said)
    assert "Chrome" in trace.header["browser"] and f"code {name[-4:]}" in said
    assert trace.raised("client")[0].code == int(name[-4:])


def test_a_kernel_in_the_browser_has_no_sockets_and_asks_for_none(monkeypatch, capsys):
    monkeypatch.setattr(page_client.sys, "platform", "emscripten")
    monkeypatch.setattr(page_client, "PageSession", None)
    assert run_with_page(Experiment(server=SERVER)).header["made"]
    assert "No page has connected" in capsys.readouterr().out


@pytest.mark.parametrize("name", RECORDED)
def test_chromium_was_told_what_our_own_client_is_told(name):
    trace = page_client.recorded(name)
    ours = run(trace.experiment, "virtual", progress=False)
    assert trace.raised("client")[0].code == ours.raised("client")[0].code
    assert trace.told_at("client") == pytest.approx(ours.told_at("client"), abs=trace.slack * 5)
    between = [event.data["value"] for event in trace.select("ready_state", "client") if 3 < event.t < ours.told_at("client")]
    assert len(between) > 5 and set(between) == {1}
    assert "secret" not in "".join(trace.to_lines()) and "Cookie: (left out)" in "".join(trace.to_lines())


@pytest.mark.parametrize(
    "experiment, words",
    [
        (Experiment(client=Peer(ping_interval=1)), "no call that sends a ping"),
        (Experiment(faults=[Goodbye(at=1, end="client")]), "only looks"),
        (Experiment(faults=[Send(at=1, end="client")]), "only looks"),
        (Experiment(tls=True), "certificate"),
    ],
)
def test_what_a_page_cannot_do_is_refused(experiment, words):
    with pytest.raises(ValueError, match=words):
        run_with_page(experiment)
