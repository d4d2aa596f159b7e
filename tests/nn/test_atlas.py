"""The atlas: each cell against its equations, in numpy and as the atlas prints them, and what it promises."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tests.nn.atlas_longhand import LONGHAND, sigmoid
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.nn.atlas import ATLAS, JANETCell
from tinygrad_lstm.nn.cell import as_state, state_parts
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.named import cell_of, names, title_of
from tinygrad_lstm.nn.samples import small_loss

OWN = [name for name in ATLAS if name not in CELLS]
each_cell = pytest.mark.parametrize("name", ATLAS)


def drawn(name, d, h, batch, seed):
    """A cell with all parameters drawn, biases too; x and the parts of the state."""
    rng = np.random.default_rng(seed)
    cell = ATLAS[name].make(d, h, rng=rng)
    for parameter in cell.parameters():
        parameter.value = rng.normal(size=parameter.shape)
    return cell, rng.normal(size=(*batch, d)), [rng.normal(size=(*batch, h)) for _ in cell.state_names]


def stepped(cell, x, state):
    new = cell(tl.tensor(x), as_state(tuple(map(tl.tensor, state))))
    return [part.value for part in state_parts(cell, new)]


@each_cell
@settings(max_examples=10)
@given(d=st.integers(1, 4), h=st.integers(1, 4), n=st.none() | st.integers(1, 3), seed=st.integers(0, 99))
def test_a_cell_is_its_equations_in_numpy(name, d, h, n, seed):
    """With a batch, and on a single vector."""
    cell, x, state = drawn(name, d, h, () if n is None else (n,), seed)
    p = {path: parameter.value for path, parameter in cell.named_parameters()}
    for new, wanted in zip(stepped(cell, x, state), LONGHAND[name](p, x, *state), strict=True):
        np.testing.assert_allclose(new, wanted, rtol=1e-12, atol=1e-13)


@each_cell
def test_the_printed_equations_compute_the_cell(name):
    """As text: a row vector before a weight is multiplied with it, ⊙ is number by number, a prime is the new one."""
    cell, x, state = drawn(name, 3, 4, (2,), 1)
    symbols = {getattr(part, "symbol", None): part for part in cell.children()}
    known = {"x": x, **dict(zip(cell.state_names, state, strict=True))}
    known |= {"σ": sigmoid, "tanh": np.tanh, "row": lambda *parts: np.concatenate(parts, -1)}
    for symbol, part in symbols.items():
        known |= {f"W_{symbol}": part.weight.value}
        known |= {f"b_{symbol}": part.bias.value} if part.bias is not None else {}
        known |= {f"p_{symbol}": part.peephole.value} if part.peephole is not None else {}
    for line in ATLAS[name].equations.splitlines():
        left, right = line.split(" = ", 1)
        right = re.sub(r"(\[[^]]*\]|x) (W_\w)", r"\1 @ \2", right)
        right = re.sub(r"\[([^]]*)\]", r"row(\1)", right).replace("⊙", "*").replace("−", "-").replace("′", "_new")
        known[left.replace("′", "_new")] = eval(right, {}, known)
    for part, new in zip(cell.state_names, stepped(cell, x, state), strict=True):
        np.testing.assert_allclose(known[f"{part}_new"], new, rtol=1e-12)


@each_cell
def test_every_gradient_is_proved(name):
    cell = ATLAS[name].make(3, 3, rng=0)
    report = tl.testing.check_cell(cell, steps=2)
    assert report.verdict == "PASS"
    assert len(report.errors) == 1 + len(cell.state_names) + len(list(cell.parameters()))


@pytest.mark.parametrize("name", OWN)
def test_it_is_drawn_in_all_views_and_stepped(name):
    loss = small_loss(name, 2)
    for view in VIEWS:
        source = tl.draw(loss, view).source
        assert ATLAS[name].cell.__name__ in source or view not in ("cells", "rolled")
    assert tl.draw(loss, "gates").svg.count("</svg>") == 1
    stepper = tl.step(loss)
    stepper.goto(len(stepper) - 1)
    for leaf in tl.Graph(loss).leaves:
        if leaf.requires_grad:
            assert list(stepper.ledger(leaf).by_time()) == [1, 0]


def test_the_twelve_are_there_in_order_and_all_is_said_of_each():
    assert list(ATLAS) == list(LONGHAND)
    for each in ATLAS.values():
        assert each.cell.__doc__
        assert 1990 <= each.year <= 2024
        assert all((each.title, each.authors, each.paper, each.where, each.begins))
        assert 30 <= len(each.differs.split()) <= 80
        assert f"({each.year})" in each.cell.__doc__ or f"({each.year}" in each.where or each.title == "GRU"


@pytest.mark.parametrize("name", ["lstm", "mgu", "ugrnn", "ran", "janet", "mingru", "coupled"])
def test_what_is_kept_at_first_is_what_the_atlas_says(name):
    """With weights of zero, a state of one and nothing to write: what is left of it after a step."""
    cell = ATLAS[name].make(2, 3, rng=0)
    for path, parameter in cell.named_parameters():
        if path.endswith("weight"):
            parameter.value = np.zeros(parameter.shape)
    kept = stepped(cell, np.zeros(2), [np.ones(3)] * len(cell.state_names))[-1]
    assert f"= {100 * kept[0]:.0f} %" in ATLAS[name].begins


def test_janet_can_begin_to_keep_for_as_long_as_the_task_is():
    cell = JANETCell(2, 500, longest=50, rng=0)
    bias = cell.forget_gate.bias
    assert bias.requires_grad
    assert 0 <= bias.value.min() < 1
    assert np.log(40) < bias.value.max() <= np.log(49)
    with pytest.raises(ValueError, match="longest must be 3 steps or more, not 2"):
        JANETCell(2, 3, longest=2)
    with pytest.raises(TypeError, match="longest"):
        JANETCell(2, 3, longest="long")


@pytest.mark.parametrize("name", ["mgu", "ugrnn", "ran", "janet", "mingru", "minlstm"])
def test_a_forget_bias_that_is_no_number_is_refused(name):
    with pytest.raises(TypeError, match="forget_bias"):
        ATLAS[name].make(2, 3, forget_bias="much")


@pytest.mark.parametrize("name", OWN)
def test_it_is_saved_and_comes_back(name, tmp_path):
    cell = ATLAS[name].make(2, 3, rng=0)
    back = tl.load(tl.save(cell, tmp_path / "cell.safetensors"))
    assert type(back) is type(cell)
    np.testing.assert_array_equal(back([1.0, 2.0])[0].value, cell([1.0, 2.0])[0].value)


@pytest.mark.parametrize("name", OWN)
def test_it_computes_in_float32(name):
    cell = ATLAS[name].make(2, 3, rng=0, dtype=np.float32)
    assert {part.dtype for part in state_parts(cell, cell(np.ones(2)))} == {np.dtype(np.float32)}


def test_a_cell_is_found_by_its_name():
    assert names()[: len(CELLS)] == list(CELLS)
    assert {*names()} == {*CELLS, *ATLAS}
    assert cell_of("lstm") is tl.LSTMCell
    assert title_of("ran") == "RAN"
    with pytest.raises(ValueError, match=r"there is no cell 'lstn'; there are rnn, lstm, .*, minlstm"):
        cell_of("lstn")
