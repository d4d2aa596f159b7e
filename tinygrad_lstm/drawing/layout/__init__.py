"""Layout: where boxes stand and lines run."""
