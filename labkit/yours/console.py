"""The console of a standing wire: keys in a terminal, lines elsewhere, and what crosses, printed.

It reads, obeys and prints in the thread that calls it, twenty times a second; the wire has its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from ..engine.recorder import Recorder
from ..trace import Event
from ..trace.table import CUT, TELL, WAYS
from ..trace.why import why
from ..values.faults import OTHER, Cut, Delay, Fault, Reset
from ..wires import untold
from ..wires.loopback import HOST
from .watching import Connection, Done
from .wire import StandingWire

Line = tuple[float, int, str, str]  # when (s on the wire's clock), of which connection, who, what
POLL = 0.05  # s between two looks at what has crossed
KEYS = {"c": "cut", ">": "cut to_server", "<": "cut to_client", "h": "heal", "r": "reset"}
KEYS |= {"q": "quit", "\x04": "quit"}  # Ctrl-D
KEYS |= {f"{tenths}": f"delay {tenths / 10:g}" for tenths in range(10)}
LINES = "cut, cut to_server, cut to_client, heal, delay SECONDS, reset, quit"
HELP = {
    True: "Keys: c cut, > cut to_server, < cut to_client (one way), h heal, r reset, q quit,\n"
    "      0 … 9 delay of so many tenths of a second",
    False: f"Lines that are understood: {LINES}",
}
HONEST = """\
A cut here is not a cut cable: it holds bytes back between two connections, so your programs' own
kernels have theirs acknowledged, and it is this wire that tries them again, when TCP would."""


def stand(port: int, server: int, trace: str | None = None) -> None:
    """Stand at ``port``, before the server at ``server`` (both on 127.0.0.1), until told to quit.

    In the end the trace of every WebSocket is saved in the file ``trace``; from the second on, in
    one beside it, with the connection's number. Raises OSError if the port is taken.
    """
    if trace and not Path(trace).parent.is_dir():
        raise ValueError(f"--trace {trace}: expected a folder that exists, seen no such folder")
    console = Console(StandingWire(port, server))
    try:
        console.wire.open()
        with contextlib.suppress(KeyboardInterrupt), keys(sys.stdin.fileno()) as are_keys:
            console.run(are_keys)
        console.end(trace)
    finally:
        console.wire.close({})


@contextlib.contextmanager
def keys(source: int) -> Iterator[bool]:
    """Let a terminal give each key at once, and show none; whether it is a terminal."""
    if not os.isatty(source):
        yield False
        return
    import termios  # Unix has it
    import tty

    before = termios.tcgetattr(source)
    try:
        tty.setcbreak(source)
        yield True
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)


class Console:
    """A standing wire, what crosses it, and what was done to it."""

    def __init__(self, wire: StandingWire) -> None:
        self.wire, self.recorder = wire, Recorder(wire.now, untold)
        wire.tap, wire.tell = self.recorder, self.say
        self.connections: list[Connection] = []
        self.notes = 0  # of the recorder's, that have been printed
        self.source: int | None = sys.stdin.fileno()
        self.text = ""  # of a line that has not ended
        self.done: list[Done] = []
        self.said: list[Line] = []  # what is no connection's own, to be printed
        self.zero = wire.now()
        self.over = False

    def run(self, are_keys: bool) -> None:
        """Until it is over: obey, and print what has crossed."""
        (_, port), (_, server) = self.wire.names["wire"], self.wire.names["server"]
        print(f"Let your client dial {HOST}:{port}, for the server at {HOST}:{server}.")
        print(HONEST, HELP[are_keys], sep="\n")
        print(f"{'t (s)':>9}  since {time.strftime('%H:%M:%S')}", flush=True)
        while not self.over:
            for command in self.commands(are_keys):
                self.obey(command.split())
            self.show()
            self.wire.interrupts.let_in()

    # what is asked

    def commands(self, are_keys: bool) -> list[str]:
        """What has been typed meanwhile; nothing comes after the end of the input."""
        if self.source is None:
            time.sleep(POLL)
            return []
        if not select.select([self.source], [], [], POLL)[0]:
            return []
        typed = os.read(self.source, 1024).decode(errors="replace")
        if are_keys:
            return [KEYS.get(key, key) for key in typed]
        if not typed:
            self.source, typed = None, "\n"
        *lines, self.text = (self.text + typed).split("\n")
        return lines

    def obey(self, words: list[str]) -> None:
        """Do what a line says; one that is not understood is answered in words."""
        if words[:1] == ["cut"] and words[1:] in ([], ["to_server"], ["to_client"]):
            self.begin(Cut(direction=words[1] if words[1:] else "both"))
        elif words == ["heal"]:
            self.finish(Cut)
        elif words[:1] == ["delay"] and words[1:]:
            self.delay(words[1])
        elif words == ["reset"]:
            self.begin(Reset())
        elif words == ["quit"]:
            self.over = True
        elif words:
            self.say(f"expected {LINES}; seen {' '.join(words)!r}")

    def delay(self, text: str) -> None:
        """Let everything take so long (s), one way, in place of the delay before; 0 ends it."""
        try:
            delay = Delay(latency=float(text))
        except ValueError:
            self.say(f"expected a delay in seconds, such as 0.2; seen {text!r}")
            return
        self.finish(Delay)
        if delay.latency:
            self.begin(delay)

    def begin(self, fault: Fault) -> None:
        """Do something to every connection that there is and will be, now."""
        self.say(f"{called(fault, 'begin')}{WAYS[fault.direction]}")
        self.done.append(Done(fault, self.wire.now()))
        self.wire.ask(self.wire.do, fault, "begin")

    def finish(self, kind: type[Fault]) -> None:
        """End every fault of a kind that goes on, now."""
        going = [one for one in self.done if isinstance(one.fault, kind) and one.ended is None]
        for one in going:
            self.say(f"{called(one.fault, 'end')}{WAYS[one.fault.direction]}")
            one.ended = self.wire.now()
            self.wire.ask(self.wire.do, one.fault, "end")
        if kind is Cut and not going:
            self.say("there is nothing to heal: no cut goes on")

    # what is printed

    def say(self, words: str) -> None:
        """Print something that is no connection's own, in its time."""
        self.said.append((self.wire.now(), 0, "", words))

    def show(self) -> None:
        """Print what has happened since the last time."""
        for t, number, who, words in sorted(self.wire.ask(self.news), key=itemgetter(0)):
            way = f"{who} → {OTHER[who]}" if who else ""
            print(f"{t - self.zero:9.3f}  {number or '':>3}  {way:15}  {words}")
        sys.stdout.flush()

    def news(self) -> list[Line]:
        """What has happened since the last time; in the wire's thread."""
        lines, self.said = self.said, []
        for number in range(len(self.connections) + 1, len(self.wire.pipes) + 1):
            self.connections.append(Connection(number, self.recorder))
        for one in self.connections:
            lines += [(t, one.number, who, words) for t, who, words in one.news()]
        for when, _, where, _, what, data, number in self.recorder.told[self.notes :]:
            self.notes += 1
            if what == "gave_up" or data.get("step") == "sent":
                words = TELL[what](Event(when, where, "tap", what, data))
                lines.append((when, number, data.get("sender", where), words))
        self.wire.put_away()
        return lines

    def end(self, trace: str | None) -> None:
        """Say what became of every WebSocket, and save its trace."""
        self.show()
        self.wire.tell_open_tries()
        websockets = [one for one in self.connections if one.is_websocket]
        for one in websockets:
            found = self.wire.ask(one.trace, self.done, self.wire)
            print(f"connection {one.number}: {why(found)}")
            if trace:
                path = Path(trace)
                if one is not websockets[0]:
                    path = path.with_name(f"{path.stem}-{one.number}{path.suffix}")
                print(f"saved {found.save(path)}")


def called(fault: Fault, step: str) -> str:
    """A step of a fault in words."""
    if isinstance(fault, Cut):
        return CUT[step]
    if isinstance(fault, Delay):
        return f"delay of {fault.latency:g} s {step}s"
    return "reset"
