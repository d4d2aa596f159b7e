"""What else people wait for, each in a fresh process, with the seconds it may take.

A budget is what a person does not notice (0.1 s for an import, J. Nielsen, "Usability Engineering" 1993, chapter 5),
waits for without a thought (1 s), or stays for (10 s); or what the README promises.
"""

from __future__ import annotations

from typing import NamedTuple


class Wait(NamedTuple):
    """``code`` sets the variable ``seconds``; what is before ``started = now()`` in it is not counted."""

    budget: float
    code: str
    slow: bool = False


BEGIN = "import time; now = time.perf_counter\n"
LOSS = "import numpy as np, tinygrad_lstm as tl\nloss = tl.LSTM(4, 8, rng=0)(np.ones(({}, 1, 4)))[0].sum()\n"
COMMAND = """import subprocess, sys, tempfile
started = now()
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.executable, "-m", "tinygrad_lstm", {}], cwd=folder, check=True, capture_output=True)
seconds = now() - started
"""

WAITS: dict[str, Wait] = {
    "import tinygrad_lstm, and its layers, beside numpy's": Wait(
        0.1, "import numpy\nstarted = now()\nimport tinygrad_lstm\ntinygrad_lstm.LSTM\nseconds = now() - started\n"
    ),
    "the plugin's import, at the start of pytest": Wait(
        0.02,
        "import pytest\nstarted = now()\nimport tinygrad_lstm.testing.pytest_plugin.plugin\n"
        "seconds = now() - started\n",
    ),
    "a checked gradient, tl.testing.check_vjp": Wait(
        0.1,
        "import numpy as np, tinygrad_lstm as tl\ntl.testing.check_vjp(tl.tanh, np.ones(3))\n"
        "started = now()\ntl.testing.check_vjp(lambda x, w: tl.tanh(x @ w), np.ones((2, 3)), np.ones((3, 4)))\n"
        "seconds = now() - started\n",
    ),
    "a checked cell, tl.testing.check_cell(LSTM)": Wait(
        1.0,
        "import tinygrad_lstm as tl\nstarted = now()\ntl.testing.check_cell(tl.LSTMCell(3, 4, rng=0), steps=3)\n"
        "seconds = now() - started\n",
    ),
    "a picture of 3 steps": Wait(
        1.0, LOSS.format(3) + "started = now()\ntl.draw(loss).svg\nseconds = now() - started\n"
    ),
    "a picture of every operation of 100 steps": Wait(
        0.6,
        LOSS.format(100) + "tl.draw(tl.tensor(1.0, requires_grad=True) * 2).svg\nstarted = now()\n"
        'tl.draw(loss, steps="all").svg\nseconds = now() - started\n',
    ),
    "a picture of every operation of 1,000 steps": Wait(
        5.0,
        LOSS.format(1000) + 'started = now()\ntl.draw(loss, steps="all").svg\nseconds = now() - started\n',
    ),
    "a rolled picture of 1,000 steps": Wait(
        2.0, LOSS.format(1000) + 'started = now()\ntl.draw(loss, "rolled").svg\nseconds = now() - started\n'
    ),
    "a recorded walk through 100 steps": Wait(
        0.1,
        LOSS.format(100) + "from tinygrad_lstm.stepper.recording.tape import Tape\nTape(loss)\nstarted = now()\n"
        "Tape(loss)\nseconds = now() - started\n",
    ),
    "the page of a walk through 30 steps": Wait(
        3.0,
        LOSS.format(30) + "stepper = tl.step(loss)\nimport os, tempfile\nfolder = tempfile.mkdtemp()\nstarted = now()\n"
        'stepper.page(os.path.join(folder, "step.html"))\nseconds = now() - started\n',
    ),
    "tl.source of an LSTM of 100 steps": Wait(
        0.5, LOSS.format(100) + "started = now()\nstr(tl.source(loss))\nseconds = now() - started\n"
    ),
    "tinygrad-lstm --help": Wait(1.0, COMMAND.format('"--help"')),
    "tinygrad-lstm draw": Wait(3.0, COMMAND.format('"draw", "--cell", "lstm", "--output", "network.svg"')),
    "tinygrad-lstm tour": Wait(10.0, COMMAND.format('"tour"')),
    "tinygrad-lstm check, all of ours": Wait(60.0, COMMAND.format('"check"'), slow=True),
}
