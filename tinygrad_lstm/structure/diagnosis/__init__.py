"""Diagnosis: what is wrong with a network that ran, and where, read off its graph and one backward pass."""
