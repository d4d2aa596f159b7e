"""``tinygrad-lstm check`` on ours and on a person's own, in the terminal and as a page; right, wrong or neither."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from tests.cli.commands import command
from tinygrad_lstm.cli.app import app

MY_OPS = """
import numpy as np
import tinygrad_lstm as tl

print("hello from the file")
softsign = tl.primitive("softsign", lambda x: x / (1 + tl.abs(x) if isinstance(x, tl.Tensor) else 1 + np.sqrt(x * x)),
                        lambda g, y, x: (g / ((1 + tl.abs(x)) * (1 + tl.abs(x))),))
swish = tl.primitive("swish", lambda x: x / (1 + np.exp(-x)), lambda g, y, x: (g * tl.sigmoid(x) * (1 + x),))
number = 3
cell = tl.GRUCell(2, 3, rng=0)
layer = tl.LSTM(2, 3, rng=0)
head = tl.Linear(3, 2, rng=0)


class Leaky(tl.RNNCell):
    def forward(self, x, h):
        return 0.9 * h + 0.1 * super().forward(x, h)


def attention(queries, keys, values):
    return tl.softmax(queries @ keys) @ values


def loss():
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="<img src=x onerror=alert(1)>\\x1b[31m")
    return swish(tl.tanh(x)).sum()


def right():
    return tl.tanh(tl.tensor([1.0, 2.0], requires_grad=True)).sum()


def noisy(x):
    return x + np.random.normal(size=x.shape)


def broken(x):
    raise RuntimeError("nothing works")


def constant(x):
    return tl.tensor(1.0)


def flat(x):
    return 0.0 * x


def no_tensor(x):
    return 3.0


def leaves(x):
    raise SystemExit(0)


def picky(x):
    return x.reshape((7, 11))
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delitem(sys.modules, "my_ops", raising=False)
    (tmp_path / "my_ops.py").write_text(MY_OPS, encoding="utf-8")
    return tmp_path


def check(*arguments):
    """The command without a process of its own, which would take most of the time."""
    return CliRunner().invoke(app, ["check", *arguments])


def rows(output):
    """The cells of the table, by the first of each row."""
    lines = (line.strip("│ ").split("│") for line in output.splitlines() if line.startswith("│"))
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in lines}


@pytest.mark.slow
def test_operations_and_cells_of_ours_are_right_and_on_a_page(here):
    """Some of them: all are checked where the README says so."""
    ops = ("greater", "where", "tanh", "softmax", "relu")
    cells = ("rnn", "lstm", "gru", "peephole", "coupled")
    chosen = [*(part for op in ops for part in ("--op", op)), *(part for cell in cells for part in ("--cell", cell))]
    done = command("check", "--profile", "ci", "--html", "check.html", *chosen)
    assert done.returncode == 0, done.stderr
    table = rows(done.stdout)
    assert {name for name, cells in table.items() if cells[0] != "PASS"} == {"greater"}
    gradients = {"rnn cell": 4, "lstm cell": 11, "gru cell": 10, "peephole cell": 11, "coupled cell": 9, "where": 2}
    assert {name: int(table[name][2]) for name in gradients} == gradients
    assert all(float(cells[1]) < 10_000 for cells in table.values() if cells[0] == "PASS")
    assert "greater is a step: its derivative is zero wherever there is one" in done.stdout
    page = (here / "check.html").read_text(encoding="utf-8")
    assert page.count("order 3.0: right</text>") == 7
    assert "wrong</text>" not in page
    assert "Of where, relu" in " ".join(page.split())
    assert not re.search(r'(src|href)="(?!data:)', page)


@pytest.mark.parametrize(
    ("arguments", "name", "gradients"),
    [
        (["my_ops.py:softsign"], "softsign", 1),
        (["my_ops.py:attention", "--shape", "2,3", "--shape", "3,4", "--shape", "4,1"], "attention", 3),
        (["my_ops.py:attention"], "attention", 3),
        (["my_ops.py:cell", "--steps", "2"], "cell", 10),
        (["my_ops.py:Leaky"], "Leaky", 4),
        (["my_ops.py:layer"], "layer", 9),
        (["my_ops.py:head", "--shape", "5,3"], "head", 3),
        (["my_ops.py:head"], "head", 3),
        (["my_ops.py:right"], "right", 1),
        (["--op", "tanh"], "tanh", 1),
        (["--cell", "gru", "--steps", "7"], "gru cell", 10),
    ],
)
def test_what_is_right_passes(arguments, name, gradients, here):
    done = check(*arguments)
    assert done.exit_code == 0, done.stderr
    assert list(rows(done.stdout)) == [name]
    assert rows(done.stdout)[name][0] == "PASS"
    assert int(rows(done.stdout)[name][2]) == gradients


def test_a_wrong_operation_is_blamed_shrunk_and_drawn(here):
    done = command("check", "my_ops.py:swish", "--html", "swish.html")
    assert done.returncode == 1
    assert rows(done.stdout)["swish"][0] == "WRONG"
    said = " ".join(done.stderr.split())
    assert "The rule of swish is wrong: it gives" in said
    for oracle in ("complex step", "differences", "700 digits", "order of convergence 1 3"):
        assert oracle in said
    assert "my_ops.swish(x0)" in said
    assert (here / "swish-gradient.svg").read_text(encoding="utf-8").count(">wrong</text>") == 1
    program = done.stderr[done.stderr.index("    import tinygrad_lstm") : done.stderr.index("Its picture")]
    (here / "smallest.py").write_text("\n".join(line[4:] for line in program.splitlines()), encoding="utf-8")
    again = command_of_python(here / "smallest.py")
    assert again.returncode == 1
    assert "the rule of swish is wrong" in again.stderr
    page = (here / "swish.html").read_text(encoding="utf-8")
    for piece in ("the rule of swish is wrong", "my_ops.swish(x0)", ">wrong</text>", "order 1.0: wrong"):
        assert piece in page


def test_order_1_leaves_out_second_derivatives(here):
    """Of an operation, whose rule is right but cannot be differentiated; cells have none unless they are asked for."""
    rule = "lambda g, y, x: (np.asarray(g) * np.exp(np.asarray(x)),)"
    (here / "once.py").write_text(f"{MY_OPS}\nonce = tl.primitive('once', np.exp, {rule})\n", encoding="utf-8")
    assert check("once.py:once", "--order", "1").exit_code == 0
    twice = check("once.py:once")
    assert twice.exit_code == 1
    assert "the forward derivative of input 0" in twice.stderr
    assert check("once.py:cell", "--order", "1", "--steps", "2").exit_code == 0
    assert check("once.py:once", "--order", "3").exit_code == 2


@pytest.mark.slow
def test_a_failure_says_the_command_that_repeats_it(here, monkeypatch):
    """With the same numbers; what --profile dev draws is else another thing in each run."""
    said = command("check", "my_ops.py:swish", "--profile", "dev", "--html", "swish.html").stderr
    line = re.search(r"^to see it again: tinygrad-lstm (.* --profile dev .*--seed \d+)$", said, re.MULTILINE)[1]
    assert line in (here / "swish.html").read_text(encoding="utf-8")
    blamed = re.search(r"^swish: .*$", said, re.MULTILINE)[0]
    assert blamed in command(*line.split()).stderr
    assert blamed not in command(*line.split(), "--seed", "1").stderr
    again = command(*line.split(), "--seed=1").stderr
    assert re.search(r"^to see it again: (.*)$", again, re.MULTILINE)[1].count("--seed") == 1
    monkeypatch.setenv("CI", "true")
    assert "my_ops.py:swish --profile ci --seed 0\n" in command("check", "my_ops.py:swish").stderr


def test_names_of_a_persons_own_are_escaped(here):
    done = command("check", "my_ops.py:loss", "--html", "loss.html")
    assert done.returncode == 1
    assert "\x1b" not in done.stderr + done.stdout
    page = (here / "loss.html").read_text(encoding="utf-8")
    assert "\x1b" not in page
    assert "<img" not in page
    tags = Tags()
    tags.feed(page)
    assert "img" not in tags.seen
    assert tags.seen.count("script") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["my_ops.py:noisy"], 1, "the function is not the same in two runs on the same inputs: it is random, or keeps"),
        (["my_ops.py:constant"], 1, "the result does not depend on input 0"),
        (["my_ops.py:flat"], 1, "nothing was checked, so that a wrong rule would pass as well"),
        (["my_ops.py:broken"], 2, "broken in my_ops.py failed in line 38: RuntimeError: nothing works"),
        (["my_ops.py:leaves"], 2, "leaves in my_ops.py failed in line 54: SystemExit: 0"),
        (["my_ops.py:no_tensor"], 2, "the function must return a Tensor, or a tuple of them, not float"),
        (["my_ops.py:number"], 2, "number is of type int; give a tensor, a cell, an operation or a function"),
        (["my_ops.py:picky"], 1, "picky takes none of the inputs that were drawn for it; give some of your own"),
        (["my_ops.py:nothing"], 2, "my_ops.py defines no 'nothing'; there is softsign, swish, cell, layer, head"),
        (["my_ops.py"], 2, "write FILE.py:NAME"),
        (["nowhere.py:f"], 2, "there is no file nowhere.py"),
        (["my_ops.py:attention", "--shape", "2,x"], 2, "--shape takes numbers and commas, as in 3,4"),
        (["my_ops.py:attention", "--shape", "2,3"], 2, "missing 2 required positional arguments"),
        (["my_ops.py:attention", *["--shape", "2,3"] * 3], 2, "shapes (2, 3) and (2, 3) do not fit together"),
        (["my_ops.py:swish", "--cell", "gru"], 2, "--cell and --op are for ours"),
        (["--shape", "2,3"], 2, "--shape is for an operation or a function of yours"),
        (["--op", "tanhh"], 2, "there is no operation 'tanhh'; there are add, sub"),
        (["--profile", "hourly"], 2, "'hourly' is not one of 'dev', 'ci', 'nightly'"),
        (["--op", "tanh", "--html", "no/such/folder/x.html"], 2, "cannot write no/such/folder/x.html"),
    ],
)
def test_what_cannot_be_checked_is_named(arguments, code, said, here):
    done = check(*arguments)
    assert said in " ".join(done.stderr.split())
    assert done.exit_code == code
    assert done.exception is None or isinstance(done.exception, SystemExit)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)


def command_of_python(path):
    return subprocess.run([sys.executable, path.name], capture_output=True, encoding="utf-8", cwd=path.parent)
