"""A program reads as a person would have written it: its loops, its names, its lines; and nothing of a name is run."""

import ast
import builtins
import keyword
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.program.agreement import exactly, unlike
from tests.program.networks import NETWORKS, D, H, N, T, drawn, layered
from tinygrad_lstm import program
from tinygrad_lstm.nn.cells import CELLS

FEW = ["lstm", "gru", "rnn", "peephole", "two layers, both directions", "attention_over_an_encoder", "float32"]


def source_of(name, level=0):
    loss, wrt = NETWORKS[name]()
    return tl.source(loss, wrt=wrt, optimize=level)


def code(text):
    return [line.partition("#")[0].rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("name", [*FEW, "a_head_in_the_loop", "rows_of_a_table", "layer norm", "a_language_model"])
@pytest.mark.parametrize("level", [0, 3])
def test_no_line_is_longer_than_100(name, level):
    assert max(map(len, str(source_of(name, level)).splitlines())) <= 100


@pytest.mark.slow
@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_line_of_any_is(name, level):
    assert max(map(len, str(source_of(name, level)).splitlines())) <= 100


def lstm_of(steps):
    layer, x = tl.LSTM(D, H, rng=0), drawn(steps, N, D, name="x")
    output, _ = layer(x)
    return str(tl.source((output * output).sum()))


def test_an_lstm_has_at_most_60_lines_and_two_loops():
    text = lstm_of(T)
    assert len(text.splitlines()) <= 60
    loops = [line.strip() for line in text.splitlines() if line.strip().startswith("for ")]
    assert loops == ["for t in range(T):", "for t in reversed(range(T)):"]
    general = str(tl.source(tl.LSTM(D, H, rng=0), np.ones((T, N, D))))
    assert len(general.splitlines()) <= 60
    assert [line.strip() for line in general.splitlines() if line.strip().startswith("for ")] == loops


def test_it_is_as_long_at_5_steps_as_at_500():
    assert len(lstm_of(5).splitlines()) == len(lstm_of(500).splitlines())
    assert lstm_of(6).replace("= 6, ", "= 5, ").replace("h[5]", "h[4]") == lstm_of(5)


@pytest.mark.parametrize("kind", CELLS)
def test_names_are_those_of_the_network(kind):
    layer = tl.nn.Recurrent(CELLS[kind](D, H, rng=0))
    text = str(tl.source(layered(layer)[0]))
    for name, _ in layer.cell.named_children():
        assert re.search(rf"of cell\.{name}\b", " ".join(text.replace("\n    # ", " ").split())), name
    assert not re.search(r"\bv\d+\b", text)


def test_the_equations_of_an_lstm_stand_beside_its_lines():
    text = lstm_of(T)
    for equation in [
        "fₜ = σ(hxₜ W_f + b_f)",
        "cₜ = fₜ ⊙ cₜ₋₁ + iₜ ⊙ gₜ",
        "hₜ = oₜ ⊙ tanh_cₜ",
        "dcₜ₋₁ += dcₜ ⊙ fₜ",
        "hxₜ = [hₜ₋₁, xₜ]  (N, H + D)",
    ]:
        assert f"# {equation}" in text, equation
    assert "W_f, b_f: weight, bias of cell.forget_gate" in text


@pytest.mark.parametrize("name", NETWORKS)
def test_what_we_call_places_is_not_in_the_text(name):
    text = str(source_of(name))
    for word in ("Moving", "Fixed", "Every", "Stacked", "Reference", "<", "array("):
        assert word not in "\n".join(code(text)).replace("np.isfinite", "") or word == "<", word


def test_arguments_come_in_a_sensible_order():
    layer = tl.LSTM(D, H, rng=0)
    general = tl.source(layer, drawn(T, N, D), (drawn(1, N, H), drawn(1, N, H)))
    assert list(general.arguments)[:5] == ["xs", "state_0", "state_1", "W_f", "b_f"]
    loss, _ = layered(layer, drawn(T, N, D, name="x"), (drawn(1, N, H, name="h0"), drawn(1, N, H, name="c0")))
    arguments = list(tl.source(loss).arguments)
    assert arguments[0] == "x"
    assert set(arguments[-8:]) == {f"{kind}_{gate}" for kind in "Wb" for gate in "figo"}


def test_a_loss_recorded_once_says_that_its_sizes_are_those_of_the_recording():
    assert f"T, H = {T}, {H}  # as recorded" in lstm_of(T)
    assert "# as recorded" not in str(tl.source(tl.LSTM(D, H, rng=0), np.ones((T, N, D))))
    assert "T, N, D = xs.shape" in str(tl.source(tl.LSTM(D, H, rng=0), np.ones((T, N, D))))


def test_what_joins_others_is_called_by_their_letters():
    peephole = tl.nn.Recurrent(tl.PeepholeLSTMCell(D, H, rng=0))
    text = str(tl.source(peephole, np.ones((T, N, D))))
    assert "hx[t] = np.concatenate([h[t - 1], xs[t]], axis=-1)" in text
    assert "chx[t] = np.concatenate([c[t - 1], hx[t]], axis=-1)" in text


def test_it_imports_numpy_and_nothing_else():
    for name in FEW:
        imports = [
            each for each in ast.walk(ast.parse(str(source_of(name)))) if isinstance(each, ast.Import | ast.ImportFrom)
        ]
        assert [[alias.name for alias in each.names] for each in imports] == [["numpy"]]


def test_each_line_knows_the_line_that_it_comes_from():
    W, x = drawn(D, H, name="W"), drawn(T, N, D, name="x")
    h = tl.tensor(np.zeros((N, H)))
    for t in range(T):
        h = tl.tanh(x[t] @ W + h)
    program = tl.source(h.sum(), wrt=[W])
    lines = str(program).splitlines()
    forward = next(i for i, line in enumerate(lines, 1) if "np.tanh(" in line and "#" not in line.split("np")[0])
    assert program.origin(forward).file == __file__
    assert "tl.tanh(x[t] @ W + h)" in program.origin(forward).text
    backward = next(i for i, line in enumerate(lines, 1) if line.strip().startswith("dW +="))
    assert "x[t] @ W" in program.origin(backward).text
    assert program.origin(1) is None


@pytest.mark.parametrize("level", [0, pytest.param(3, marks=pytest.mark.slow)])
def test_every_program_passes_ruff(level, tmp_path):
    if not shutil.which("ruff"):
        pytest.skip("ruff is not installed")
    for name in NETWORKS:
        file = tmp_path / f"{re.sub('[^a-zA-Z0-9]', '_', name)}.py"
        file.write_text(str(source_of(name, level)), encoding="utf-8")
    done = subprocess.run(["ruff", "check", "--isolated", str(tmp_path)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout


# Names

HOSTILE = [
    "lambda", "import", "None", "np", "t", "range", "T", "saved", "operations", "loss", "self", "print", "match",
    "__import__('os')", "a\nimport os", "x = 1 #", '"""', "\\", "{}", "%s", "W²", "𝐖", "ä", "_", "__", "1", " ",
    "a.b.c", "a" * 500, "reversed", "dict", "H", "sigmoid", "\x00", "\u202e", "e\u0301",
]  # fmt: skip


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), min_size=5, max_size=5))
def test_hostile_names_become_names_and_comments(names):
    w, u, b, x = (
        tl.tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True, name=name)
        for shape, name in zip([(D, H), (H, H), (H,), (3, N, D)], names, strict=False)
    )
    h = tl.tensor(np.zeros((N, H)))
    for t in range(3):
        h = tl.sigmoid(x[t] @ w + h @ u + b)
        h.name = names[4]
    loss = h.sum()
    program = tl.source(loss, wrt=[w, u, b, x])
    tree = ast.parse(str(program))
    assigned = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    parameters = {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    assert all(not keyword.iskeyword(name) for name in assigned | parameters)
    assert not (assigned - {"t"}) & {"np", "range", "reversed", "dict"}
    called = {each.func.id for each in ast.walk(tree) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)}
    assert called <= {"range", "reversed", *(f.name for f in ast.walk(tree) if isinstance(f, ast.FunctionDef))} | {
        "dict"
    }
    assert unlike(loss, [w, u, b, x], program, exactly) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_module_and_an_operation_by_such_a_name(name):
    layer = tl.nn.ModuleDict({name: tl.RNNCell(D, H, rng=0)}) if name.strip(" _") and "." not in name else None
    if layer is not None:
        cell = layer[name]
        loss = (cell(drawn(N, D)) ** 2).sum()
        assert unlike(loss, cell.parameters(), tl.source(loss, wrt=cell.parameters()), exactly) == []


def test_nothing_of_a_name_is_executed(monkeypatch):
    seen = []
    monkeypatch.setattr(builtins, "print", lambda *args, **kwargs: seen.append(args))
    w = drawn(D, H, name='print("seen")')
    loss = tl.tanh(drawn(N, D, name='x"); print("seen") #\nprint("seen")') @ w).sum()
    tl.source(loss, wrt=[w])()
    assert not seen


# The room


def words_of(file):
    """The names and strings of a module, but for what is said in docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    found |= {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    found |= {each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    docs = {ast.get_docstring(each, clean=False) for each in ast.walk(tree) if isinstance(each, documented)}
    return {word.lower() for word in found - docs}


def test_the_room_says_nothing_of_cells_gates_and_layers():
    forbidden = {*CELLS, "lstm", "gru", "rnn", "gate", "hidden_size", "layer_norm", "lstmcell"}
    for file in Path(program.__file__).parent.rglob("*.py"):
        assert not words_of(file) & forbidden, file


def test_it_imports_nothing_from_nn():
    code = "import sys, tinygrad_lstm.program; print([m for m in sys.modules if m.startswith('tinygrad_lstm.nn')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"


def told(what):
    """A loss in which an operation that no one can read is told something besides its input."""
    told = tl.primitive("told", lambda x, what=None: np.array(x.tolist()), lambda g, y, x, what=None: (g,))
    return told(tl.tensor([1.0, 2.0], requires_grad=True, name="w"), what=what).sum()


PLAIN = [
    None, True, 3, -1.5, float("inf"), "a\n'b", b"c", 2j, (1,), [1, "x"], {"k": (1, None)}, slice(0, None, 2), ...,
    np.float32(2), np.bool_(True), np.dtype("float32"), np.int64,
]  # fmt: skip


@pytest.mark.parametrize("what", PLAIN, ids=repr)
def test_what_an_operation_is_told_is_written(what):
    loss = told(what)
    assert tl.source(loss)()[0] == loss.item()


class Hostile:
    def __repr__(self):
        return "print('run')"

    __str__ = __repr__


@pytest.mark.parametrize("kind", [str, int, float, bytes], ids=lambda kind: kind.__name__)
def test_how_something_prints_itself_is_no_part_of_a_program(kind):
    what = type("Hostile", (Hostile, kind), {})(kind())
    program = tl.source(told(what))
    assert "print" not in str(program)
    assert program()[0] == 3.0


def test_what_has_no_words_is_refused():
    with pytest.raises(ValueError, match=r"a program cannot say print\('run'\), which an operation is told"):
        tl.source(told(Hostile()))


@pytest.mark.parametrize("optimize", range(4))
def test_another_type_is_one_word(optimize):
    layer = tl.LSTM(3, 4, rng=0, dtype="float32")
    x = tl.tensor(np.ones((3, 2, 3)), requires_grad=True, name="x")
    fast = tl.compile(layer, optimize=optimize)
    found = [tl.grad((f(x)[0] ** 2).sum(), [x, *layer.parameters()]) for f in (fast, layer)]
    assert all(np.allclose(a.value, b.value, rtol=1e-5) and a.dtype == b.dtype for a, b in zip(*found, strict=True))
    assert ".astype(np.float32)" in str(tl.source(layer, x, optimize=optimize))
    assert fast.explain().endswith("lines")
