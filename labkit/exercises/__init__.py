"""Guesses and checks: predict first, then run, then hear which belief your number came from.

A guess left empty (``...``) survives Run All and draws nothing; a check left empty says that it is your turn. A check
judges by running an experiment, never by comparing with a number that somebody wrote down.
"""

from .beliefs import Belief, beliefs, explain
from .guess import Guess, Ledger, guess, settle
from .start_here import check_new_cut, check_soonest_and_latest

__all__ = [
    "Belief",
    "Guess",
    "Ledger",
    "beliefs",
    "check_new_cut",
    "check_soonest_and_latest",
    "explain",
    "guess",
    "settle",
]
