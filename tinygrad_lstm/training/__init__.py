"""Training: the loop, batches, schedules, checkpoints. Nothing here draws.

``tl.fit`` is the loop, ``fit.py``, which one reads in a minute; all the rest is what it can be given.
"""
