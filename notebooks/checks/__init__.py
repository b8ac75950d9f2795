"""What the notebooks ask, as data, and four verbs: guess, settle, check, calibration.

    vote = guess("00 healed at 14 s", "live")     # locked; an empty one (...) survives Run All
    settle(vote, trace)                           # what the run says, and which belief it was
    check("00 a new cut", 19)                     # your answer, judged by runs
    calibration()                                 # how good were your guesses so far?

A question stands in the file of its notebook (``start_here.py`` is 00's) with its id, the kind of
its answer, the fact as it is read off a run, and the beliefs behind wrong answers. An exercise has
trials. Nothing here knows an outcome: what is true is what a run of websockets does.
"""

from .answers import Code, Form, Letters, Number, OneOf
from .exercises import Exercise, Trial, check
from .ledger import Ledger, calibration
from .questions import Guess, Question, guess, settle

__all__ = [
    "Code", "Exercise", "Form", "Guess", "Ledger", "Letters", "Number", "OneOf", "Question",
    "Trial", "calibration", "check", "guess", "settle",
]  # fmt: skip
