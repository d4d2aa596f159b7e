"""Graph: one order, ids that are the same in every run, replay on other numbers; and scale, lifetime and threads."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import weakref
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl

PROGRAM = """
import numpy as np, tinygrad_lstm as tl
layer = tl.LSTM(2, 3, rng=0)
output, state = layer(tl.tensor(np.ones((3, 2)), name="xs"))
loss = (output * output).sum() + tl.take(layer.parameters()[0], [0, 0]).sum()
gradients = tl.grad(loss, layer.parameters(), create_graph=True)
print("\\n".join(tl.Graph(loss, *gradients).ids.values()))
print([(c.node.primitive.name, c.slot) for c in tl.backprop(loss)])
"""


def leaf(value, **how):
    return tl.tensor(value, requires_grad=True, **how)


def unrolled(steps=3, cell="LSTM"):
    layer = getattr(tl, cell)(2, 3, rng=0)
    xs = leaf(np.random.default_rng(1).normal(size=(steps, 2, 2)), name="xs")
    return layer, xs, (layer(xs)[0] ** 2).sum()


def test_inputs_come_before_what_uses_them():
    _, xs, loss = unrolled()
    graph = tl.Graph(loss)
    position = {node: i for i, node in enumerate(graph.nodes)}
    assert len(position) == len(graph) == len(graph.nodes)
    assert all(position[x] < position[node] for node in graph.nodes for x in node.inputs)
    assert graph.nodes[-1] is graph.output is loss
    assert xs in set(graph.leaves)


def test_ids_are_unique_and_speak_of_time_scope_and_primitive():
    _, _, loss = unrolled()
    ids = list(tl.Graph(loss).ids.values())
    assert len(set(ids)) == len(ids)
    assert {"xs", "t0.cell.forget_gate.matmul", "t2.cell.output_gate.sigmoid", "cell.candidate.weight"} <= set(ids)


def test_ids_are_the_same_in_every_run():
    """In other processes, with other hashes of strings."""
    printed = []
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
        printed.append(done.stdout)
    assert len(printed[0].splitlines()) > 100
    assert printed[0] == printed[1] == printed[2]


def test_ids_are_the_same_for_the_same_program_here():
    assert list(tl.Graph(unrolled()[2]).ids.values()) == list(tl.Graph(unrolled()[2]).ids.values())


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_replay_repeats_what_was_computed(cell):
    _, _, loss = unrolled(cell=cell)
    graph = tl.Graph(loss)
    replayed = graph.replay()
    assert set(replayed) == set(graph.nodes)
    for node in graph.nodes:
        np.testing.assert_array_equal(replayed[node], node.value)


@given(st.integers(0, 99))
def test_replay_is_running_again_on_other_numbers(seed):
    layer, xs, loss = unrolled()
    other = np.random.default_rng(seed).normal(size=xs.shape)
    again = (layer(tl.tensor(other))[0] ** 2).sum()
    np.testing.assert_array_equal(tl.Graph(loss).replay({xs: other})[loss], again.value)


def test_replay_on_complex_numbers_differentiates():
    _, xs, loss = unrolled()
    direction = np.random.default_rng(0).normal(size=xs.shape)
    moved = tl.Graph(loss).replay({xs: xs.value + 1e-100j * direction})[loss]
    assert moved.imag / 1e-100 == pytest.approx((tl.grad(loss, xs)[0].value * direction).sum(), rel=1e-12)
    assert moved.real == pytest.approx(loss.item())


def test_replay_in_float32_and_complex64_stays_there():
    _, _, loss = unrolled()
    for dtype in (np.float32, np.complex64):
        replayed = tl.Graph(loss).replay(dtype=dtype)
        assert {value.dtype for value in replayed.values()} == {np.dtype(dtype)}
        assert replayed[loss].real == pytest.approx(loss.item(), rel=1e-4)


def test_replay_on_other_shapes_where_they_fit():
    x = leaf(np.ones((2, 3)))
    w = tl.tensor(np.ones((3, 4)))
    y = tl.tanh(x @ w).sum(axis=0)
    graph = tl.Graph(y)
    assert graph.replay({x: np.ones((7, 3))})[graph.nodes[-2]].shape == (7, 4)
    with pytest.raises(tl.ShapeError, match=r"replay stopped at matmul.*\(7, 5\).*\(3, 4\)"):
        graph.replay({x: np.ones((7, 5))})
    with pytest.raises(KeyError, match="not a leaf of this graph"):
        graph.replay({leaf(1.0): 1.0})


@pytest.mark.slow
def test_a_chain_of_100_000_nodes():
    """Forward, backward, Graph and dropping it: nothing recurses."""
    x = y = leaf(1.0)
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    graph = tl.Graph(y)
    assert x.grad.item() == 1
    assert len(graph) == 200_001
    assert len(graph.ids) == len(graph)
    assert graph.replay({x: 2.0})[y] == 2
    first, last = weakref.ref(x), weakref.ref(y)
    del x, y, graph
    assert first() is None
    assert last() is None


def test_100_lstm_graphs_leave_none_alive_without_the_collector():
    layer = tl.LSTM(2, 3, rng=0)
    xs = tl.tensor(np.ones((4, 2, 2)))
    gc.collect()
    gc.disable()
    try:
        alive = []
        for _ in range(100):
            output, state = layer(xs)
            loss = (output * output).sum() + state[1].sum()
            loss.backward()
            for c in tl.backprop(loss):
                alive.append(weakref.ref(c.node))
            layer.zero_grad()
            del output, state, loss, c
        assert len(alive) > 10_000
        assert not any(reference() is not None for reference in alive)
    finally:
        gc.enable()


def test_threads_do_not_see_each_others_scope_time_or_no_grad():
    seen, inside, looked = {}, threading.Event(), threading.Event()

    def look(name):
        y = leaf(1.0) * 2
        seen[name] = (y.scope, y.time, y.requires_grad)

    def busy():
        with tl.scope("mine"), tl.time_step(7), tl.no_grad(), tl.detect_nan():
            inside.set()
            looked.wait(10)
        look("after")

    def other():
        look("other")
        with np.errstate(all="ignore"):
            tl.log(tl.tensor(-1.0))  # would be an error if the other's detect_nan were seen
        seen["no nan error"] = True

    thread = threading.Thread(target=busy)
    thread.start()
    assert inside.wait(10)
    look("main")
    second = threading.Thread(target=other)
    second.start()
    second.join(10)
    looked.set()
    thread.join(10)
    assert seen == dict.fromkeys(("main", "other", "after"), ((), None, True)) | {"no nan error": True}


def test_scope_and_time_end_with_their_block_also_after_an_error():
    with pytest.raises(RuntimeError), tl.scope("outer"), tl.time_step(2), tl.no_grad():
        raise RuntimeError
    y = leaf(1.0) * 2
    assert (y.scope, y.time, y.requires_grad) == ((), None, True)
    with tl.scope("a"), tl.scope("b"), tl.time_step(4):
        y = leaf(1.0) * 2
    assert (y.scope, y.time) == (("a", "b"), 4)


GATES = {
    "RNN": {"layer"},
    "LSTM": {"forget_gate", "input_gate", "candidate", "output_gate"},
    "GRU": {"update_gate", "reset_gate", "candidate", "recurrent"},
}


@pytest.mark.parametrize("cell", GATES)
def test_nodes_know_their_time_step_and_gate(cell):
    _, _, loss = unrolled(4, cell)
    made = [node for node in tl.Graph(loss).nodes if not node.is_leaf]
    for t in range(4):
        assert {node.scope[1] for node in made if node.time == t and len(node.scope) == 2} == GATES[cell]
    assert all(node.scope == () for node in made if node.time is None)


RAGGED = [[1.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        *((value, r"replay takes numbers for a leaf, or arrays of them, not") for value in ("a", b"a", RAGGED)),
        *((value, r"replay stopped at tanh: it does not compute with object") for value in (None, {}, object())),
    ],
)
def test_replay_takes_numbers(given, words):
    x = leaf([1.0, 2.0])
    graph = tl.Graph(tl.tanh(x))
    with pytest.raises(TypeError, match=words):
        graph.replay({x: given})
    for dtype in ("zz", str, "datetime64"):
        with pytest.raises(TypeError, match="replay takes a dtype of numbers"):
            graph.replay(dtype=dtype)


def test_replay_in_another_dtype_keeps_what_each_use_saw():
    w = tl.tensor([2.0], requires_grad=True)
    first = w * w
    w.value = np.array([3.0])
    loss = (first * (w * w)).sum()
    for dtype in (None, np.float64, np.complex128):
        assert tl.Graph(loss).replay(dtype=dtype)[loss] == 36.0


def test_a_model_unpickled_in_a_new_process_has_its_nodes_in_order():
    model = tl.LSTM(2, 3, rng=0)
    path_free = pickle.dumps(model)
    code = (
        "import pickle, sys, numpy as np, tinygrad_lstm as tl;"
        "model = pickle.loads(sys.stdin.buffer.read());"
        "graph = tl.Graph(model(np.ones((2, 1, 2)))[0].sum());"
        "seen = set();"
        "assert all(seen.issuperset(node.inputs) for node in graph.nodes if not seen.add(node));"
        "print(len(graph), graph.output.item())"
    )
    done = subprocess.run([sys.executable, "-c", code], input=path_free, capture_output=True, check=True)
    graph = tl.Graph(model(np.ones((2, 1, 2)))[0].sum())
    assert done.stdout.decode().split() == [str(len(graph)), str(graph.output.item())]


def test_each_node_knows_the_calls_it_was_made_in():
    """Also of modules that belong to no other, which add nothing to the path."""
    cells = [tl.RNNCell(1, 1, rng=0), tl.RNNCell(1, 1, rng=0)]
    h = tl.tensor([0.0])
    with tl.scope("part"):
        hs = [cell(tl.tensor([1.0]), h) for cell in (*cells, cells[0])]
    frames = [h.context.frames for h in hs]
    assert [[frame.kind for frame in path] for path in frames] == [["", "RNNCell", "Gate"]] * 3
    assert [[frame.name for frame in path] for path in frames] == [["part", None, "layer"]] * 3
    modules = [path[1].module for path in frames]
    assert modules[0] == modules[2] != modules[1]
    assert len({path[1].call for path in frames}) == 3
    assert hs[0].scope == ("part", "layer")


def test_a_copy_of_a_module_is_another_module():
    cell = tl.RNNCell(1, 1, rng=0)
    h, other = cell(tl.tensor([1.0])), copy.deepcopy(cell)(tl.tensor([1.0]))
    assert h.context.frames[0].module != other.context.frames[0].module


def test_a_decorated_function_runs_in_the_scope_of_its_caller():
    @tl.time_step(3)
    def f():
        return tl.tensor(1.0) * 2

    with tl.scope("here"):
        y = f()
    assert (y.scope, y.time) == (("here",), 3)


def test_a_graph_is_printed_as_the_lines_of_its_program():
    x = tl.tensor([[1.0, 2.0]], name="x")
    with tl.scope("head"):
        y = tl.tanh(x) * 2
    assert str(tl.Graph(y)).splitlines() == [
        "<graph of 4 nodes, 2 of them leaves>",
        "node       shape   made of",
        "x          (1, 2)  given",
        "head.tanh  (1, 2)  tanh(x)",
        "constant   ()      given",
        "head.mul   (1, 2)  mul(head.tanh, constant)",
    ]


def test_of_a_large_graph_the_first_and_the_last_lines_are_printed():
    x = tl.tensor(1.0, name="x")
    y = x
    for _ in range(99):
        y = tl.tanh(y)
    lines = str(tl.Graph(tl.stack([y] * 9))).splitlines()
    assert len(lines) == 43
    assert [line.split() for line in lines[22:23]] == [["…", "61", "more"]]
    assert lines[-1].endswith("stack(tanh_99, tanh_99, tanh_99, tanh_99, …)")


def test_a_graph_is_a_table_in_a_notebook_whatever_its_names():
    x = tl.tensor(1.0, name="<script>&")
    table = tl.Graph(tl.tanh(x))._repr_html_()
    root = ElementTree.fromstring(table)
    assert [len(row) for row in root.iter("tr")] == [3, 3, 3]
    assert "<script" not in table
