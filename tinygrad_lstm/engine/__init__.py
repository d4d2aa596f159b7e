"""Values, graphs and derivatives. Needs numpy, and nothing from the floors above."""
