"""What the doctor says about each cause: what it means, what to do, and lines to paste.

Every fix is Python that runs: the tests run each of them against the very fault that it is for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """A cause in words."""

    title: str
    means: str
    do: str
    fix: str = ""  # the name of a fix
    notebook: str = ""


FIXES = {
    "reconnect": """\
from labkit.patterns.client import keep_connected  # or a copy of that file, without labkit

async def talk(websocket):
    async for message in websocket:
        await process(message)

await keep_connected(uri, talk)  # pauses, and dials again, where trying again can help
""",
    "watchdog": """\
from labkit.patterns.server import Server  # or a copy of that file, without labkit

stop = asyncio.Event()  # set it, and all are told 1001
await Server(handler).run(stop, host, port, close_timeout=5)  # what stands still is ended
""",
    "jitter": """\
from labkit.patterns.client import keep_connected  # or a copy of that file, without labkit

await keep_connected(uri, talk, spread=30)  # the first dial, too, waits up to 30 s, by chance
""",
    "to_thread": """\
async for message in websocket:
    await asyncio.to_thread(work, message)  # work() cannot block the event loop: pings are answered
""",
    "settings": """\
idle = 15  # s; after such a silence your connections drop, as the doctor says
serve(handler, host, port, ping_interval=idle / 3)  # one ping may be late, and another
""",
    "both_codes": """\
try:
    message = await websocket.recv()
except ConnectionClosed as closed:  # 1006 only says that no CLOSE came; here is who said what
    print("sent", closed.sent, "received", closed.rcvd, "because", repr(closed.__cause__))
""",
    "debug": """\
def log_connections():
    def name(record):  # which connection a line is about
        record.conn = getattr(getattr(record, "websocket", None), "id", "-")
        return True

    lines = logging.StreamHandler()
    lines.addFilter(name)
    lines.setFormatter(logging.Formatter("%(asctime)s %(conn)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger("websockets").addHandler(lines)
    logging.getLogger("websockets").setLevel(logging.DEBUG)

log_connections()
""",
}

LAW, GAP, PRESSURE = "04_detection_law", "05_the_closing_gap", "06_backpressure"
FRAMES = "01_frames_and_states"
GOODBYES, SILENCE = "02_closing_handshake", "03_silence"
ALARMS, SURVIVE = "07_false_alarms", "09_surviving"

REMEDIES = {
    "own_timeout": Remedy(
        "sent 1011: this end's own keepalive gave up",
        "This end sent a ping, no pong came within its ping_timeout, so it closed the connection "
        "itself. The peer is cut off, frozen, or too busy; or this program takes its messages too "
        "slowly, and the pong waits unread behind them.",
        "Drop this connection, and let the client connect again. If it happens often with peers "
        "that live, their event loop is blocked, or the pong is stuck behind data: look at their "
        "log, and at how long this program goes without recv(). Raise ping_timeout only then.",
        "reconnect",
        LAW,
    ),
    "own_loop": Remedy(
        "sent 1011, but the pong had come: this end's own event loop was blocked",
        "The pong stands in the log before the timeout: it lay in the socket while this end's "
        "event loop was blocked, and both were read at one instant.",
        "Find what blocks the loop (asyncio's debug mode names callbacks slower than 0.1 s), and "
        "move it to a thread.",
        "to_thread",
        ALARMS,
    ),
    "peer_timeout": Remedy(
        "received 1011: the peer's keepalive gave up on this end",
        "The peer sent a ping and got no pong from this end in time, so the peer closed. Either "
        "the network was silent, or this end was busy: a blocked event loop answers no pings.",
        "If PING and CLOSE stand at one instant in this log, nothing was read until then. If "
        "anything else was logged meanwhile, the network was silent; if not, suspect your own "
        "event loop.",
        "to_thread",
        ALARMS,
    ),
    "closing_gap": Remedy(
        "stuck in CLOSING",
        "The closing handshake did not end, and the connection stayed in CLOSING, so that recv() "
        "and close() neither returned nor raised.",
        "Up to 14.1: upgrade to 14.2 or later (with bytes in the write buffer, or with TLS, "
        "closing waited for a dead peer). In every version: while drain() is blocked, nobody looks "
        "at close_timeout. A watchdog ends both.",
        "watchdog",
        GAP,
    ),
    "blocked_drain": Remedy(
        "OPEN, but keepalive stands still: drain() is blocked",
        "A keepalive ping was written and waits in drain(), behind bytes that the peer does not "
        "take. Its timer has not started, so nothing will time out.",
        "Confirm with labkit.where(websocket), or ss -tno: Send-Q does not shrink. A watchdog that "
        "looks at what moves ends it in a bounded time.",
        "watchdog",
        PRESSURE,
    ),
    "idle_drop": Remedy(
        "dropped after a round idle time: somebody on the way forgets idle connections",
        "The TCP connection ended without a CLOSE, after a round time without a frame: the habit "
        "of load balancers, proxies and NATs.",
        "Send pings more often than every half of that time (uvicorn: --ws-ping-interval), or "
        "raise the box's timeout: nginx has proxy_read_timeout (60 s), an AWS load balancer "
        "idle_timeout.timeout_seconds (60 s); Cloudflare's 100 s are fixed.",
        "settings",
        "10_choosing_timers",
    ),
    "tcp_lost": Remedy(
        "no close frame received or sent (1006): TCP ended without a goodbye",
        "The TCP connection was closed or reset below the WebSocket: a process died, a proxy hung "
        "up, a network went away. Nobody *sent* 1006: it is what a program sees when no CLOSE "
        "came.",
        "Treat it as a lost connection: connect again. The peer's log, and the proxy's, of that "
        "second say who hung up.",
        "reconnect",
        SILENCE,
    ),
    "goodbye": Remedy(
        "a clean goodbye",
        "One end closed, the other answered: the closing handshake as RFC 6455 has it.",
        "Nothing is wrong with the connection; if nobody meant to close it, look for close() – or "
        "for a handler that returns, which closes with 1000.",
        "",
        GOODBYES,
    ),
    "going_away": Remedy(
        "1001 or 1012: an end went away",
        "A server that shuts down or restarts, or a browser that leaves the page, says 1001 "
        "(1012: a restart).",
        "Expected during a deployment. Connect again after a random pause, so that not everybody "
        "returns in the same second.",
        "jitter",
        SURVIVE,
    ),
    "handler_raised": Remedy(
        "sent 1011: the handler of this server raised",
        "The application's handler ended with an exception, so the library closed with 1011 and "
        "no reason. Keepalive has nothing to do with it.",
        "Read the traceback below 'connection handler failed', and mend the handler.",
        "",
        GOODBYES,
    ),
    "peer_failed": Remedy(
        "received 1011: something failed at the peer",
        "The peer's application ended with an error (a handler that raised closes with 1011). No "
        "keepalive is mentioned.",
        "The peer's log of that second has the traceback.",
        "",
        GOODBYES,
    ),
    "refused_data": Remedy(
        "1002, 1003, 1007, 1008 or 1009: one end refused what the other sent",
        "1002: not the protocol (a proxy that meddles, or a client that speaks something else); "
        "1003: a kind of data; 1007: not UTF-8 in a text message; 1008: a policy; 1009: a message "
        "above max_size.",
        "1009: the end that *sent* it has the limit: raise max_size there (up to version 9 and in "
        "legacy, too), or send less at once. 1007: send bytes as binary. 1008: read the reason. "
        "1002: look for what sits between the ends.",
        "",
        GOODBYES,
    ),
    "handshake": Remedy(
        "never OPEN: the opening handshake failed",
        "There was TCP, but no WebSocket: the server refused, answered something else, or was too "
        "slow.",
        "401 and 403: credentials, or Origin. 404: the path. 200 or 3xx: this is no WebSocket "
        "address. 429 and 5xx: wait, then try again. No answer: look at what listens there.",
        "",
        FRAMES,
    ),
    "unreachable": Remedy(
        "not connected: name, port, way or TLS",
        "The connection failed below the WebSocket, before any byte of its handshake.",
        "Try the same host and port with another program. If it fails only now and then, "
        "connect again, later each time.",
        "reconnect",
    ),
    "probe": Remedy(
        "somebody called who did not speak WebSocket: harmless",
        "A health check of a load balancer that only opens TCP, a browser, a scanner. The library "
        "logs that at ERROR with a traceback; no client of yours was lost.",
        "Answer health checks in process_request; silence the rest with "
        "logging.getLogger('websockets.server').setLevel(logging.CRITICAL), or a filter for "
        "'opening handshake failed'. If it is your own client, look at what it, or a proxy, "
        "sends.",
        "",
        FRAMES,
    ),
    "unanswered_close": Remedy(
        "a CLOSE that nobody answered",
        "This end said goodbye, and no CLOSE came back: the peer was gone already, or went without "
        "answering, or close_timeout ended the wait.",
        "If that was meant to be the end, nothing is lost: catch ConnectionClosed. If not, look "
        "for what the peer did before: it may have died earlier, unnoticed.",
        "both_codes",
        GOODBYES,
    ),
    "other_code": Remedy(
        "closed with another code: its reason says why",
        "1013 asks to try again later, 1014 comes from a gateway, 3000 to 3999 are registered, "
        "4000 to 4999 each application defines for itself.",
        "Read the reason, and the documentation of the end that closed. Do not dial again at once: "
        "some codes mean 'never', others 'later'.",
        "both_codes",
        GOODBYES,
    ),
    "slow_reader": Remedy(
        "sent 1011, and this end reads too slowly",
        "The keepalive gave up while incoming messages waited for room in the queue: pongs wait "
        "behind messages that recv() did not take.",
        "Take messages faster: slow work in a task or thread of its own, with a bound; a longer "
        "ping_timeout only moves it.",
        "to_thread",
        PRESSURE,
    ),
    "pong_bug": Remedy(
        "the peer's pongs do not answer its pings",
        "A pong has to carry the bytes of the ping (RFC 6455 §5.5.3). This peer's carry others, so "
        "every ping stays without an answer.",
        "Mend the peer. Until then ping_timeout=None at this end, with a watchdog on messages.",
        "",
        ALARMS,
    ),
    "legacy_bug": Remedy(
        "AssertionError in drain(): a bug of old asyncio that legacy meets",
        "Two tasks waited in drain() of one connection, which Python up to 3.10 forbids.",
        "Leave the legacy implementation (for websockets.asyncio, in version 14), or Python 3.10; "
        "until then send from one task.",
    ),
    "misuse": Remedy(
        "one connection, used twice at a time or after its end",
        "Two tasks call recv() at once, or something is sent while it closes.",
        "One task reads and hands on; catch ConnectionClosed where you send.",
    ),
    "alive": Remedy(
        "alive, as far as the log shows",
        "Its pings were answered, and the log has nothing against it.",
        "Nothing.",
    ),
    "unknown": Remedy(
        "not enough to say",
        "What the log has fits several causes.",
        "Turn on DEBUG for the logger 'websockets', with times, on both ends; then ask again. If "
        "the connection hangs now, labkit.where(websocket) sees what no log shows.",
        "debug",
    ),
    "storm": Remedy(
        "a reconnect storm",
        "Many connections opened within a second: everybody lost the server at the same moment, "
        "and came back at the same moment.",
        "Wait a random time before the first attempt, and longer before each further one.",
        "jitter",
        SURVIVE,
    ),
}
