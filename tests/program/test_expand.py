"""What was compiled is opened as the graph that it stands for by whoever wants to see inside, and nothing is lost."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine.primitive import Primitive
from tinygrad_lstm.nn import unowned
from tinygrad_lstm.testing import GradientError
from tinygrad_lstm.training.watch import Watch

VIEWS = ("ops", "gates", "cells", "rolled", "backward")
LAYERS = {
    "lstm": lambda: tl.LSTM(3, 4, rng=0),
    "gru": lambda: tl.GRU(3, 4, rng=0),
    "deep": lambda: tl.LSTM(3, 4, num_layers=2, bidirectional=True, rng=0),
}

square = Primitive("square_of_a_test", lambda x: x * x, lambda g, y, x: (2 * x * g,), "□")


def drawn_input():
    return tl.tensor(np.random.default_rng(0).normal(size=(5, 2, 3)), requires_grad=True, name="xs")


def loss_of(layer, xs):
    output, state = layer(xs)
    h_n = state[0] if isinstance(state, tuple) else state
    with tl.scope("loss"):
        return (output * output).mean() + h_n.sum()


@pytest.fixture(scope="module", params=LAYERS)
def pair(request):
    return made_pair(request.param)


def made_pair(name):
    """A loss that was composed, and one that a program computed."""
    layer, xs = LAYERS[name](), drawn_input()
    fast = tl.compile(layer)
    made = [loss_of(f, xs) for f in (layer, fast)]
    assert "not compiled" not in fast.explain()
    return (*made, [xs, *layer.parameters()])


def same_place(x, y):
    frames = [(f.name, f.kind, f.module, f.recurrent, f.line) for f in x.context.frames]
    return frames == [(f.name, f.kind, f.module, f.recurrent, f.line) for f in y.context.frames]


def test_the_opened_graph_is_the_composed_one_node_by_node(pair):
    composed, compiled, _ = pair
    graph, (opened, taken) = tl.Graph(composed), tl.Graph(compiled).opened()
    assert len(tl.Graph(compiled)) < len(opened) == len(graph)
    assert taken[compiled] is opened.output
    assert list(opened.ids.values()) == list(graph.ids.values())
    for x, y in zip(graph.nodes, opened.nodes, strict=True):
        assert (x.primitive, x.name, x.scope, x.time, x.line) == (y.primitive, y.name, y.scope, y.time, y.line)
        assert x.attrs == y.attrs
        assert same_place(x, y)
        assert x.is_leaf or [graph.ids[i] for i in x.inputs] == [opened.ids[i] for i in y.inputs]
        np.testing.assert_allclose(y.value, x.value, rtol=1e-12)


def test_it_is_printed_as_the_graph_it_stands_for(pair):
    composed, compiled, _ = pair
    assert str(tl.Graph(compiled)) == str(tl.Graph(composed))
    assert tl.Graph(compiled)._repr_html_() == tl.Graph(composed)._repr_html_()


@pytest.mark.parametrize("view", VIEWS)
def test_it_is_drawn_as_the_graph_it_stands_for(pair, view):
    composed, compiled, _ = pair
    assert (
        tl.draw(compiled, view, gradients=view == "ops").source
        == tl.draw(composed, view, gradients=view == "ops").source
    )


def test_it_is_stepped_through_as_the_graph_it_stands_for(pair):
    (composed, compiled, leaves), steppers = pair, []
    steppers = [tl.step(x) for x in (composed, compiled)]
    assert [e.formula for e in steppers[0].events] == [e.formula for e in steppers[1].events]
    one, other = (str(s.flow()) for s in steppers)
    assert one == other
    for leaf in leaves:
        assert str(steppers[0].ledger(leaf)) == str(steppers[1].ledger(leaf))
    assert steppers[1].unowned() == unowned(compiled) == [leaves[0]]


def test_gradients_of_the_opened_graph_are_those_of_the_program(pair):
    _, compiled, leaves = pair
    graph, _ = tl.Graph(compiled).opened()
    for x, y in zip(tl.grad(compiled, leaves), tl.grad(graph.output, leaves), strict=True):
        np.testing.assert_allclose(x.value, y.value, rtol=1e-10, atol=1e-14)


def test_second_derivatives_are_those_of_the_composed_graph(pair):
    composed, compiled, leaves = pair
    found = []
    for loss in (composed, compiled):
        slopes = tl.grad(loss, leaves, create_graph=True)
        found.append(tl.grad(sum((g * g).sum() for g in slopes), leaves))
    for x, y in zip(*found, strict=True):
        np.testing.assert_allclose(x.value, y.value, rtol=1e-9, atol=1e-13)


def test_the_program_of_a_loss_that_a_program_computed_is_that_of_the_network(pair):
    composed, compiled, leaves = pair
    assert str(tl.source(compiled)) == str(tl.source(composed))
    assert str(tl.source(compiled, wrt=leaves[:1])) == str(tl.source(composed, wrt=leaves[:1]))


def test_what_one_holds_of_the_graph_is_found_in_the_picture_and_the_walk():
    layer, xs = tl.LSTM(3, 4, rng=0), drawn_input()
    output, (h_n, _) = tl.compile(layer)(xs)
    output.name = "seen"
    picked = output[2]
    loss = (picked * picked).sum() + h_n.sum()
    stepper = tl.step(loss)
    np.testing.assert_allclose(stepper.ledger(output).total, tl.grad(loss, output)[0].value)
    assert stepper.watch(picked) is not None
    route = tl.path(loss, picked)
    picture = tl.draw(
        loss, highlight=route, gradients=stepper.gradients, notes={picked: "here", (output, picked): "and here"}
    )
    assert picture.source.count("here") == 2
    assert "seen" in picture.source
    assert tl.draw(loss, gradients={picked: np.ones((2, 4))}).source


def test_the_values_are_those_it_ran_with_whatever_was_learned_since():
    layer, xs = tl.GRU(3, 4, rng=0), drawn_input()
    composed, compiled = loss_of(layer, xs), loss_of(tl.compile(layer), xs)
    leaves = [xs, *layer.parameters()]
    for leaf in leaves:
        leaf.value = leaf.value + 1
    graph, _ = tl.Graph(compiled).opened()
    for x, y in zip(tl.Graph(composed).nodes, graph.nodes, strict=True):
        np.testing.assert_allclose(tl.Graph(composed).values[x], graph.values[y], rtol=1e-12)
    found = []
    for loss in (composed, compiled):
        slopes = tl.grad(loss, leaves, create_graph=True)
        found.append((*slopes, *tl.grad(sum((g * g).sum() for g in slopes), leaves)))
    for x, y in zip(*found, strict=True):
        np.testing.assert_allclose(x.value, y.value, rtol=1e-9, atol=1e-13)


def test_a_tensor_that_is_given_twice_counts_twice():
    f = tl.compile(lambda a, b: tl.tanh(a * b + a))
    x = tl.tensor([[0.5, -1.0], [0.25, 2.0]], requires_grad=True)
    expected = tl.grad(tl.tanh(x * x + x).sum(), x, create_graph=True)[0]
    for create_graph in (False, True):
        (slope,) = tl.grad(f(x, x).sum(), x, create_graph=create_graph)
        np.testing.assert_allclose(slope.value, expected.value)
    opened, _ = tl.Graph(f(x, x)).opened()
    assert opened.leaves == (x,)


def test_a_program_in_a_program_is_opened_too():
    layer, xs = tl.RNN(3, 4, rng=0), drawn_input()
    inner = tl.compile(layer)
    outer = tl.compile(lambda xs: square(inner(xs)[0]).sum())
    compiled = outer(xs)
    assert len(tl.Graph(compiled)) < 12
    assert str(tl.Graph(compiled)) == str(tl.Graph(square(layer(xs)[0]).sum()))


def test_what_has_nothing_to_open_is_left_alone():
    graph = tl.Graph(tl.tanh(tl.tensor([1.0], requires_grad=True)))
    opened, taken = graph.opened()
    assert opened is graph
    assert taken == {}


def test_a_copy_is_of_the_graph_it_stands_for(pair):
    composed, compiled, _ = pair
    for copied in (copy.deepcopy(compiled), pickle.loads(pickle.dumps(compiled))):
        assert str(tl.Graph(copied)) == str(tl.Graph(composed))


def test_a_formula_is_that_of_the_operation_inside():
    layer, xs = tl.RNN(3, 4, rng=0), drawn_input()
    assert tl.formula(tl.compile(layer)(xs)[0]) == tl.formula(layer(xs)[0])


def test_its_gradients_are_checked_against_the_composed_forward():
    layer = tl.LSTM(3, 4, rng=0)
    fast = tl.compile(layer)
    report = tl.testing.check_vjp(lambda xs: fast(xs), drawn_input().value)
    assert report.verdict == "PASS"
    ((found,),) = fast._found.values()
    run = found.run
    right = run.backward
    run.backward = lambda *args, **how: tuple(1.001 * g for g in right(*args, **how))
    with pytest.raises(GradientError, match="the rule of program is wrong"):
        tl.testing.check_vjp(lambda xs: fast(xs), drawn_input().value)


def test_a_program_in_single_precision_is_checked_in_double():
    fast = tl.compile(tl.GRU(3, 4, rng=0, dtype=np.float32))
    report = tl.testing.check_vjp(lambda xs: fast(xs), drawn_input().value.astype(np.float32))
    assert report.verdict == "PASS"


def test_a_watch_sees_the_gates_of_a_layer_that_was_compiled():
    seen = {}
    for way in ("composed", "compiled"):
        layer = tl.LSTM(3, 4, rng=0)
        run = layer if way == "composed" else tl.compile(layer)
        watch = Watch()
        tl.fit(
            layer,
            [drawn_input().value] * 2,
            loss=lambda _, xs, run=run: (run(xs)[0] ** 2).mean(),
            optimizer=tl.SGD(layer.parameters(), lr=0.1),
            callbacks=[watch],
        )
        seen[way] = watch
    one, other = seen["composed"], seen["compiled"]
    assert len(one.gates) == len(other.gates) > 0
    assert [gate.gate for gate in one.gates] == [gate.gate for gate in other.gates]
    for x, y in zip(one.gates, other.gates, strict=True):
        np.testing.assert_allclose(x.mean, y.mean, rtol=1e-12)
    assert [update.parameter for update in one.updates] == [update.parameter for update in other.updates]
