"""``python -m tinygrad_lstm`` is the command ``tinygrad-lstm``."""

from .cli import main

main()
