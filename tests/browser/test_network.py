"""The network in the page: what the browser computes is what numpy computes, operation by operation, and in all.

Locally each operation and each contribution is compared with numpy run on the page's own operands, so that no error of
the one is taken for that of another; a bound elementwise would fail right code, where numbers cancel.
"""

import copy

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import tinygrad_lstm as tl
from tinygrad_lstm.engine.backprop import unbroadcast
from tinygrad_lstm.engine.primitive import Kind
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.offline import _source
from tinygrad_lstm.stepper.recording.tape import Tape
from tinygrad_lstm.stepper.web.instructions import MOVEMENTS, UFUNCS
from tinygrad_lstm.stepper.web.network import PageNetwork
from tinygrad_lstm.testing import strategies
from tinygrad_lstm.testing.generate.cases import CASES

SCRIPTS = ("network/arrays.js", "network/functions.js", "network/network.js")

COMPUTED = """(data) => {
  const told = (array) => array && [array.shape, Array.from(array.data)];
  const network = new Network(data, (number) => unpacked(data.leaves[number]));
  return {
    apart: network.disagreement(data.answers),
    values: network.values.map(told),
    gradients: [...network.gradients].map(([node, gradient]) => [node, told(gradient)]),
    edges: network.edges.map((edge) => {
      const { product, contribution } = network.contribution(edge);
      return [edge.node, edge.slot, told(product), told(contribution)];
    }),
  };
}"""

LOCALLY, IN_ALL, POINTWISE = 1e-13, 1e-12, 8
"""Bounds: of an array's largest number, the same end to end, and units in the last place of each number."""


@pytest.fixture(scope="session")
def reader(chromium):
    """A page that has the scripts of the network and nothing else."""
    page = chromium.new_context().new_page()
    for script in SCRIPTS:
        page.add_script_tag(content=_source("tinygrad_lstm.stepper.web", script))
    yield page
    page.context.close()


def array(told):
    shape, numbers = told
    return np.array(numbers, np.float64).reshape(shape)


def apart(ours, theirs):
    """Tell how far two arrays are apart, as a part of the largest number; what is not finite must be the same."""
    ours, theirs = np.asarray(ours), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True) or not np.isfinite(ours[finite]).all():
        return np.inf
    largest = np.abs(theirs[finite]).max(initial=0)
    return np.abs(ours - theirs)[finite].max(initial=0) / largest if largest else np.abs(ours[finite]).max(initial=0)


def number_of(tensor, nodes):
    return next(i for i, node in enumerate(nodes) if node is tensor)


def ulps(ours, theirs):
    finite = np.isfinite(theirs) & np.isfinite(ours)
    return (np.abs(ours - theirs)[finite] / np.spacing(np.abs(theirs[finite]))).max(initial=0)


def faults(reader, output, seed=None, *, bound=LOCALLY):
    """Return what is wrong in the browser, operation by operation and contribution by contribution."""
    network = PageNetwork(tl.Graph(output), seed)
    made = reader.evaluate(COMPUTED, network.whole())
    nodes = network.graph.nodes
    values = {node: array(told) for node, told in zip(nodes, made["values"], strict=True)}
    gradients = {nodes[number]: array(told) for number, told in made["gradients"]}
    found = []
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.primitive is None:
                continue
            operands = [values[x] for x in node.inputs]
            wanted = np.asarray(node.primitive.forward(*operands, **node.attrs))
            if not apart(values[node], wanted) <= bound:
                found.append(f"{node.primitive.name}: forward {apart(values[node], wanted):.1e}")
            if node.primitive.kind is Kind.pointwise and not ulps(values[node], wanted) <= POINTWISE:
                found.append(f"{node.primitive.name}: {ulps(values[node], wanted)} ulp")
        tape = Tape(network.graph.output, seed)
        assert [(nodes[a], b) for a, b, _, _ in made["edges"]] == [(e.node, e.slot) for e in tape.backward]
        for number, slot, product, contribution in made["edges"]:
            node = nodes[number]
            operands = [values[x] for x in node.inputs]
            wanted = node.primitive.rule(gradients[node], values[node], *operands, **node.attrs)[slot]
            wanted = wanted() if callable(wanted) else wanted
            if wanted is None:
                wanted = np.zeros(operands[slot].shape)
            elif not apart(array(product), np.asarray(wanted)) <= bound:
                found.append(f"{node.primitive.name}: rule {slot} {apart(array(product), np.asarray(wanted)):.1e}")
            wanted = unbroadcast(np.asarray(wanted), operands[slot].shape)
            if not apart(array(contribution), wanted) <= bound:
                found.append(f"{node.primitive.name}: contribution {slot} {apart(array(contribution), wanted):.1e}")
    return found, made, network


def in_all(made, network):
    """Return how far the page is from Python end to end: all values and gradients."""
    nodes = network.graph.nodes
    values = [apart(array(t), network.graph.values[n]) for n, t in zip(nodes, made["values"], strict=True)]
    return max([*values, *(apart(array(told), network.gradients[nodes[i]]) for i, told in made["gradients"])])


def test_it_has_what_python_takes_it_to_have(reader):
    there = set(reader.evaluate("() => [...FUNCTIONS.keys()]"))
    assert {name for name in UFUNCS | MOVEMENTS if name not in there} == set()
    assert {name for name in there if "." not in name} - {"copy", "truth"} == UFUNCS | MOVEMENTS


def test_a_gradient_that_is_handed_on_is_not_the_one_that_is_added_to(reader):
    """a's gradient begins as b's, and a second part is added: not to b's."""
    a = tl.tensor([1.0, 2.0], requires_grad=True, name="a")
    b = a + a
    found, made, network = faults(reader, (b + b).sum())
    assert found == []
    assert in_all(made, network) == 0


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [1, 4])
def test_every_cell(reader, cell, steps):
    found, made, network = faults(reader, small_loss(cell, steps))
    assert found == []
    assert made["apart"] <= IN_ALL
    assert in_all(made, network) <= IN_ALL
    assert network.unread == {}


def drawn(strategy, examples):
    """Run a test on drawn examples; the browser stays open in between."""
    quiet = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    return lambda test: quiet(given(strategy)(test))()


@pytest.mark.parametrize("name", CASES)
def test_every_operation(reader, name):
    problems = []

    @drawn(st.tuples(CASES[name], st.integers(0, 2**32 - 1)), 10)
    def tried(example):
        case, seed = example
        leaves = [tl.tensor(x, requires_grad=True) for x in case.inputs]
        y = case.f(*leaves)
        if not y.requires_grad:
            y = y + leaves[0].sum()
        found, _, network = faults(reader, y, np.random.default_rng(seed).normal(size=y.shape))
        problems.extend(found)
        assert network.unread == {}

    assert problems == []


def test_generated_programs(reader):
    problems = []

    @drawn(strategies.expression_graphs(high=10), 150)
    def tried(program):
        output = program.graph().output
        if output.requires_grad:
            problems.extend(faults(reader, output, np.ones(output.shape))[0])

    assert problems == []


def test_an_attribute_that_is_not_given_is_its_default(reader):
    a, b = (tl.tensor(np.ones((2, 2)) * n, requires_grad=True) for n in (2.0, 3.0))
    y = tl.engine.ops.einsum(a, b).sum() + tl.engine.ops.reshape(a[:1, :1]) + tl.cumsum(b).sum()
    assert faults(reader, y)[0] == []


def test_generated_networks(reader):
    problems = []

    @drawn(strategies.recurrent_networks(high=1), 40)
    def tried(network):
        output = network(tl.tensor(network.xs, requires_grad=True, name="xs"))
        found, made, ours = faults(reader, (output * output).sum())
        problems.extend(found)
        problems.extend(far for far in [in_all(made, ours)] if not far <= IN_ALL)

    assert problems == []


def lesson():
    """Return the loss of words, embedded and read by an LSTM; without a softmax, whose shift may be any."""
    rng = np.random.default_rng(0)
    embedding, lstm, head = tl.Embedding(7, 3, rng=rng), tl.LSTM(3, 4, rng=rng), tl.Linear(4, 7, rng=rng)
    output, _ = lstm(embedding(np.array([1, 5, 1, 2])))
    return tl.mse_loss(tl.sigmoid(head(output)), np.eye(7)[[5, 1, 2, 6]])


OTHERS = {1: ["negative", "sin"], 2: ["add", "multiply"]}


def test_every_mutated_instruction_is_noticed(reader):
    """An instruction that is poisoned with NaN, or does what another does, is noticed when the page is opened."""
    data = PageNetwork(tl.Graph(lesson())).whole()
    reader.evaluate("() => FUNCTIONS.set('poison', ([a]) => mapped(() => NaN, a))")
    opened = """(data) => {
      try {
        const network = new Network(data, (number) => unpacked(data.leaves[number]));
        return !(network.disagreement(data.answers) <= 1e-12);
      } catch (error) { return true; }
    }"""
    assert not reader.evaluate(opened, data)
    unused, missed, tried = [], [], 0
    for number, code in enumerate(data["codes"]):
        for part in ("forward", "rule"):
            for at, step in enumerate(code.get(part, {"do": []})["do"]):
                mutants = copy.deepcopy(data)
                planted = mutants["codes"][number][part]["do"][at]
                planted[0] = "poison"
                if not reader.evaluate(opened, mutants):
                    unused.append((number, part, at, step))
                    continue
                for other in OTHERS[1 if len(step[1]) == 1 else 2]:
                    planted[0] = other
                    tried += 1
                    if other != step[0] and not reader.evaluate(opened, mutants):
                        missed.append((number, part, at, step, other))
    assert tried > 60
    assert len(unused) < 10, unused
    assert missed == []


def test_an_operation_of_ones_own_is_read(reader):
    own = tl.primitive(
        "own", lambda x: np.where(x > 0, np.log1p(np.abs(x)), np.sinh(x)) * x.mean(), lambda g, y, x: (g * tl.tanh(x),)
    )
    x = tl.tensor([[0.5, -2.0, 1.5]], requires_grad=True)
    found, _, network = faults(reader, own(x).sum())
    assert found == []
    assert network.unread == {}


def test_one_that_cannot_be_read_keeps_its_numbers_and_says_so(reader):
    def forward(x):
        made = np.array(x)
        made[made < 0] = 0
        return made

    opaque = tl.primitive("opaque", forward, lambda g, y, x: (g * tl.exp(x),))
    x, w = tl.tensor([[0.5, -2.0]], requires_grad=True, name="x"), tl.tensor(2.0, requires_grad=True, name="w")
    y = opaque(x * w)
    network = PageNetwork(tl.Graph((tl.tanh(y) * w).sum()))
    made = reader.evaluate(COMPUTED, network.whole())
    assert "opaque" in network.unread
    assert made["apart"] <= LOCALLY
    nodes = network.graph.nodes
    asked = """([data, leaf]) => {
      const network = new Network(data, (number) => unpacked(data.leaves[number]));
      network.set(leaf, new NumArray([], Float64Array.of(3)));
      network.compute();
      return [[...network.stale], [...network.staleGradients]];
    }"""
    stale, gradients = reader.evaluate(asked, [network.whole(), number_of(w, nodes)])
    assert {nodes[i].primitive.name for i in stale} == {"opaque", "tanh", "mul", "sum"}
    assert {number_of(x, nodes), number_of(w, nodes)} <= set(gradients)


def test_float32_runs_in_float64(reader):
    lstm = tl.LSTM(3, 4, rng=0, dtype=np.float32)
    output, _ = lstm(tl.tensor(np.ones((3, 1, 3)), dtype=np.float32))
    found, made, network = faults(reader, output.sum())
    assert found == []
    assert network.narrow
    assert made["apart"] <= IN_ALL


def test_a_leaf_that_was_replaced_between_two_uses(reader):
    w = tl.tensor(2.0, requires_grad=True)
    first = w * 3
    w.value = 5.0
    found = reader.evaluate(COMPUTED, PageNetwork(tl.Graph(first + w * w)).whole())
    assert array(found["values"][-1]) == 31
    assert found["apart"] == 0


def test_changes_are_what_python_makes_of_them(reader):
    """Another number in a leaf, and a gate held at 1: all values and gradients are those of a run in Python."""
    lstm = tl.LSTM(2, 3, rng=0)
    xs = tl.tensor(np.random.default_rng(1).normal(size=(4, 1, 2)), requires_grad=True)
    loss = lstm(xs)[0].sum()
    network = PageNetwork(tl.Graph(loss))
    nodes = network.graph.nodes
    other = xs.value.copy()
    other[2] *= -3
    asked = """([data, leaf, shape, numbers]) => {
      const network = new Network(data, (number) => unpacked(data.leaves[number]));
      network.set(leaf, new NumArray(shape, Float64Array.from(numbers)));
      network.compute();
      const told = (array) => [array.shape, Array.from(array.data)];
      const found = [network.values.map(told), [...network.gradients].map(([node, each]) => [node, told(each)])];
      network.set(leaf);
      network.compute();
      return [...found, network.disagreement(data.answers)];
    }"""
    values, gradients, back = reader.evaluate(
        asked, [network.whole(), number_of(xs, nodes), other.shape, other.ravel().tolist()]
    )
    assert back <= IN_ALL
    again = lstm(tl.tensor(other, requires_grad=True))[0].sum()
    fresh = PageNetwork(tl.Graph(again))
    assert max(apart(array(t), fresh.graph.values[n]) for n, t in zip(fresh.graph.nodes, values, strict=True)) <= IN_ALL
    assert max(apart(array(t), fresh.gradients[fresh.graph.nodes[i]]) for i, t in gradients) <= IN_ALL


def test_numpys_functions_at_numbers_that_are_hard(reader):
    """Each function of the page at zeros of both signs, infinities, NaN and ties, beside numpy's."""
    hard = np.array([-np.inf, -5.0, -1.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.5, 7.0, np.inf, np.nan])
    a, b = (each.ravel() for each in np.meshgrid(hard, hard))
    asked = """([name, ...operands]) => Array.from(FUNCTIONS.get(name)(operands.map(
      (each) => new NumArray([each.length], Float64Array.from(each)))).data)"""
    wrong = []
    for name in sorted(UFUNCS - {"matmul"}):
        function = getattr(np, name)
        operands = [a, b][: function.nin] if function.nin == 2 else [hard]
        with np.errstate(all="ignore"):
            wanted = function(*operands).astype(float)
        ours = np.array(reader.evaluate(asked, [name, *(each.tolist() for each in operands)]), float)
        for *given_, mine, theirs in zip(*operands, ours, wanted, strict=True):
            if not (
                mine == theirs
                or (np.isnan(mine) and np.isnan(theirs))
                or abs(mine - theirs) <= 8 * np.spacing(abs(theirs))
            ):
                wrong.append((name, given_, mine, theirs))
    assert wrong == []
