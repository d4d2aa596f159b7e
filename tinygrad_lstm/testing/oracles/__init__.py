"""Oracles: derivatives from forwards alone, which share no code with the rules."""
