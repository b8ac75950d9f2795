"""Many runs, and many clients.

sweeps.py     one experiment, some of its parameters varied, a row for each run
fleets.py     one server, thousands of clients, one experiment for all of them
crowds.py     clients that dial as often as they like; restarts.py is what happens and is seen
plans.py      timers that fit a budget; trials.py checks them by runs
timers.py     Timers, and how often timers raise a false alarm, by theory
pool.py       worker processes, and runs handed to them in batches
"""
