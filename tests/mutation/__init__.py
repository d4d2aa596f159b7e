"""The mutation score of the checks: wrong rules planted systematically, and how many of them the checks let through.

    python -m tests.mutation

prints one table and exits with 1 if a mutant survives that is not explained in ``equivalent.py``. Words name groups;
``--share 1/3`` plants a third, another one each day.
"""
