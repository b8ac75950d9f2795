"""The old name of a reading, for the figures that have not moved to marks yet."""

from __future__ import annotations

from .axis import nice as nice
from .reading import Reading as Tale

__all__ = ["Tale", "nice"]
