"""Drawn inputs: arrays, expression graphs, cells and networks."""
