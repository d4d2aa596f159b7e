"""What every page shares: the offline document, colours, plots, and writing files whole."""
