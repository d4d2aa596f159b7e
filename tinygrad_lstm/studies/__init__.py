"""Experiments and small networks to look at."""
