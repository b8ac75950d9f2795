"""The living sentence of a long run: "12.4 s · cut 3.4 s ago · server OPEN · client OPEN".

In a notebook it is one line that changes in place, in a terminal one line on stderr; elsewhere it
is not shown.
"""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar
from typing import Any

from ..values.faults import ENDS, Cut
from ..wires import browser

AFTER = 1.0  # s of real time before a run is called long
EVERY = 0.2  # s between two sentences


class Living:
    """Shows a session's sentence while it is waited for; call ``tick`` as often as you like."""

    def __init__(self, session: Any, guess: float | None = None, shown: bool = True) -> None:
        self.session, self.guess = session, guess
        self.show = _screen() if shown else None
        self.next = time.monotonic() + AFTER
        self.used = False

    def __enter__(self) -> Living:
        return self

    def tick(self) -> None:
        """Say the sentence again, if it is time."""
        now = time.monotonic()
        if self.show and now >= self.next:
            self.next = now + EVERY
            self.used = True
            self.show(self.sentence())

    def sentence(self) -> str:
        """What is going on, in a line."""
        t = self.session.now
        cuts = [act for act in self.session.acts if isinstance(act, Cut) and act.at is not None]
        parts = [
            f"{t:.1f} s",
            *(_cut(cut, t) for cut in cuts),
            *(f"{end} {self.session.state(end)}" for end in ENDS),
        ]
        if self.guess is not None:
            ahead = self.guess - t
            when = f"in {ahead:.1f} s" if ahead > 0 else f"was {-ahead:.1f} s ago"
            parts.append(f"your guess {when}")
        return " · ".join(parts)

    def __exit__(self, kind: Any, *exc: object) -> None:
        if self.show and self.used:
            ran = f"ran for {self.session.now:.1f} s: {self.session.ended}"
            self.show(f"stopped at {self.session.now:.1f} s" if kind else ran)
            self.show("")


class Bar:
    """How far a sweep is: "120 of 200 runs", shown when it takes long enough to wonder.

    One within another, such as a sweep within a check, is not shown if the other is. In a browser
    a button stands beside it, which interrupts as a kernel's own does elsewhere.
    """

    outer: ContextVar[Bar | None] = ContextVar("outer", default=None)  # the innermost of now

    def __init__(self, total: int, shown: bool = True, things: str = "runs") -> None:
        self.total, self.done, self.things = total, 0, things
        self.around = self.outer.get()
        above = self.around
        while above:
            shown, above = shown and not above.show, above.around
        self.show: Any = _screen() if shown else None
        self.next = time.monotonic() + AFTER
        self.used = False
        self.stop: browser.Stop | None = None

    def __enter__(self) -> Bar:
        self.token = self.outer.set(self)
        return self

    def advance(self) -> None:
        """One more is done; KeyboardInterrupt if the button was clicked."""
        self.done += 1
        self.tick()

    def tick(self) -> None:
        """Say again how far it is, if it is time; so do those around it."""
        if self.show and time.monotonic() >= self.next:
            self.next = time.monotonic() + EVERY
            self.note()
            self._listen()
        if self.around:
            self.around.tick()

    def _listen(self) -> None:
        if self.stop is None and (stop := browser.stop_button()):
            self.stop, self.button = stop, _Cell()
            self.button.show(stop.html, "text/html")
        if self.stop:
            self.stop.look()

    def note(self, words: str = "") -> None:
        """Say how far it is, and perhaps why it stops there."""
        if self.show:
            self.used = True
            so_far = f"{self.done:,} of {self.total:,} {self.things}"
            self.show(f"{so_far} · {words}" if words else so_far)

    def __exit__(self, *exc: object) -> None:
        self.outer.reset(self.token)
        if self.stop:
            self.stop.close()
            self.button.show(" ", "text/html")
        if self.show and self.used:
            if self.done == self.total:
                self.note()
            self.show("")


def _cut(cut: Cut, t: float) -> str:
    assert cut.at is not None
    if t < cut.at:
        return f"cut in {cut.at - t:.1f} s"
    if cut.heal is not None and t >= cut.heal:
        return f"healed {t - cut.heal:.1f} s ago"
    return f"cut {t - cut.at:.1f} s ago"


def _screen() -> Any:
    """What shows a line in place of the one before; None if there is nowhere to show it."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        if getattr(get_ipython(), "kernel", None) is not None:
            return _Cell().show
    if sys.stderr is not None and sys.stderr.isatty():
        return _terminal
    return None


def _terminal(text: str) -> None:
    sys.stderr.write(f"\r\x1b[2K{text}" if text else "\n")
    sys.stderr.flush()


class _Cell:
    """One line of output of the running cell."""

    handle: Any = None

    def show(self, text: str, kind: str = "text/plain") -> None:
        if not text:
            return
        from IPython.display import display

        data = {kind: text}
        if self.handle is None:
            self.handle = display(data, raw=True, display_id=True)
        else:
            self.handle.update(data, raw=True)
