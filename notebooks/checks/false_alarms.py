"""Questions and exercises of this notebook."""

from __future__ import annotations

from .exercises import Exercise
from .questions import Question

QUESTIONS: list[Question] = []
EXERCISES: list[Exercise] = []
