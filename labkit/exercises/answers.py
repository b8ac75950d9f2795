"""What a learner typed: whether it can be an answer at all."""

from __future__ import annotations

import math
from typing import Any


def is_number(given: Any) -> bool:
    """Whether it can be meant as a finite number (numpy's, too); True and False are none."""
    if given is ... or given is None or isinstance(given, (bool, str, complex)):
        return False
    try:
        return math.isfinite(given)
    except (TypeError, ValueError):
        return False
