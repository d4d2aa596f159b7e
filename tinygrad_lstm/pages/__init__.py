"""What every page shares: the offline document, colours, and plots."""
