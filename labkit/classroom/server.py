"""A room on one address of this machine: a page for learners, a page for the teacher.

Who knows the code gets a signed cookie with a random word, and votes. The teacher's link has a
secret, which becomes a cookie, too, so that it is not seen when the page is projected. Pages ask
for the state once in a while; that works behind any proxy. Nothing is logged, nothing written.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import ipaddress
import json
import secrets
import socket
import sys
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler

from checks.workshop import POLLS

from .limit import Limit
from .pages import page
from .room import VOTES, Refused, Room

LOOPBACK = "127.0.0.1"
SIGNS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; 20 ** 8 codes
LENGTH = 8
MOST_BYTES = 4096  # of a body
PATIENCE = 10  # s, for a body, and for a request on an open connection
STRANGER, MEMBER = (60, 1), (20, 5)  # at once, a second: wrong codes of an address; a client's own
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Desk:
    """What all requests share: the room, its code, its secret, and who asks too often."""

    def __init__(self, room: Room, host: str) -> None:
        self.room, self.host = room, host
        self.code = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
        self.secret = secrets.token_urlsafe(18)
        self.strangers, self.members = Limit(*STRANGER), Limit(*MEMBER)

    def application(self) -> Application:
        """The pages, and what they ask for."""
        routes = [
            ("/", Learner),
            ("/join", Join),
            ("/state", State),
            ("/vote", Vote),
            ("/teacher", Teacher),
            ("/teacher/state", TeacherState),
            ("/teacher/do", Do),
            ("/teacher/save", Save),
            ("/teacher/(.+)", Enter),
        ]
        return Application(
            [(path, handler, {"desk": self}) for path, handler in routes],
            cookie_secret=secrets.token_hex(32),
            default_handler_class=Nothing,
            default_handler_args={"desk": self},
            log_function=lambda handler: None,
        )


class Base(RequestHandler):
    """Refuses in one sentence."""

    def initialize(self, desk: Desk) -> None:
        self.desk, self.room = desk, desk.room

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        if self.request.host not in (self.desk.host, self.desk.host.replace(LOOPBACK, "localhost")):
            raise HTTPError(403, reason="Another name leads here")

    def asked(self, **kinds: type) -> list[Any]:
        """The fields of a JSON body, each of its kind."""
        try:
            body = json.loads(self.request.body)
            values = [body[name] for name in kinds]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise HTTPError(400, reason="Expected JSON") from None
        if [type(value) for value in values] != list(kinds.values()):
            raise HTTPError(400, reason="Expected other kinds of values")
        return values

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = kwargs.get("exc_info", (None, None))[1]
        if isinstance(problem, Refused):
            self.set_status(409, str(problem))
        self.finish({"problem": self._reason})

    def log_exception(self, kind: Any, problem: Any, trace: Any) -> None:
        if not isinstance(problem, (HTTPError, Refused)):
            super().log_exception(kind, problem, trace)

    def keep(self, name: str, value: str) -> None:
        """A signed cookie, for as long as the browser is open."""
        self.set_signed_cookie(name, value, expires_days=None, httponly=True, samesite="Strict")

    def kept(self, name: str) -> str | None:
        """What a signed cookie says."""
        value = self.get_signed_cookie(name)
        return value.decode() if value else None

    @property
    def client(self) -> str:
        """Who asks: one who has entered, and does not ask too often."""
        client = self.kept("client")
        if client not in self.room.clients:
            raise HTTPError(403, reason="Enter the code of the room")
        if not self.desk.members.allows(client):
            raise HTTPError(429, reason="Too many at once")
        return client

    def stranger(self) -> HTTPError:
        """What somebody is told whose code is wrong; sooner or later, that it is too often."""
        if self.desk.strangers.allows(str(self.request.remote_ip)):
            return HTTPError(403, reason="This is not the code of the room")
        return HTTPError(429, reason="Too many wrong codes from your network")


class Nothing(Base):
    """Any other address."""

    def prepare(self) -> None:
        raise HTTPError(404)


class Learner(Base):
    """The page for phones and laptops."""

    def get(self) -> None:
        self.finish(page("learner.html"))


class Join(Base):
    """The code is right, or it is not. The right one is let in however many wrong ones came."""

    def post(self) -> None:
        (code,) = self.asked(code=str)
        letters = "".join(filter(str.isalpha, code)).upper()
        if not hmac.compare_digest(letters.encode(), self.desk.code.encode()):
            raise self.stranger()
        client = self.kept("client")
        if client not in self.room.clients:
            client = secrets.token_urlsafe(12)
            self.room.enter(client)
        self.keep("client", client)
        self.finish({})


class State(Base):
    """What a learner sees now."""

    def get(self) -> None:
        mine = self.room.mine(self.client)
        self.finish({"html": page("learner_now.html", room=self.room, mine=mine, votes=VOTES)})


class Vote(Base):
    """A learner's vote."""

    def post(self) -> None:
        client = self.client
        self.room.vote(client, *self.asked(at=int, phase=str, choice=int))
        self.finish({})


class Teachers(Base):
    """For the teacher only."""

    def prepare(self) -> None:
        super().prepare()
        if self.kept("teacher") is None:
            raise HTTPError(403, reason="Open the teacher's link, which stands in the terminal")


class Enter(Base):
    """The teacher's link."""

    def get(self, secret: str) -> None:
        if not hmac.compare_digest(secret.encode(), self.desk.secret.encode()):
            raise self.stranger()
        self.keep("teacher", "yes")
        self.redirect("/teacher")


class Teacher(Teachers):
    """The page that is projected."""

    def get(self) -> None:
        self.finish(page("teacher.html", host=self.desk.host, code=spaced(self.desk.code)))


class TeacherState(Teachers):
    """What the teacher sees now; of an open vote only how many voted."""

    def get(self) -> None:
        room = self.room
        cast = room.now.votes[VOTES.get(room.now.phase, 0)]
        self.finish(
            {
                "html": page("teacher_now.html", room=room),
                "count": f"{len(cast)} votes, {len(room.clients)} in the room",
                "actions": room.actions,
            }
        )


class Do(Teachers):
    """A button of the teacher's."""

    def post(self) -> None:
        (action,) = self.asked(action=str)
        self.room.do(action)
        if action == "hide":  # said in the terminal, which is not projected
            votes = self.room.now.histogram()
            print(f"{votes.id}: {votes.totals[0]} votes, {votes.right(0):.0%} right", flush=True)
        self.finish({})


class Save(Teachers):
    """The counts, for a file."""

    def get(self) -> None:
        self.set_header("Content-Type", "application/jsonl")
        self.set_header("Content-Disposition", 'attachment; filename="votes.jsonl"')
        self.finish(self.room.save())


def spaced(code: str) -> str:
    """A code as it is read aloud, in two halves."""
    return f"{code[: LENGTH // 2]} {code[LENGTH // 2 :]}"


def main(args: argparse.Namespace) -> int:
    """Serve a room until Ctrl-C."""
    _confirm(args)
    try:
        asyncio.run(_serve(args.address, args.port))
    except KeyboardInterrupt:
        print("\nThe room is closed. Nothing was kept but what you have saved.")
    return 0


def _confirm(args: argparse.Namespace) -> None:
    if args.yes or ipaddress.ip_address(args.address).is_loopback:
        return
    print(f"Everybody on the network of {args.address} will reach the room, at port {args.port}.")
    print('Type "yes" to open it: ', end="", flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise ValueError(f"no room was opened at {args.address}: expected yes, or --yes")


async def _serve(address: str, port: int) -> None:
    six = ":" in address
    family = socket.AF_INET6 if six else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family, backlog=128)
    except (OSError, OverflowError) as problem:
        raise OSError(f"cannot open a room at {address}, port {port}: {problem}") from None
    listener.setblocking(False)
    host = f"[{address}]" if six else address
    desk = Desk(Room(POLLS), f"{host}:{listener.getsockname()[1]}")
    for poll in POLLS:
        poll.figure  # noqa: B018
    server = HTTPServer(
        desk.application(),
        max_body_size=MOST_BYTES,
        body_timeout=PATIENCE,
        idle_connection_timeout=PATIENCE,
    )
    server.add_socket(listener)
    print(f"Learners   http://{desk.host}    code {spaced(desk.code)}")
    print(f"           http://{desk.host}/#{desk.code}    with the code in it")
    print(f"Teacher    http://{desk.host}/teacher/{desk.secret}    keep this link to yourself")
    print("Ctrl-C closes the room.", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()
        await server.close_all_connections()
