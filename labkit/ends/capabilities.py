"""What each implementation of each version of websockets has: facts about versions, in one table.

Versions are strings, "14.1"; only numbers count ("17.0rc1" is refused). Read in the library's
changelog and signatures.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from ..values.faults import Act, Leave, Suspend

IMPLEMENTATIONS = ("asyncio", "legacy", "threading", "trio")
OLDEST = "10.4"  # the oldest version of websockets that the lab runs
OLDEST_PYTHON = (3, 10)  # the oldest Python that a worker runs on

SINCE: dict[str, dict[str, str]] = {  # implementation: what it has, since which version
    "legacy": {"exists": "7.0", "keepalive": "7.0", "write_limit": "7.0", "max_queue": "7.0"},
    "threading": {"exists": "11.0", "max_queue": "14.0", "keepalive": "15.0", "proxy": "15.0"},
    "asyncio": {
        "exists": "13.0",
        "keepalive": "13.0",
        "write_limit": "13.0",
        "max_queue": "13.0",
        "proxy": "15.0",
    },
    "trio": {"exists": "17.0", "keepalive": "17.0", "max_queue": "17.0", "proxy": "17.0"},
}
# from this version on, at least this Python
PYTHON_SINCE = [("17.0", (3, 11)), ("16.0", (3, 10)), ("14.0", (3, 9)), ("10.4", (3, 7))]
VIRTUAL = ("asyncio", "legacy")  # threads and trio have clocks of their own
SSL_CONTEXT = "13.0"  # until then threading's serve() and connect() call their ssl=… ssl_context=…


def number(version: str) -> tuple[int, ...]:
    """The version as numbers: "14.1" is (14, 1); refuses what is none."""
    try:
        return tuple(int(part) for part in version.split("."))
    except (ValueError, AttributeError):
        raise ValueError(
            f"a version of websockets is a string such as '14.1', seen {version!r}"
        ) from None


@functools.cache
def has(implementation: str, what: str, version: str) -> bool:
    """Whether an implementation of this version has something, a word of SINCE."""
    since = SINCE[implementation].get(what)
    return since is not None and number(version) >= number(since)


def lack(implementation: str, version: str, python: tuple[int, ...]) -> str | None:
    """Why this implementation of this version cannot run on this Python; None if it can."""
    if number(version) < number(OLDEST):
        return f"the lab runs websockets from {OLDEST} on, and {version} is older"
    if not has(implementation, "exists", version):
        came = f"it came with {SINCE[implementation]['exists']}"
        return f"websockets {version} has no {implementation} implementation: {came}"
    needed = next(oldest for since, oldest in PYTHON_SINCE if number(version) >= number(since))
    for who, oldest in (
        (f"websockets {version} needs", needed),
        ("the lab runs on", OLDEST_PYTHON),
    ):
        if tuple(python[:2]) < oldest:
            this = f"this is {python[0]}.{python[1]}"
            return f"{who} Python {oldest[0]}.{oldest[1]} or newer, and {this}"
    return None


def no_keepalive(implementation: str, version: str) -> str | None:
    """Why this implementation of this version sends no keepalive pings; None if it does."""
    if has(implementation, "keepalive", version):
        return None
    since = SINCE[implementation]["keepalive"]
    return f"the {implementation} implementation has no keepalive before websockets {since}"


def refuse(acts: Iterable[Act], implementation: str) -> None:
    """Raise ValueError for what only an end of asyncio can do."""
    for act in acts:
        if implementation not in VIRTUAL and isinstance(act, (Leave, Suspend)):
            raise ValueError(f"the {implementation} implementation cannot do {act!r}: asyncio can")
