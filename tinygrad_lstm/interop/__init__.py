"""What leaves the package and comes back: files, one format each, written whole."""
