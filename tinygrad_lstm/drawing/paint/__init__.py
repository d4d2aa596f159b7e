"""Painting: a placed scene as DOT, SVG, PNG or PDF."""
