"""For a teacher, from a clone of the lab: a class that votes, and what it handed in.

    commandline.py  class, ready, hand-in and grade: their options, and who does them
    workshop.py     the questions of the workshop, as choices, each with its run and its beliefs
    pages.py        cards to print, and the projector's page: what needs no network
    tally.py        votes counted by choice: histograms, as text and as HTML
    room.py         the state of a room: which question is open, who voted what; no network in it
    server.py       a room on one address, for phones and laptops
    merge.py        ledgers that were collected, counted like votes
    ready.py        whether this machine is ready for a workshop
    handin.py       one file of a notebook's answers
    grading.py      a folder of them, judged anew

The questions are those of notebooks/checks. Nothing else imports this folder.
"""
