"""Any use of the engine, in any order, against a twin that has no graph: a state machine, and faults it must catch."""

import contextlib
import gc
import math
import weakref
from operator import attrgetter

import pytest
from hypothesis import Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

import tinygrad_lstm as tl
from tests.engine.jets import BINARY, OPERATIONS, UNARY, Leaf, computed, constant, leaf_twin, numbering
from tinygrad_lstm.drawing import VIEWS
from tinygrad_lstm.engine import backprop

pytestmark = pytest.mark.filterwarnings("ignore:backward keeps the gradients of leaves")  # each is asked for its own


class Named:
    """A tensor that has a name in the program, its twin, and its value bit for bit."""

    def __init__(self, tensor, twin):
        self.tensor = tensor
        self.twin = twin
        self.bits = tensor.value.tobytes()

    @property
    def is_leaf(self):
        return self.twin.leaf is not None

    @property
    def is_parameter(self):
        return self.twin.leaf in self.twin.reaches

    @property
    def requires_grad(self):
        return bool(self.twin.reaches)

    @property
    def is_curved(self):
        return any(any(jet.second.values()) for jet in self.twin.jets)


def where_some(condition):
    return precondition(lambda machine: any(map(condition, machine.named)))


is_leaf, is_parameter = attrgetter("is_leaf"), attrgetter("is_parameter")
requires_grad, is_curved = attrgetter("requires_grad"), attrgetter("is_curved")
eighths = st.integers(-8, 8).map(lambda n: n / 8)
pairs = st.tuples(eighths, eighths)
values = st.tuples(eighths) | pairs
seeds = st.none() | pairs


class AnyUse(RuleBasedStateMachine):
    """Each rule does one thing to the engine and the twin; the invariants compare all there is, after every rule."""

    tensors = Bundle("tensors")
    leaves = tensors.filter(is_leaf)
    parameters = tensors.filter(is_parameter)
    differentiable = tensors.filter(requires_grad)
    curved = tensors.filter(is_curved)

    def __init__(self):
        super().__init__()
        self.named = []
        self.watched = []  # a weak reference to every tensor that ever had a name, and what its twin is known as
        self.totals = {}  # what .grad must be, for each leaf that has one
        self.collecting = gc.isenabled()
        gc.disable()  # so that nothing but the last reference frees a tensor

    def teardown(self):
        if self.collecting:
            gc.enable()

    # Making tensors

    @initialize(target=tensors, one=values, other=values, fixed=values)
    def begin(self, one, other, fixed):
        parameters = self.parameter(one), self.parameter(other)
        product = self.of_two("tamed product", *parameters)
        return multiple(self.give_number(tl.tensor(as_data(fixed))), *parameters, product)

    @rule(target=tensors, numbers=values)
    def parameter(self, numbers):
        twin = leaf_twin(Leaf(next(numbering), len(numbers)), numbers, True)
        return self.give_name(tl.tensor(as_data(numbers), requires_grad=True), twin)

    @where_some(requires_grad)
    @rule(target=tensors, operation=st.sampled_from(list(UNARY)), x=differentiable)
    def of_one(self, operation, x):
        return self.give_name(*self.compute(operation, x))

    @rule(target=tensors, operation=st.sampled_from(list(BINARY)), x=tensors, y=tensors)
    def of_two(self, operation, x, y):
        return self.give_name(*self.compute(operation, x, y))

    @where_some(requires_grad)
    @rule(target=tensors, operation=st.sampled_from(list(BINARY)), x=differentiable)
    def of_itself_twice(self, operation, x):
        return self.give_name(*self.compute(operation, x, x))

    @rule(target=tensors, operation=st.sampled_from(list(BINARY)), x=tensors, y=tensors)
    def under_no_grad(self, operation, x, y):
        with tl.no_grad():
            result, twin = self.compute(operation, x, y)
        return self.give_name(result, constant(twin.numbers))

    @rule(target=tensors, x=tensors)
    def detach(self, x):
        return self.give_name(x.tensor.detach(), constant(x.twin.numbers))

    # Differentiating

    @where_some(requires_grad)
    @rule(x=differentiable, seed=seeds, times=st.integers(1, 2), quietly=st.booleans())
    def backward(self, x, seed, times, quietly):
        """Under no_grad as well: it is said of what is recorded, not of what is differentiated."""
        seed, data = seed_for(x, seed)
        with tl.no_grad() if quietly else contextlib.nullcontext():
            for _ in range(times):
                x.tensor.backward(data)
        for leaf in x.twin.reaches:
            gradient = x.twin.gradient(seed, leaf)
            before = self.totals.get(leaf, [0.0] * leaf.size)
            self.totals[leaf] = [b + times * g for b, g in zip(before, gradient, strict=True)]

    @where_some(is_parameter)
    @where_some(requires_grad)
    @rule(
        target=tensors,
        x=differentiable,
        seed=seeds,
        wanted=st.lists(parameters, max_size=3),
        create_graph=st.booleans(),
    )
    def grad(self, x, seed, wanted, create_graph):
        seed, data = seed_for(x, seed)
        inputs = [w.tensor for w in wanted]
        gradients = tl.grad(x.tensor, inputs, data, allow_unused=True, create_graph=create_graph)
        for w, gradient in zip(wanted, gradients, strict=True):
            assert (gradient is not None) == (w.twin.leaf in x.twin.reaches), "tl.grad gives None for what is not used"
            if gradient is not None:
                require_equal("what tl.grad gives", gradient, x.twin.gradient(seed, w.twin.leaf))
        found = [gradient.detach() for gradient in gradients if gradient is not None]
        if len(found) < len(wanted):
            with pytest.raises(ValueError, match="does not depend on input"):
                tl.grad(x.tensor, inputs, data)
        return multiple(*map(self.give_number, filter(is_small, found)))

    @where_some(is_parameter)
    @rule(target=tensors, x=parameters)
    def keep_grad(self, x):
        """What was read from .grad stays what it was, whatever backward adds to it later."""
        if x.tensor.grad is None or not is_small(x.tensor.grad):
            return multiple()
        return self.give_number(x.tensor.grad.detach())

    @where_some(is_curved)
    @rule(x=curved, seed=seeds, i=st.integers(0, 9), weights=pairs, j=st.integers(0, 9), quietly=st.booleans())
    def grad_of_grad(self, x, seed, i, weights, j, quietly):
        used = [y for y in self.named if y.is_parameter and y.twin.leaf in x.twin.reaches]
        if not used:  # their names are gone
            return
        one, other = used[i % len(used)], used[j % len(used)]
        seed, data = seed_for(x, seed)
        weights, weights_data = seed_for(one, weights)
        bend = None
        with tl.no_grad() if quietly else contextlib.nullcontext():
            (slope,) = tl.grad(x.tensor, one.tensor, data, create_graph=True)
            if slope.requires_grad:
                (bend,) = tl.grad(slope, other.tensor, weights_data, allow_unused=True)
        require_equal("the first derivative", slope, x.twin.gradient(seed, one.twin.leaf))
        expected = x.twin.curvature(seed, one.twin.leaf, weights, other.twin.leaf)
        if bend is None:
            assert not any(expected), "there is a second derivative, unless it is zero everywhere"
        else:
            require_equal("the second derivative", bend, expected)

    @rule(x=st.none() | tensors)
    def zero(self, x):
        """One, or all."""
        for y in self.named if x is None else [x]:
            y.tensor.grad = None
            self.totals.pop(y.twin.leaf, None)

    @where_some(is_parameter)
    @rule(x=parameters, factor=eighths)
    def scale_grad(self, x, factor):
        """As clipping does, between backward and the optimiser."""
        if x.tensor.grad is not None:
            x.tensor.grad = factor * x.tensor.grad.value
            self.totals[x.twin.leaf] = [factor * g for g in self.totals[x.twin.leaf]]

    # Other numbers

    @where_some(is_leaf)
    @rule(x=leaves, numbers=pairs)
    def replace(self, x, numbers):
        numbers = numbers[: len(x.twin.jets)]
        x.tensor.value = as_data(numbers)
        x.twin = leaf_twin(x.twin.leaf, numbers, x.requires_grad)
        x.bits = x.tensor.value.tobytes()

    @where_some(requires_grad)
    @rule(x=differentiable, positions=st.lists(st.integers(0, 9), max_size=2), numbers=pairs)
    def replay(self, x, positions, numbers):
        if x.twin.lines > 1000:
            return
        leaves = [y for y in self.named if y.is_leaf and y.twin.known_as in x.twin.made_from]
        given = {leaves[i % len(leaves)] for i in positions if leaves}
        result = tl.Graph(x.tensor).replay({y.tensor: as_data(numbers[: len(y.twin.jets)]) for y in given})[x.tensor]
        expected = x.twin.rerun({y.twin.leaf: numbers[: len(y.twin.jets)] for y in given})
        require_equal("what replay gives", tl.tensor(result), expected.numbers)

    # Looking, and letting go

    @rule(x=tensors, view=st.sampled_from(sorted(VIEWS)), numbers=st.booleans())
    def draw(self, x, view, numbers):
        has_slope = x.requires_grad and len(x.twin.jets) == 1
        if len(tl.Graph(x.tensor)) > 12 or (view == "backward" and not has_slope):
            return
        one, other = (tl.draw(x.tensor, view, values=numbers, gradients=has_slope) for _ in range(2))
        assert isinstance(one.source, str)
        assert one.source == other.source, "a picture is the same twice"

    @rule(x=consumes(tensors))
    def drop(self, x):
        self.named.remove(x)
        x.tensor = None  # the name is gone; a graph, or nobody, has the tensor

    # What holds after every rule

    @invariant()
    def values_are_the_twins(self):
        for x in self.named:
            assert x.tensor.value.tobytes() == x.bits, "nothing changes a value"
            require_equal("the value", x.tensor, x.twin.numbers)
            assert x.tensor.is_leaf == x.is_leaf, "a leaf is what was not computed"
            assert x.tensor.requires_grad == x.requires_grad, "a gradient is required where it would reach a leaf"

    @invariant()
    def grads_are_the_twins_totals(self):
        for x in self.named:
            expected = self.totals.get(x.twin.leaf)
            assert (x.tensor.grad is None) == (expected is None), ".grad is there once backward has come by"
            if expected is not None:
                require_equal(".grad", x.tensor.grad, expected)

    @invariant()
    def alive_is_what_names_lead_to(self):
        needed = set().union(*(x.twin.made_from for x in self.named))
        for reference, known_as in self.watched:
            alive = reference() is not None
            assert alive == (known_as in needed), "a tensor lives as long as a name leads to it, and no longer"

    def give_name(self, tensor, twin):
        named = Named(tensor, twin)
        self.named.append(named)
        self.watched.append((weakref.ref(tensor), twin.known_as))
        return named

    def give_number(self, tensor):
        """A name for a tensor without a past, whose value has been compared already."""
        return self.give_name(tensor, constant(tensor.value.ravel().tolist()))

    def compute(self, operation, *operands):
        result = OPERATIONS[operation].engine(*(x.tensor for x in operands))
        twin = computed(operation, *(x.twin for x in operands))
        while twin.is_too_large:
            result = OPERATIONS["eighth"].engine(result)
            twin = computed("eighth", twin)
        return result, twin


def as_data(numbers):
    return numbers[0] if len(numbers) == 1 else list(numbers)


def is_small(gradient):
    return abs(gradient.value).max() <= 4


def seed_for(x, seed):
    """The seed in numbers, one for each of the tensor's, and as the engine is given it."""
    if seed is None and len(x.twin.jets) == 1:
        return [1.0], None
    numbers = [1.0, 1.0] if seed is None else list(seed[: len(x.twin.jets)])
    return numbers, as_data(numbers)


def require_equal(what, tensor, numbers):
    assert tensor.shape == (() if len(numbers) == 1 else (2,)), f"{what} has shape {tensor.shape}"
    ours = tensor.value.ravel().tolist()
    close = all(math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-9) for a, b in zip(ours, numbers, strict=True))
    assert close, f"{what} is {ours}; the twin has {numbers}"


MANY_SHORT = settings(max_examples=4 * settings().max_examples, stateful_step_count=25)


def test_any_use_in_any_order_agrees_with_the_twin():
    run_state_machine_as_test(AnyUse, settings=MANY_SHORT)


# Faults it must catch


def overwriting_backward(patch):
    def backward(output, seed=None, honest=backprop.backward):
        for leaf in tl.Graph(output).leaves:
            leaf._grad = None
        honest(output, seed)

    patch.setattr(backprop, "backward", backward)


def backward_into_every_node(patch):
    def backward(output, seed=None, honest=backprop.backward):
        for node, gradient in backprop.gradients(output, seed).items():
            if not node.is_leaf:
                node.grad = gradient
        honest(output, seed)

    patch.setattr(backprop, "backward", backward)


def backward_that_keeps_its_graph(patch):
    kept = []

    def backward(output, seed=None, honest=backprop.backward):
        kept.append(output)
        honest(output, seed)

    patch.setattr(backprop, "backward", backward)


def backward_adding_in_place(patch):
    def backward(output, seed=None, honest=backprop.backward):
        held = {leaf: leaf.grad for leaf in tl.Graph(output).leaves}
        honest(output, seed)
        for leaf, before in held.items():
            if before is not None:
                write_into(before, leaf.grad.value)

    patch.setattr(backprop, "backward", backward)


def detach_that_returns_the_tensor_itself(patch):
    patch.setattr(tl.Tensor, "detach", lambda x: x)


def detach_that_stays_attached(patch):
    patch.setattr(tl.Tensor, "detach", lambda x: x + 0.0)


def walk_that_loses_the_last_of_a_fan_out(patch):
    def plan(output, inputs, honest=backprop._plan):
        return {node: expected - (expected > 1) for node, expected in honest(output, inputs).items()}

    patch.setattr(backprop, "_plan", plan)


def walk_in_the_order_of_discovery(patch):
    patch.setattr(backprop, "sorted", lambda nodes, key, reverse: list(nodes), raising=False)


def no_grad_that_records(patch):
    patch.setattr(tl, "no_grad", contextlib.nullcontext)


def zeroing_that_does_nothing(patch):
    set_grad = tl.Tensor.grad.fset
    zeroless = tl.Tensor.grad.setter(lambda x, new: None if new is None else set_grad(x, new))
    patch.setattr(tl.Tensor, "grad", zeroless)


def grad_that_adds_to_grad(patch):
    def grad(output, inputs, seed=None, honest=tl.grad, **how):
        backprop.backward(output, seed)
        return honest(output, inputs, seed, **how)

    patch.setattr(tl, "grad", grad)


def replacing_a_value_in_place(patch):
    patch.setattr(tl.Tensor, "value", tl.Tensor.value.setter(write_into))


def second_derivatives_at_todays_values(patch):
    patch.setattr(backprop, "as_it_was", lambda x, value: x)


def gradients_cut_in_a_recorded_walk(patch):
    def differentiable(rule, node, upstream, honest=backprop._differentiable):
        return honest(rule, node, upstream.detach())

    patch.setattr(backprop, "_differentiable", differentiable)


def replay_at_todays_values(patch):
    def replay(graph, values=None, honest=tl.Graph.replay):
        return honest(graph, {**{leaf: leaf.value for leaf in graph.leaves}, **(values or {})})

    patch.setattr(tl.Graph, "replay", replay)


def drawing_that_differentiates_for_good(patch):
    def draw(x, view, honest=tl.draw, **options):
        if options["gradients"]:
            x.backward()
        return honest(x, view, **options)

    patch.setattr(tl, "draw", draw)


def write_into(x, new):
    x._value.setflags(write=True)
    x._value[...] = new
    x._value.setflags(write=False)


FAULTS = {
    overwriting_backward: r"^\.grad is",
    backward_into_every_node: r"^\.grad is there once",
    backward_that_keeps_its_graph: "^a tensor lives as long",
    backward_adding_in_place: "^nothing changes a value",
    detach_that_returns_the_tensor_itself: "^a leaf is what was not computed|^a gradient is required where",
    detach_that_stays_attached: "^a leaf is what was not computed",
    walk_that_loses_the_last_of_a_fan_out: "grad|derivative",
    walk_in_the_order_of_discovery: "grad|derivative",
    no_grad_that_records: "^a leaf is what was not computed",
    zeroing_that_does_nothing: r"^\.grad is there once",
    grad_that_adds_to_grad: r"^\.grad is",
    replacing_a_value_in_place: "^nothing changes a value|grad|derivative|replay",
    second_derivatives_at_todays_values: "derivative|tl.grad gives",
    gradients_cut_in_a_recorded_walk: "second derivative",
    replay_at_todays_values: "^what replay gives",
    drawing_that_differentiates_for_good: r"^\.grad is",
}
UNTIL_CAUGHT = settings(
    MANY_SHORT,
    max_examples=400,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    verbosity=Verbosity.quiet,
    print_blob=False,
    report_multiple_bugs=False,
)


@pytest.mark.parametrize(("fault", "broken"), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS])
def test_a_planted_fault_is_caught(fault, broken, monkeypatch):
    fault(monkeypatch)
    with pytest.raises(AssertionError, match=broken):
        run_state_machine_as_test(AnyUse, settings=UNTIL_CAUGHT)
