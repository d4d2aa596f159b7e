"""Views: which boxes and arrows a picture has; each is a quotient of the graph."""
