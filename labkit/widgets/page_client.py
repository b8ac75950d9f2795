"""run_with_page(): an experiment whose client is the page that shows the notebook.

    page ── new WebSocket ── wire, which can be cut ── server of websockets
      └──── new WebSocket ── never cut ─────────────── PageEnd: readyState, onclose → the trace

The server and the wire are those of a loopback run. What runs in the page is page_client.js; of the
client the trace knows what that page could see. Both servers are on 127.0.0.1 and refuse who does
not know a token made for this run: a page of somebody else, open in the same browser, can dial
them.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import json
import secrets
import socket
import sys
from functools import partial
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import Any

from websockets.asyncio.server import serve

from ..ends import End
from ..ends.with_asyncio import AsyncioEnd
from ..engine.engine import SILENT
from ..engine.progress import Living
from ..engine.session import Session
from ..trace import STATES, Trace
from ..trace.recordings import recorded
from ..values.experiment import Experiment
from ..values.faults import AppAct

SCRIPT = Path(__file__).with_suffix(".js")
RECORDED = ("page-1006", "page-1011")  # what stands in where no page can dial the kernel
LOOKED = 1.5  # s; a page looks once a second
PATIENCE = 3.0  # s in which a page that is there has connected


def run_with_page(experiment: Experiment, patience: float = PATIENCE) -> Trace:
    """Run an experiment with this page's own ``new WebSocket(…)`` as the client, in real time.

    The output of the cell shows ``readyState`` once a second, and the trace has it as events
    ``ready_state`` of the client, beside its states, and ``raised`` when ``onclose`` was called.
    Where no page has connected within ``patience`` (s), as on Binder, where the page and the kernel
    are on two machines, a sentence says so, and a recorded trace is returned: that of this
    experiment, if there is one, else "page-1006".

    Raises ValueError if the client is to do what a page cannot: send pings, act, or trust the
    certificate of the lab.
    """
    refuse(experiment)
    output = Output()
    if sys.platform != "emscripten":  # a kernel in the browser itself, which has no sockets
        session = PageSession(experiment, patience, output)
        try:
            with session, Living(session) as living:
                session.wait(tick=living.tick)
        except BaseException:
            output.say("The run was broken off.")
            raise
        if session.zero is not None:
            output.say(*seen(session.trace))
            return session.trace
    trace = stand_in(experiment)
    reason = "it is on another machine than the kernel, or does not show this cell"
    what = f"This was recorded in Chromium: {trace.experiment!r}"
    output.say(f"No page has connected: {reason}. {what}", *seen(trace))
    return trace


def stand_in(experiment: Experiment) -> Trace:
    """The recorded trace of the experiment, or of one like it."""
    traces = [recorded(name) for name in RECORDED]
    return next((trace for trace in traces if trace.experiment == experiment), traces[0])


def seen(trace: Trace) -> list[str]:
    """What a page saw of its WebSocket, in sentences; it has looked once a second."""
    methods = ", ".join(trace.select("page", "client")[0].data["methods"])
    said = [f"A WebSocket has the methods {methods}; none of them sends a ping."]
    looks = trace.select("ready_state", "client")
    for value, group in groupby(looks, key=lambda event: event.data["value"]):
        times = [max(0.0, event.t) for event in group]
        first, last = f"{times[0]:.1f} s", f"{times[-1]:.1f} s"
        when = f"from {first} to {last}" if len(times) > 1 else f"at {first}"
        said.append(f"readyState was {value} {STATES[value]} {when}.")
    told = [f"onclose was called at {one.t:.1f} s: {one.text}." for one in trace.raised("client")]
    return said + (told or ["onclose was not called."])


def refuse(experiment: Experiment) -> None:
    """Raise ValueError for what a page cannot do."""
    if experiment.client.keepalive:
        expected = "expected Peer(ping_interval=None): a page has no call that sends a ping"
        raise ValueError(f"the client is {experiment.client!r}, {expected}")
    for act in experiment.acts:
        if isinstance(act, AppAct) and act.end == "client":
            raise ValueError(f"the page cannot do {act!r}: it only looks at its WebSocket")
    if experiment.tls:
        raise ValueError("tls=True: the browser does not know who has signed our certificate")


def guard(token: str, connection: Any, request: Any) -> Any:
    """Refuse who does not know the token, before there is a WebSocket."""
    if hmac.compare_digest(request.path.encode(), f"/{token}".encode()):
        return None
    return connection.respond(HTTPStatus.FORBIDDEN, "not the page of this run\n")


def without_secret(line: str) -> str:
    """A line of the opening handshake; a browser sends Jupyter's cookie to every port of a host."""
    name = line[2:].split(":")[0]
    is_secret = name.lower() in ("cookie", "authorization")
    return f"{line[:2]}{name}: (left out)" if is_secret else line


class GuardedServer(AsyncioEnd):
    """The server of the experiment, for those who know the token."""

    check: Any  # what serve() calls process_request

    def options(self) -> dict[str, Any]:
        return {**super().options(), "process_request": self.check}


class PageEnd(End):
    """The client: what the first page that comes tells of its WebSocket."""

    check: Any  # what serve() calls process_request
    patience = PATIENCE  # s
    listener: socket.socket
    state = ""  # as it was last told

    async def connect(self, dial: Any) -> None:
        """Hear the first page that comes; ended when its WebSocket is CLOSED, or it is gone."""
        self.came = asyncio.Event()
        try:
            async with serve(
                self.hear, sock=self.listener, process_request=self.check, logger=SILENT
            ):
                await asyncio.wait_for(self.came.wait(), self.patience)
                await asyncio.get_running_loop().create_future()  # until the run is over
        except asyncio.TimeoutError:
            self.ended = True  # nobody came

    async def hear(self, websocket: Any) -> None:
        """Note what a page tells; another one, as in a second tab, is sent away."""
        if self.came.is_set():
            return
        self.came.set()
        try:
            async for message in websocket:
                self.note(**json.loads(message))
        finally:
            self.ended = True

    def note(self, readyState: int | None = None, **more: Any) -> None:
        """Note one message of the page: what it is, or a look at its WebSocket."""
        if readyState is None:
            self.observe("page", **more)
            return
        state = STATES[readyState]
        if state != self.state:
            self.state = state
            self.observe("state", state=state)
            if state == "OPEN":
                self.observe("opened")
        self.observe("ready_state", value=readyState)
        if "code" in more:
            self.closed(**more)

    def closed(self, code: int, reason: str, wasClean: bool) -> None:
        """The page's ``onclose`` was called: a CLOSE has arrived, unless the code is 1006."""
        text = f"code {code}, wasClean {str(wasClean).lower()}"
        if code != 1006:
            self.observe("got", opcode="CLOSE", code=code)
        told = {"type": "CloseEvent", "text": text, "awaiting": "onclose"}
        self.observe("raised", **told, cause=None, code=code, reason=reason)
        self.ended = True

    def abort(self) -> None:
        """Nothing is ours: the page drops its own connection."""


class PageSession(Session):
    """A loopback session that shows the page what to run, and then waits for it."""

    def __init__(self, experiment: Experiment, patience: float, output: Output) -> None:
        self.token, self.patience, self.output = secrets.token_urlsafe(16), patience, output
        super().__init__(experiment, "loopback", {"server": None, "client": None}, True)

    def _end(self, name: str) -> End:
        logger, observe = self.recorder.logger(name), partial(self._observe, name)
        kind = GuardedServer if name == "server" else PageEnd
        end: Any = kind(name, self.experiment, logger, observe, None)
        end.check, end.patience = partial(guard, self.token), self.patience
        return end

    def start(self) -> None:
        page: Any = self.ends["client"]
        host, port = self.wire.address()
        page.listener = socket.create_server((host, 0))
        ports = {"report": page.listener.getsockname()[1], "wire": port}
        config = {name: f"ws://{host}:{port}/{self.token}" for name, port in ports.items()}
        config["id"] = name = f"labkit-{secrets.token_hex(4)}"
        script = SCRIPT.read_text().replace("(CONFIG)", f"({json.dumps(config)})")
        shown = f'<div id="{name}"><p></p><ul></ul></div><script>{script}</script>'
        self.output.show(shown, "waiting for a page")
        super().start()

    def settle(self) -> None:
        """Let the page look once more: what follows at once takes a browser some milliseconds."""
        self.wire.wait(lambda: not self.living("client"), self.wire.now() + LOOKED)
        super().settle()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        for event in self.trace.select("handshake"):
            event.data["line"] = without_secret(event.data["line"])


class Output:
    """The output of the running cell: what runs in the page, and in the end sentences."""

    handle: Any = None

    def show(self, shown: str, plain: str) -> None:
        """Put HTML in place of what is there; where nobody shows that, text."""
        from IPython import get_ipython
        from IPython.display import display

        data = {"text/html": shown, "text/plain": plain}
        if get_ipython() is None:
            print(plain)
        elif self.handle is None:
            self.handle = display(data, raw=True, display_id=True)
        else:
            self.handle.update(data, raw=True)

    def say(self, *sentences: str) -> None:
        """Put sentences in place of what runs in the page: a saved notebook shall not dial."""
        items = "".join(f"<li>{html.escape(one)}</li>" for one in sentences)
        shown = f'<div role="status" class="labkit-page"><ul>{items}</ul></div>'
        self.show(shown, "\n".join(sentences))
