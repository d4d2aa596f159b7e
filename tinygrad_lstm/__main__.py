"""The command ``tinygrad-lstm``, also as ``python -m tinygrad_lstm``: Ctrl-C ends it in a line, while it loads too."""

import sys


def main() -> None:
    """Load the commands and run the one that is asked for."""
    try:
        from .cli import main

        main()
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("tinygrad-lstm: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
