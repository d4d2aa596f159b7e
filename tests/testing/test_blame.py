"""Who is to blame: a rule, with scope and time step, or the engine; and the smallest graph, as program and picture."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.engine import backprop, ops
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.testing import GradientError, Verdict, check_cell, check_vjp, explain
from tinygrad_lstm.testing.generate import strategies
from tinygrad_lstm.testing.report.code import as_code
from tinygrad_lstm.testing.report.text import DRAWN


def failure_of(f, *inputs, **how):
    with pytest.raises(GradientError) as caught:
        check_vjp(f, *inputs, **how)
    return caught.value.failure


@pytest.fixture
def wrong_tanh(monkeypatch):
    monkeypatch.setattr(BUILTIN["tanh"], "rule", lambda g, y, x: (g * (1 - y),))


def unrolled(x):
    h = x
    for t in range(3):
        with tl.time_step(t), tl.scope("cell"):
            h = tl.sigmoid(tl.tanh(h * x) + tl.sin(x))
    return h


# Rules


def test_a_wrong_rule_is_named_with_scope_and_time_step(wrong_tanh):
    blame = failure_of(unrolled, [0.5, -1.0]).blame
    assert blame.sentence.startswith("the rule of tanh is wrong in cell at t=")
    assert "(as at 2 more of its 3 contributions)" in blame.sentence
    assert {node.primitive.name for node in blame.marked} == {"tanh"}
    assert [node.context.time for node in blame.marked] == [0, 1, 2]


def test_the_operand_that_is_wrong_is_named(monkeypatch):
    monkeypatch.setattr(BUILTIN["mul"], "rule", lambda g, y, a, b: (g * b, g * b))
    sentence = failure_of(lambda a, b: a * b, [2.0], [3.0]).blame.sentence
    assert sentence.startswith("the rule of mul is wrong, for input 1 (at one of its 2 contributions): it gives")


def test_every_wrong_rule_is_named(monkeypatch, wrong_tanh):
    monkeypatch.setattr(BUILTIN["sin"], "rule", lambda g, y, x: (-g * tl.cos(x),))
    sentence = failure_of(unrolled, [0.5, -1.0]).blame.sentence
    assert "the rule of sin is wrong in cell" in sentence
    assert sentence.endswith("so is tanh")


def test_a_rule_that_returns_a_wrong_shape_is_named(monkeypatch):
    monkeypatch.setattr(BUILTIN["tanh"], "rule", lambda g, y, x: (g.sum() * (1 - y * y).sum(),))
    with pytest.raises(GradientError, match=r"the backward pass failed with ShapeError: .*tanh"):
        check_vjp(lambda x: tl.tanh(x) * x, [0.5, -1.0])


# The engine


def averaging(gradient, shape, honest=backprop.unbroadcast):
    return honest(gradient, shape) / (gradient.size // max(np.prod(shape, dtype=int), 1))


def only_the_last(steps):
    for step in steps:
        yield step if step.before is None else step._replace(after=step.contribution)


def walk_that_forgets(output, seed, inputs, create_graph, watched=True, honest=backprop._walk):
    return only_the_last(honest(output, seed, inputs, create_graph, watched=watched))


def plan_that_loses_one_of_two(output, inputs, honest=backprop._plan):
    return {node: expected - (expected > 1) for node, expected in honest(output, inputs).items()}


def walk_that_skips(output, seed, inputs, create_graph, watched=True, honest=backprop._walk):
    return (step for step in honest(output, seed, inputs, create_graph, watched=watched) if step.arrived == 1)


def walk_that_doubles_what_mul_is_given(output, seed, inputs, create_graph, watched=True, honest=backprop._walk):
    fields = ("upstream", "product", "contribution", "after")
    for step in honest(output, seed, inputs, create_graph, watched=watched):
        twice = {name: 2.0 * getattr(step, name) for name in fields}
        yield step._replace(**twice) if step.node.primitive.name == "mul" else step


ENGINE_FAULTS = {
    "sums a contribution to the wrong shape": ("unbroadcast", averaging, lambda a, b: tl.tanh(a * b)),
    "adds up wrongly": ("_walk", walk_that_forgets, lambda a, b: tl.tanh(a * a) * tl.sin(a) + b),
}


@pytest.mark.parametrize("fault", ENGINE_FAULTS)
def test_where_every_rule_is_right_the_engine_is_to_blame(fault, monkeypatch):
    name, faulty, f = ENGINE_FAULTS[fault]
    monkeypatch.setattr(backprop, name, faulty)
    failure = failure_of(f, [[0.5, -1.0], [2.0, 1.5]], [0.5, 1.0])
    assert failure.blame.sentence.startswith(f"every rule agrees here; the engine {fault}, from ")
    assert not failure.blame.wrong
    assert failure.blame.marked


def test_a_gradient_that_is_returned_wrong_is_not_mistaken_for_one_that_arrives_wrong(monkeypatch):
    monkeypatch.setattr(backprop, "_owned", lambda step: step.after * 2.0)
    sentence = failure_of(tl.tanh, [0.5]).blame.sentence
    assert sentence == (
        "every rule agrees here, and the walk brings input 0 what it should have, but another gradient is returned"
    )


def test_a_gradient_returned_before_all_of_it_has_come_is_found(monkeypatch):
    monkeypatch.setattr(backprop, "_plan", plan_that_loses_one_of_two)
    sentence = failure_of(lambda x: tl.tanh(x) + tl.sin(x), [0.5]).blame.sentence
    assert sentence.startswith("every rule agrees here, and the walk brings input 0 what it should have")


def test_a_rule_given_another_upstream_than_has_come_is_found(monkeypatch):
    monkeypatch.setattr(backprop, "_walk", walk_that_doubles_what_mul_is_given)
    sentence = failure_of(lambda x: tl.tanh(x * 3.0), [0.5]).blame.sentence
    assert sentence.startswith(
        "every rule agrees here; the engine applies a rule before all contributions have come, from mul of shape (1,) "
    )


def test_a_lost_contribution_is_found(monkeypatch):
    monkeypatch.setattr(backprop, "_walk", walk_that_skips)
    sentence = failure_of(lambda x: tl.tanh(x) + tl.sin(x), [0.5]).blame.sentence
    assert sentence == "every rule agrees here; the engine loses a contribution, from tanh of shape (1,) to its input 0"


# Shrinking


@pytest.mark.parametrize("seed", range(8))
def test_a_wrong_rule_shrinks_to_its_operation_alone(seed, wrong_tanh):
    rng = np.random.default_rng(seed)
    smallest = failure_of(unrolled, rng.normal(size=(3, 2)), rng=seed).smallest
    assert [node.primitive and node.primitive.name for node in smallest.graph.nodes] == [None, "tanh"]
    assert smallest.leaf.shape == ()
    assert smallest.leaf.value in (1.0, 0.0)


@pytest.mark.parametrize("fault", ENGINE_FAULTS)
def test_a_fault_of_the_engine_shrinks_to_three_nodes_at_most(fault, monkeypatch):
    name, faulty, f = ENGINE_FAULTS[fault]
    monkeypatch.setattr(backprop, name, faulty)
    deep = lambda a, b: tl.sigmoid(f(a, b) @ f(a, b)) + a
    smallest = failure_of(deep, [[0.5, -1.0], [2.0, 1.5]], [0.5, 1.0]).smallest
    assert len(smallest.graph) <= 3
    assert smallest.blame.sentence.startswith(f"every rule agrees here; the engine {fault}")


def test_a_fault_without_a_node_to_blame_shrinks_one_change_at_a_time(monkeypatch):
    monkeypatch.setattr(backprop, "_walk", walk_that_skips)
    w = tl.tensor([[2.0, -3.0]], name="w")
    deep = lambda a, b: tl.sigmoid(tl.tanh(a) * w + tl.sin(a)) @ tl.transpose(b) + 2.0
    smallest = failure_of(deep, [[0.5, -1.0], [2.0, 1.5]], [[0.5, 1.0]]).smallest
    assert [node.primitive and node.primitive.name for node in smallest.graph.nodes] == [None, "add"]
    assert smallest.graph.leaves[0].value == 1.0
    assert "loses a contribution" in smallest.blame.sentence


@pytest.mark.parametrize("fault", ENGINE_FAULTS)
@pytest.mark.slow
def test_hypothesis_shrinks_a_program_to_three_nodes_at_most(fault, monkeypatch):
    """A planted structural bug, found in whole random programs."""
    name, faulty, _ = ENGINE_FAULTS[fault]
    monkeypatch.setattr(backprop, name, faulty)
    found = []

    @settings(max_examples=100, derandomize=True, database=None, deadline=None, report_multiple_bugs=False)
    @given(strategies.expression_graphs(["mul", "add", "tanh", "sum"], max_nodes=8))
    def programs_are_right(program):
        try:
            check_vjp(program, *program.inputs)
        except tl.testing.NothingCheckedError:
            return
        except GradientError:
            found[:] = [program]
            raise

    with pytest.raises(GradientError):
        programs_are_right()
    assert len(found[0].graph()) <= 3


@pytest.mark.slow
def test_a_large_sequence_shrinks_in_seconds_and_keeps_the_kind_of_fault(wrong_tanh):
    layer = tl.LSTM(3, 4, rng=0)
    failure = failure_of(lambda xs: layer(xs)[0], np.random.default_rng(0).normal(size=(20, 2, 3)))
    assert len(failure.graph) > 300
    assert len(failure.smallest.graph) == 2


def test_a_failure_that_cannot_be_made_smaller_is_its_own_smallest(wrong_tanh):
    smallest = failure_of(tl.tanh, 1.0).smallest
    again = smallest.smallest
    assert len(again.graph) == len(smallest.graph) == 2


# Programs


def run_as_program(code, folder):
    (folder / "program.py").write_text(code, encoding="utf-8")
    return subprocess.run([sys.executable, "program.py"], cwd=folder, capture_output=True, encoding="utf-8")


@given(program=strategies.expression_graphs(max_nodes=8), seed=st.integers(0, 9))
def test_the_code_of_a_program_computes_what_it_computes(program, seed):
    graph = program.graph()
    names = {}
    kept = as_code(graph).rsplit("tl.testing", 1)[0]
    with np.errstate(all="ignore"):
        exec(compile(kept, "program", "exec"), names)
        inputs = [names[f"x{i}"] for i, leaf in enumerate(program.inputs) if f"x{i}" in names]
        again = names["f"](*inputs)
    np.testing.assert_array_equal(again.value, graph.output.value)


def test_the_code_runs_by_itself_and_passes_where_the_rule_is_right(wrong_tanh, tmp_path):
    failure = failure_of(unrolled, [0.5, -1.0])
    done = run_as_program(failure.code, tmp_path)
    assert done.returncode == 0, done.stderr


CONSTANTS = {
    "added to each other": lambda x: x * (tl.tensor(2.0) + tl.tensor(3.0)),
    "negative, to a power": lambda x: tl.tensor(-2.0) ** (0.0 * x + 2.0),
    "negated": lambda x: x - (-tl.tensor(-2.0)),
}


@pytest.mark.parametrize("constants", CONSTANTS)
def test_the_code_of_constants_computes_what_they_compute(constants):
    output = CONSTANTS[constants](tl.tensor([1.0, 3.0], requires_grad=True, name="x"))
    names = {}
    exec(compile(as_code(tl.Graph(output)).rsplit("tl.testing", 1)[0], "program", "exec"), names)
    np.testing.assert_array_equal(names["f"](names["x"]).value, output.value)


def test_names_are_made_ones_that_python_takes(tmp_path):
    x = tl.tensor([1.0], requires_grad=True, name="input 0")
    y = tl.tensor([2.0], requires_grad=True, name="class")
    z = tl.tensor([3.0], requires_grad=True, name='"); import os #')
    w = tl.tensor([[np.inf, 1.0]], name="f")
    code = as_code(tl.Graph(tl.tanh(x * y + z) * tl.minimum(w, 5.0)))
    assert run_as_program(code, tmp_path).returncode == 0
    assert "import os" not in code
    assert "c0 = tl.tensor([[np.inf, 1.0]])" in code


# Explaining


def words(svg):
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_marks_what_is_wrong_and_has_both_values_on_their_edges(wrong_tanh):
    failure = failure_of(lambda x: tl.sin(tl.tanh(x * x)), [0.5, -1.0])
    shown = words(failure.picture().svg)
    assert shown.count("wrong") == 1
    (wrong,) = failure.blame.wrong
    assert f"ours {wrong.finding.ours:.4g}, right {wrong.finding.theirs:.4g}" in shown


def test_the_picture_shows_the_edge_on_which_the_engine_errs(monkeypatch):
    monkeypatch.setattr(backprop, "unbroadcast", averaging)
    failure = failure_of(lambda a, b: a * b, [[0.5, -1.0], [2.0, 1.5]], [0.5, 1.0])
    assert "the engine errs here" in words(failure.picture().svg)


def test_of_a_large_graph_the_smallest_is_drawn(wrong_tanh, tmp_path):
    with pytest.raises(GradientError) as caught:
        check_cell("rnn", steps=30)
    assert len(caught.value.failure.graph) > DRAWN
    text = explain(caught.value.failure, tmp_path / "it.svg")
    assert f"Its picture: {tmp_path / 'it.svg'}" in text
    assert words((tmp_path / "it.svg").read_text(encoding="utf-8")).count("tanh") == 1


def test_a_picture_that_cannot_be_written_is_named_and_fills_no_log(wrong_tanh, tmp_path):
    text = explain(failure_of(tl.tanh, [0.5]), tmp_path / "no" / "such" / "folder.svg")
    assert "could not be drawn" in text
    assert "failure.picture().source" in text
    assert "digraph" not in text


def test_what_is_only_compared_loses_no_contribution():
    """A right program with ties, of which the count of false alarms found that the engine was blamed for it."""

    def f(x):
        total = tl.logsumexp(x, axis=-3, keepdims=True)
        bound = tl.max(tl.minimum(total, total), axis=-1) / tl.exp(x)
        high = tl.broadcast_to(tl.relu(x), (2, 2, 1, 3))
        above = ops.greater(-total, bound)
        return tl.where(ops.greater(high, above), above, high)

    report = check_vjp(f, [[[1.0, 1.0, -0.0]], [[-0.001455140282073289, 0.0, 1.0]]])
    assert report.verdict is Verdict.PASS
