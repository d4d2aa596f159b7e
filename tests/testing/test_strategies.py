"""What the public strategies draw: everything they promise can be found, and what they draw shrinks to little."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

import tinygrad_lstm as tl
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.testing import check_vjp
from tinygrad_lstm.testing.generate import strategies
from tinygrad_lstm.testing.oracles.kinks import branches

SHRINKING = settings(
    max_examples=5000, derandomize=True, database=None, suppress_health_check=list(HealthCheck), deadline=None
)
FINDING = settings(SHRINKING, phases=[Phase.generate])


def uses(program):
    return [operand for line in program.lines for operand in line.operands]


def is_diamond(program):
    """Two lines use the same value, and a third uses both."""
    first = len(program.inputs)
    for line in program.lines:
        apart = {x for x in line.operands if x >= first}
        if len(apart) == 2:
            a, b = (set(program.lines[x - first].operands) for x in apart)
            if a & b:
                return True
    return False


def has_dead_branch(program):
    values = range(len(program.inputs), len(program.inputs) + len(program.lines) - 1)
    return any(value not in uses(program) for value in values)


def repeats_an_index(program):
    indices = [line.attrs["indices"] for line in program.lines if line.op.name == "take"]
    return any(np.size(i) > len(set(np.ravel(i).tolist())) for i in indices)


HELPERS = {"tanh", "exp", "sum", "sigmoid", "mul", "neg", "transpose", "greater"}
"""What a line is made of that would not fit otherwise."""

PROMISED = {
    "a fan-out": lambda p: len(uses(p)) > len(set(uses(p))),
    "one value for both operands": lambda p: any(
        len(line.operands) == 2 and len(set(line.operands)) == 1 for line in p.lines
    ),
    "a diamond": is_diamond,
    "a dead branch": has_dead_branch,
    "an axis of size 0": lambda p: any(0 in x.shape for x in p.inputs),
    "an axis of size 1": lambda p: any(1 in x.shape for x in p.inputs),
    "broadcasting": lambda p: len({x.shape for x in p.inputs}) > 1,
    "a repeated index": repeats_an_index,
    "a tie": lambda p: any(x.size > len(np.unique(x)) for x in p.inputs),
    "minus zero": lambda p: any((np.signbit(x) & (x == 0)).any() for x in p.inputs),
    "a value below 0.01": lambda p: any(((x != 0) & (abs(x) < 1e-2)).any() for x in p.inputs),
    "a value above 100": lambda p: any((abs(x) > 100).any() for x in p.inputs),
    "twelve lines": lambda p: len(p.lines) >= 12,
}


@pytest.mark.parametrize("what", PROMISED)
def test_random_programs_have(what):
    found = find(strategies.expression_graphs(), PROMISED[what], settings=FINDING)
    with np.errstate(all="ignore"):
        assert np.isfinite(found.graph().output.value).all()


@pytest.mark.parametrize("op", BUILTIN)
def test_every_operation_is_in_some_program_and_alone_if_asked_for(op):
    found = find(
        strategies.expression_graphs([op], max_nodes=3),
        lambda program: any(line.op is BUILTIN[op] for line in program.lines),
        settings=FINDING,
    )
    assert {line.op.name for line in found.lines} <= {op, *HELPERS}


def test_operations_of_ones_own_are_drawn_among_others():
    mine = tl.primitive("mine", lambda x: x * x, lambda g, y, x: (2 * x * g,))
    found = find(
        strategies.expression_graphs(["tanh", mine], high=1.0),
        lambda p: {"tanh", "mine"} <= {line.op.name for line in p.lines},
        settings=FINDING,
    )
    assert check_vjp(found, *found.inputs).worst < 1000


def test_an_operation_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="there is no operation 'tanhh' to build graphs of; there are"):
        find(strategies.expression_graphs(["tanhh"]), lambda program: True, settings=FINDING)


def test_a_program_is_its_last_line_of_its_inputs():
    program = find(strategies.expression_graphs(["mul", "sin"]), lambda p: len(p.lines) == 3, settings=FINDING)
    values = list(program.inputs)
    for line in program.lines:
        values.append({"mul": np.multiply, "sin": np.sin}[line.op.name](*(values[i] for i in line.operands)))
    np.testing.assert_array_equal(program(*map(tl.tensor, program.inputs)).value, values[-1])


TENSORS = {
    "shape ()": lambda x: x.shape == (),
    "size 0": lambda x: x.size == 0,
    "three axes": lambda x: x.ndim == 3,
    "minus zero": lambda x: (np.signbit(x.value) & (x.value == 0)).any(),
    "a tie": lambda x: x.size > len(np.unique(x.value)),
    "the other order in memory": lambda x: x.ndim > 1 and not x.value.flags.c_contiguous,
}


@pytest.mark.parametrize("what", TENSORS)
def test_tensors_have(what):
    assert find(strategies.tensors(), TENSORS[what], settings=FINDING).requires_grad


@given(st.data())
def test_tensors_keep_to_what_they_were_asked_for(data):
    x = data.draw(strategies.tensors((2, 3), 0.1, 3.0, positive=True))
    assert x.shape == (2, 3)
    assert ((x.value >= 0.1 * (1 - 1e-12)) & (x.value <= 3.0 * (1 + 1e-12))).all()


@given(st.integers(1, 4).flatmap(strategies.broadcastable))
def test_broadcastable_shapes_broadcast(shapes):
    np.broadcast_shapes(*shapes)


@pytest.mark.parametrize("kind", CELLS)
def test_every_cell_is_drawn(kind):
    cell = find(strategies.cells(), lambda cell: type(cell) is CELLS[kind], settings=SHRINKING)
    assert (cell.input_size, cell.hidden_size) == (1, 1)


def test_networks_of_every_cell_are_drawn_with_two_layers_both_directions_and_several_steps():
    """All of them in one search."""
    missing = set(CELLS.values())

    def nothing_is_missing(network):
        layer, xs = network.layer, network.xs
        if len(layer.cells) == 4 and len(xs) > 1 and type(layer.cells[0]) in missing:
            assert network(xs).shape[:2] == xs.shape[:2]
            missing.remove(type(layer.cells[0]))
        return not missing

    find(strategies.recurrent_networks(), nothing_is_missing, settings=FINDING)


@pytest.mark.parametrize("is_scaled", [lambda xs: abs(xs).max() < 1e-2, lambda xs: abs(xs).max() > 100])
def test_sequences_have_any_scale(is_scaled):
    assert find(strategies.sequences(2), is_scaled, settings=FINDING).ndim == 3


KINKED = st.lists(st.sampled_from([0.0, 1e-9, 0.5, -1.0]), min_size=1, max_size=3).map(lambda xs: [np.array(xs)])


def test_away_from_kinks_nothing_is_near_one():
    @settings(FINDING, max_examples=100)
    @given(strategies.away_from_kinks(lambda x: tl.relu(x).sum(), KINKED))
    def all_are_away(inputs):
        (x,) = inputs
        assert (abs(x) > 0.1).all()
        graph = tl.Graph(tl.relu(tl.tensor(x)))
        assert all((side != 0).all() for side in branches(graph, graph.replay()))

    all_are_away()
    with pytest.raises((NoSuchExample, Unsatisfiable)):
        find(strategies.away_from_kinks(tl.abs, st.just([np.zeros(2)])), lambda inputs: True, settings=FINDING)
    ties = strategies.away_from_kinks(tl.max, st.just([np.array([1.0, 1.0])]))
    with pytest.raises((NoSuchExample, Unsatisfiable)):
        find(ties, lambda inputs: True, settings=FINDING)


@pytest.mark.slow
def test_programs_shrink_to_the_fewest_operations():
    found = find(
        strategies.expression_graphs(["mul", "sum", "matmul", "sin"]),
        lambda p: any(line.op.name == "sin" for line in p.lines),
        settings=SHRINKING,
    )
    assert len(found.graph()) == 2
    assert [x.shape for x in found.inputs] == [()]
