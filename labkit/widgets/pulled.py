"""A pulled cable, told from a trace: what the lamps did and when. It names no timer, knows no page.

Where nobody has pulled the cable, a run in virtual time stands in, with a cut at PULL.
"""

from __future__ import annotations

from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS, Cut
from .knobs import PATIENCE

PULL = 6.3  # s; noticed at another moment than the fruit fly, which is guessed later
TURNS = {"CLOSING": "turns amber (CLOSING)", "CLOSED": "goes out (CLOSED)"}
NOBODY = "Nobody has pulled the cable here, so a run in virtual time stands in."
NO_BUTTON = "There is no button here to pull the cable, so a run in virtual time stands in."
QUIET = "Both lamps are green: each end believes that the other is there."


def stand_in(experiment: Experiment) -> Trace:
    """A run of it in virtual time: with the acts that it has, else with a cut at PULL.

    A run that ends before is cut in its middle.
    """
    at = PULL if experiment.until is None else min(PULL, experiment.until / 2)
    hurt = experiment.but(faults=experiment.faults or [Cut(at=at)])
    ends = hurt if hurt.limit is not None else hurt.but(until=hurt.last_act + PATIENCE)
    return run(ends, "virtual", progress=False)


def pulled_at(trace: Trace) -> float | None:
    """When the cable was cut the last time (s); None: never."""
    cuts = trace.experiment.cuts
    return cuts[-1].start if cuts else None


def moments(trace: Trace) -> list[tuple[float, str]]:
    """What happened to the wire and the lamps, in time: seconds, and words."""
    found = [(cut.start, "the cable is pulled") for cut in trace.experiment.cuts]
    heals = (cut.heal for cut in trace.experiment.cuts)
    found += [(heal, "the cable is mended") for heal in heals if heal is not None]
    for end in ENDS:
        states = trace.states(end)
        found += [(t, f"the {end}'s lamp {TURNS[one]}") for t, one in states if one in TURNS]
    return sorted(moment for moment in found if moment[0] <= trace.end)


def sentence(trace: Trace, t: float) -> str:
    """The last thing that had happened by ``t`` (s), and whose lamp is still green."""
    past = [moment for moment in moments(trace) if moment[0] <= t]
    green = [end for end in ENDS if trace.state_at(end, t) == "OPEN"]
    if not past:
        return QUIET if len(green) == 2 else "The client dials the server."
    when, what = past[-1]
    lamps = (
        "Both lamps are" if len(green) == 2 else "".join(f"The {end}'s lamp is" for end in green)
    )
    return f"{when:.1f} s: {what}." + (f" {lamps} still green." if green else "")


def story(trace: Trace, by_hand: bool = True) -> str:
    """When the cable was pulled, and when each end noticed; ``by_hand``: "You pulled the cable"."""
    at = pulled_at(trace)
    if at is None:
        return "The cable was not pulled in this run."
    heal = trace.experiment.cuts[-1].heal
    whole = (
        "" if heal is None else f", and {'you mended it' if by_hand else 'mended'} at {heal:.1f} s"
    )
    first = f"{'You pulled the cable' if by_hand else 'The cable was cut'} at {at:.1f} s{whole}."
    order = sorted(ENDS, key=lambda end: trace.noticed_at(end) or trace.end)
    return " ".join([first, *(_noticed(trace, end, at) for end in order)])


def _noticed(trace: Trace, end: str, pulled: float) -> str:
    """When one end noticed; its wait is the difference of both times as they are written."""
    t = trace.noticed_at(end)
    if t is None:
        return f"The {end} had noticed nothing by {trace.end:.1f} s."
    wait = round(t, 1) - round(pulled, 1)
    return f"The {end} noticed at {t:.1f} s" + (f", {wait:.1f} s later." if t >= pulled else ".")
