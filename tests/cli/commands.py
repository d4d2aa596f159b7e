"""The commands, each in a process of its own that begins at once: forked from one that has loaded most of it."""

import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LOADED = ["tinygrad_lstm.drawing.entry", "tinygrad_lstm.stepper.web", "tinygrad_lstm.tour", "tinygrad_lstm.testing"]
"""What the commands import; not they themselves, since they look at their surroundings while they are loaded."""

FORKING = "forkserver" in multiprocessing.get_all_start_methods()
if FORKING:
    _processes = multiprocessing.get_context("forkserver")
    _processes.set_forkserver_preload(LOADED)


def command(*arguments, stdin="", columns=100):
    """Run ``tinygrad-lstm`` with arguments and a standard input."""
    if not FORKING:
        return newly_started(*arguments, stdin=stdin, columns=columns)
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        streams[0].write_bytes(stdin.encode())
        environment = {**os.environ, "COLUMNS": str(columns)}
        process = _processes.Process(target=_forked, args=(arguments, environment, streams))
        process.start()
        process.join()
        output, errors = (stream.read_bytes().decode() for stream in streams[1:])
        return subprocess.CompletedProcess(arguments, process.exitcode, output, errors)


def newly_started(*arguments, stdin="", columns=100, **variables):
    """Run the same with other variables, which Python, or what is loaded first, reads only once."""
    run = [sys.executable, "-m", "tinygrad_lstm", *arguments]
    environment = {**os.environ, "COLUMNS": str(columns), **variables}
    return subprocess.run(run, input=stdin, capture_output=True, encoding="utf-8", env=environment)


def _forked(arguments, environment, streams):
    os.environ.clear()
    os.environ.update(environment)
    for number, (stream, how) in enumerate(zip(streams, ("rb", "wb", "wb"), strict=True)):
        with stream.open(how) as file:
            os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(open(number, mode, closefd=False), encoding="utf-8")  # noqa: SIM115
        for number, mode in enumerate(("rb", "wb", "wb"))
    )
    sys.argv = ["tinygrad-lstm", *arguments]
    from tinygrad_lstm.__main__ import main

    main()
