"""The tape of a walk and its events."""
