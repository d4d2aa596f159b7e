"""Inputs that never matter are named, with the reason and the place; those that do are not."""

import numpy as np
import pytest

import tinygrad_lstm as tl


def leaves(*names, requires_grad=True):
    return [tl.tensor([1.0, -2.0], requires_grad=requires_grad, name=name) for name in names]


def test_what_the_loss_does_not_see_is_told_from_what_it_sees_without_a_gradient():
    x, mask, spare = leaves("x", "mask", "spare")
    loss = (tl.where(mask, x, 0.0)).sum()
    found = tl.explain_unused(loss, [x, mask, spare])
    assert [each.name for each in found] == ["mask", "spare"]
    assert found[0].why.startswith("only through where (test_unused.py:")
    assert found[1].why == "the loss does not depend on it"
    assert [node.primitive.name for node in found[0].ends] == ["where"]


def test_a_gradient_that_is_zero_by_chance_is_none_of_them():
    x, y = leaves("x", "y")
    assert tl.explain_unused((tl.relu(-x * x) * y * 0.0).sum(), [x, y]) == ()
    assert str(tl.explain_unused((x * y).sum())) == "every input has a gradient"


def test_one_way_with_a_gradient_is_enough():
    (x,) = leaves("x")
    assert tl.explain_unused((tl.floor(x) * x).sum(), x) == ()


def test_all_ends_are_named_with_the_place_in_the_network():
    (x,) = leaves("x")
    with tl.time_step(3), tl.scope("gate"):
        a = tl.floor(x * 2)
    (found,) = tl.explain_unused((a * tl.engine.ops.greater(x, 0)).sum(), [x])
    assert "floor in gate at t=3 (test_unused.py:" in found.why
    assert "greater (test_unused.py:" in found.why
    assert found.why.endswith("which have no gradient")


def test_what_asks_for_no_gradient_is_told_so():
    (x,), (w,) = leaves("x", requires_grad=False), leaves("w")
    assert str(tl.explain_unused((x * w).sum(), [x])) == "x: it asks for no gradient: make it with requires_grad=True"
    assert [each.name for each in tl.explain_unused((x * w).sum())] == ["x"]


def test_what_was_detached_is_named():
    (x,) = leaves("x")
    (found,) = tl.explain_unused((x.detach() * 2).sum(), [x])
    assert "but on what detach() made of it (test_unused.py:" in found.why


def test_a_compiled_layer_is_looked_into():
    layer = tl.RNN(3, 4, rng=0)
    fast = tl.compile(lambda xs, other: layer(xs * tl.floor(other))[0].sum())
    xs, other = (tl.tensor(np.ones((4, 2, 3)), requires_grad=True, name=name) for name in ("xs", "other"))
    (found,) = tl.explain_unused(fast(xs, other), [xs, other])
    assert found.name == "other"
    assert "floor" in found.why


def test_a_rule_that_fails_is_left_to_the_walk():
    broken = tl.engine.primitive.Primitive("broken", lambda x: x, lambda g, y, x: 1 / 0, None)
    (x,) = leaves("x")
    assert tl.explain_unused(broken(x).sum(), [x]) == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: tl.explain_unused(3.0), "takes a tensor that was computed"),
        (lambda: tl.explain_unused(tl.tensor(1.0), 3), r"inputs are tensors, as in \[x, w\], not 3"),
        (lambda: tl.explain_unused(tl.tensor(1.0), ["x"]), r"inputs are tensors, as in \[x, w\], not 'x'"),
    ],
)
def test_what_are_no_tensors_is_refused(wrong, said):
    with pytest.raises(TypeError, match=said):
        wrong()
