"""Fault scenarios: something real breaks while editors save and workers build, then all must be as if nothing had.

`scenarios/` has one module a kind of trouble; each scenario is defined once there. `memora/tests/faults/test_faults.py` plays
each once, `dev/faults` plays each many times and measures (docs/reliability.md).

Nothing of this is in the product: a worker process patches itself right after it was started.
"""
