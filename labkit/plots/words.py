"""The old home of a few words, for the figures that have not moved to marks yet."""

from __future__ import annotations

from .ends import CONTROL, band_words, cut_words, listed

__all__ = ["CONTROL", "band_words", "cut_words", "listed"]
