"""Experiments with long-term dependencies: each claim is run, measured, drawn and kept."""
