"""The stepper in the terminal."""
