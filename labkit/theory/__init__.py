"""What ought to happen, from parameters alone. ``predict`` never sees a run.

The law behind it (websockets' keepalive on a quiet connection): let g be the first ping sent after
the last pong that made it; an end notices at g + ping_timeout, and its application is told
close_timeout later. Everything else is the same rules followed to the end: healing, one-way cuts,
latency, keepalive on both sides, goodbyes. What theory has no rule for, it says (``covers``).

What TCP does is the same model as the wires' (values/stream.py); what websockets does is not.

items.py       what is on the wire, and who goes first at equal times
words.py       the exception that tells a program
endpoint.py    one end, and the rules by which websockets lives
model.py       an agenda, the wire, and two ends
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..trace import Event, Story, Trace
from ..values.experiment import CAPACITY, Experiment
from ..values.faults import ENDS, Cut, Freeze, Goodbye, Send, StopReading
from ..values.framing import frame_size
from .model import Model

OPENING = 10.0  # s; websockets' open_timeout
MOMENTS = ("noticed", "closed", "told")
SAME = 1e-6  # s; a smaller difference is none


@dataclass
class Prediction(Story):
    """What theory says of an experiment; asked like a Trace.

    Where theory does not know, moments are NaN and ``unknown`` says why. ``ties`` names the
    instants at which the outcome is a matter of luck (such as a pong that arrives as its time runs
    out); the prediction then says what happens in virtual time.
    """

    experiment: Experiment
    events: list[Event]
    end: float  # s
    unknown: str | None = None
    ties: list[str] = field(default_factory=list)

    def noticed_at(self, end: str) -> float | None:
        return math.nan if self.unknown else super().noticed_at(end)

    def closed_at(self, end: str) -> float | None:
        return math.nan if self.unknown else super().closed_at(end)

    def told_at(self, end: str) -> float | None:
        return math.nan if self.unknown else super().told_at(end)

    def __repr__(self) -> str:
        if self.unknown:
            return f"<Prediction: theory does not know: {self.unknown}>"
        said = [
            f"{end} {what} {_seconds(ask(self, what, end))}" for end in ENDS for what in MOMENTS
        ]
        tie = f"; a tie: {self.ties[0]}" if self.ties else ""
        return f"<Prediction: {', '.join(said)}{tie}>"


def covers(experiment: Experiment) -> str | None:
    """Why theory does not know this experiment, in a sentence; None if it does."""
    opening = (4 if experiment.tls else 2) * experiment.latency
    if reason := _mixed(experiment):
        return reason
    if opening >= OPENING:
        took = f"the opening handshake takes {opening:g} s"
        return f"{took}, and websockets gives up after {OPENING:g} s"
    for act in experiment.faults:
        if not isinstance(act, (Cut, Freeze, Goodbye, Send)):
            return f"it has no rule for {act!r}"
    return _too_early(experiment)


def _mixed(experiment: Experiment) -> str | None:
    """What happens together and theory knows only apart."""
    talks = [act for act in experiment.acts if isinstance(act, Send)]
    freezes = any(isinstance(act, Freeze) for act in experiment.acts)
    if len(set(talks)) < len(talks):
        return "two equal acts send, and theory cannot tell them apart"
    if talks and experiment.compression:
        return "messages are sent, and theory does not know what compression makes of them"
    if experiment.tls and (talks or freezes):
        what = "an end freezes" if freezes else "messages are sent"
        return f"{what}, and theory knows that without TLS only"
    if talks and freezes:
        return "an end freezes and messages are sent: theory knows either, not both"
    return None


def _too_early(experiment: Experiment) -> str | None:
    """Which act falls into the opening handshake; what an application does all along may."""
    usual = [act for end in ENDS for act in experiment.peer(end).acts(end)]
    usual = [act for act in usual if isinstance(act, (Send, StopReading))]
    handshake = 2 * experiment.latency
    for act in experiment.acts:
        if act not in usual and act.start <= handshake:
            return f"{act!r} falls into the opening handshake, which takes {handshake:g} s"
    return None


def predict(experiment: Experiment) -> Prediction:
    """What ought to happen, from parameters alone (RFC 6455 §5.5, §7.1; websockets' keepalive).

    Gives every ping, pong and CLOSE with the moment it arrives (or None: stuck), and the moments
    each end notices, is closed and is told (s).
    """
    if not isinstance(experiment, Experiment):
        expected = f"an Experiment(…), seen {experiment!r}"
        raise TypeError(f"predict() takes {expected}: theory never sees a run")
    unknown = covers(experiment)
    model = Model(experiment)
    if unknown is None:
        model.run()
        unknown = model.overflow
    if unknown:
        return Prediction(experiment, [], 0.0, unknown)
    events = [_plain(event) for event in model.events]
    return Prediction(experiment, events, model.now, None, model.ties)


def _plain(event: Event) -> Event:
    """An event of the model as plain data: its item becomes the moment of its arrival."""
    if event.what != "frame":
        return event
    data = dict(event.data)
    data["arrived_at"] = data.pop("item").arrived_at
    return event._replace(data=data)


def sends_into_a_cut(experiment: Experiment, end: str = "server") -> int:
    """How many sends of ``end`` return, from the beginning of a cut until one waits in drain().

    It is what the wire holds and what the write buffer holds, in whole frames: asyncio pauses a
    writer when more than ``write_limit`` bytes wait. Fewer, if TCP gives up before. Exact in
    virtual time; a real kernel has buffers of its own besides. Raises ValueError with keepalive,
    compression or latency.
    """
    peer = experiment.peer(end)
    if peer.keepalive or experiment.compression or experiment.latency:
        without = "without keepalive, compression and latency"
        raise ValueError(f"theory counts the sends only {without}, seen {experiment!r}")
    fit = ((peer.buffer or CAPACITY) + peer.write_limit) // frame_size(peer.send_size, end)
    if peer.send_every is None:
        return fit
    return min(fit, int(peer.tcp.retries_at(0.0).gives_up / peer.send_every) + 1)


@dataclass(frozen=True)
class Difference:
    """One moment, as theory has it and as it was observed (s; None: never)."""

    end: str
    moment: str  # noticed, closed, told
    predicted: float | None
    observed: float | None

    @property
    def seconds(self) -> float | None:
        """Observed − predicted (s).

        0 if both say never, infinite if only one does, NaN if theory does not know.
        """
        if self.predicted is None or self.observed is None:
            return 0.0 if self.predicted is self.observed else math.inf
        return self.observed - self.predicted


@dataclass(frozen=True)
class Comparison:
    """Theory and fact side by side: ``rows`` for each end and moment."""

    rows: list[Difference]
    unknown: str | None = None
    names: tuple[str, str] = ("theory", "fact")

    @property
    def worst(self) -> float:
        """The largest difference (s).

        NaN where theory does not know, infinite where one says never and the other does not.
        """
        return math.nan if self.unknown else max(abs(row.seconds or 0.0) for row in self.rows)

    def __str__(self) -> str:
        if self.unknown:
            return f"theory does not know: {self.unknown}"
        one, two = self.names
        lines = [f"{'':16}{one:>12}{two:>12}{f'{two} − {one}':>16}"]
        for row in self.rows:
            times = f"{_seconds(row.predicted):>12}{_seconds(row.observed):>12}"
            lines.append(f"{row.end + ' ' + row.moment:16}{times}{_gap(row):>16}")
        return "\n".join(lines)

    __repr__ = __str__


def ask(story: Story, moment: str, end: str) -> float | None:
    """One of the three moments (s), by its name."""
    moments = {"noticed": story.noticed_at, "closed": story.closed_at, "told": story.told_at}
    return moments[moment](end)


def compare(trace: Trace, prediction: Prediction | None = None) -> Comparison:
    """Hold a trace against a prediction (of its own experiment, unless given)."""
    prediction = prediction or predict(trace.experiment)
    rows = [
        Difference(end, moment, ask(prediction, moment, end), ask(trace, moment, end))
        for end in ENDS
        for moment in MOMENTS
    ]
    return Comparison(rows, prediction.unknown)


def _seconds(value: float | None) -> str:
    if value is None:
        return "never"
    return "unknown" if math.isnan(value) else f"{value:.3f} s"


def _gap(row: Difference) -> str:
    if row.predicted is None and row.observed is None:
        return ""
    if row.seconds is None or math.isinf(row.seconds):
        return "not the same"
    return f"{row.seconds * 1000:+.1f} ms" if abs(row.seconds) >= SAME else "0"
