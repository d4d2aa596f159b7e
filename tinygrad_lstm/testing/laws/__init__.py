"""Laws that every gradient obeys, whatever the function."""
