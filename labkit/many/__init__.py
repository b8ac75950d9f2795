"""Many runs, and many clients.

sweeps.py     one experiment, some of its parameters varied, a row for each run
fleets.py     one server, thousands of clients, one experiment for all of them
crowds.py     clients that dial as often as they like; restarts.py is what happens and is seen
plans.py      timers for what you need, held against runs
pool.py       fresh Python processes; batches.py hands them their work
"""
