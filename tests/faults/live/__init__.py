"""The gateway as a process of its own, between simulated platforms that are processes too, and callers by the thousand.

`python -m tests.faults.live` (`make faults`) runs all of it long and prints a table; `test_live` runs it short.
"""
