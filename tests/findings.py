"""What was found out about websockets itself, and the newest version in which it was seen.

A finding that still holds is no news. One that is gone in a *newer* version fails with what to do; gone in a version in which it
was seen, it is the lab that has changed.
"""

import re

import pytest
import websockets

SEEN_IN = "17.4"


def last_seen(finding: str, holds: bool, what_to_do: str, version: str = SEEN_IN) -> None:
    """Fail unless the finding holds; the sentence says whether websockets or the lab has changed."""
    here = websockets.version.version
    if holds:
        return
    if _number(here) > _number(version):
        pytest.fail(f"websockets {here} no longer does this: {finding} (last seen in {version}). {what_to_do}")
    pytest.fail(f"seen in websockets {version}, and not now with {here}: {finding}. The lab has changed, not websockets")


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
