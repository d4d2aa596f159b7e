"""A hook changes the gradient at its place and nothing else, is seen everywhere, and declared to the checks."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.testing import Verdict, check_cell, check_vjp

X = np.array([[0.5, -1.0, 2.0], [0.1, 0.2, -0.3]])
HOOKS = {
    "scale": ({"scale": -0.5}, lambda g: -0.5 * g),
    "clip": ({"clip": 0.25}, lambda g: np.clip(g, -0.25, 0.25)),
    "function": ({"function": lambda g: g * tl.abs(g)}, lambda g: g * np.abs(g)),
    "log": ({"log": []}, lambda g: g),
}
WAYS = pytest.mark.parametrize("way", HOOKS)


def leaf():
    return tl.tensor(X, requires_grad=True, name="x")


@WAYS
def test_the_value_stays_and_the_gradient_is_what_was_asked_for(way):
    how, expected = HOOKS[way]
    x = leaf()
    marked = tl.grad_hook(tl.sin(x), **how, name="place")
    np.testing.assert_array_equal(marked.value, np.sin(X))
    (slope,) = tl.grad((marked * marked).sum(), x)
    np.testing.assert_allclose(slope.value, expected(2 * np.sin(X)) * np.cos(X), rtol=1e-15)


@WAYS
def test_it_can_be_differentiated_again(way):
    """The gradient of the changed gradient comes back past the same mark."""
    how, expected = HOOKS[way]
    rules = {
        "scale": lambda g: -0.5 * g,
        "clip": lambda g: tl.clip(g, -0.25, 0.25),
        "function": lambda g: g * tl.abs(g),
    }
    x, z = leaf(), leaf()
    (slope,) = tl.grad((tl.grad_hook(x, **how) ** 3).sum(), x, create_graph=True)
    by_hand = rules.get(way, lambda g: g)(3 * z * z)
    np.testing.assert_allclose(slope.value, by_hand.value)
    (found,), (before,) = tl.grad(slope.sum(), x), tl.grad(by_hand.sum(), z)
    np.testing.assert_allclose(found.value, expected(before.value))


def test_what_is_logged_is_the_gradient_that_passes_as_an_array_of_its_own():
    seen = []
    marked = tl.grad_hook(leaf(), log=seen)
    (3 * marked).sum().backward()
    np.testing.assert_array_equal(seen, [np.full((2, 3), 3.0)])
    assert seen[0].flags.writeable
    norms = []
    tl.grad_hook(leaf(), log=lambda g: norms.append(float(np.linalg.norm(g)))).sum().backward()
    assert norms == [np.sqrt(6)]


@WAYS
def test_a_check_calls_it_declared_and_checks_all_else(way):
    how, _ = HOOKS[way]
    report = check_vjp(lambda x: tl.tanh(tl.grad_hook(tl.sin(x), **how)), X)
    assert report.verdict is Verdict.DECLARED
    wrong = tl.engine.primitive.Primitive("wrong", np.sin, lambda g, y, x: (1.01 * g * tl.cos(x),), None)
    with pytest.raises(tl.testing.GradientError, match="the rule of wrong"):
        check_vjp(lambda x: tl.tanh(tl.grad_hook(wrong(x), **how)), X)


@WAYS
def test_a_cell_with_one_in_it_is_checked_whole(way):
    class Held(tl.RNNCell):
        def forward(self, x, h):
            return tl.grad_hook(super().forward(x, h), **HOOKS[way][0], name="place")

    assert check_cell(Held, steps=3).verdict is Verdict.DECLARED


@pytest.mark.parametrize(("how", "sign"), [({"scale": 2}, "∇×"), ({"clip": 1}, "∇≤"), ({"log": []}, "∇✎")])
def test_it_has_a_sign_in_the_picture_and_a_place_in_the_walk(how, sign):
    loss = tl.grad_hook(tl.sin(leaf()), **how, name="place").sum()
    for view in ("ops", "gates"):
        assert sign in tl.draw(loss, view).source
    events = tl.step(loss).events
    assert any(event.node.name == "place" for event in events)


def test_formulas_say_what_is_done():
    x = leaf()
    assert tl.formula(tl.grad_hook(x, scale=0.5, name="y")) == "∂L/∂x += 0.5 · ∂L/∂y"
    assert tl.formula(tl.grad_hook(x, clip=0.5, name="y")) == "∂L/∂x += max(min(∂L/∂y, 0.5), −0.5)"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "not none"),
        ({"scale": 1.0, "clip": 1.0}, "not scale and clip"),
        ({"scale": "much"}, "scale must be a number, not 'much'"),
        ({"scale": True}, "scale must be a number"),
        ({"log": 3}, "log is a list, or a function that takes the gradient, not 3"),
        ({"function": 3}, "a hook is a function that takes the gradient, not 3"),
        ({"clip": 1.0, "name": ""}, "needs a name"),
    ],
)
def test_what_it_does_not_take_is_refused_in_a_line(how, said):
    with pytest.raises(TypeError, match=said):
        tl.grad_hook(leaf(), **how)


def test_numbers_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="more than 0, not -1"):
        tl.grad_hook(leaf(), clip=-1)
    with pytest.raises(ValueError, match="scale must be a finite number"):
        tl.grad_hook(leaf(), scale=np.inf)
    with pytest.raises(TypeError, match="grad_hook marks a tensor"):
        tl.grad_hook(X, clip=1)


def held(seen):
    class Held(tl.RNNCell):
        def forward(self, x, h):
            h = tl.grad_hook(super().forward(x, h), clip=0.05, name="held")
            return tl.grad_hook(tl.grad_hook(h, scale=0.5, name="halved"), log=seen, name="seen")

    return tl.nn.Recurrent(Held(3, 4, rng=0))


def test_a_program_has_a_line_for_it_and_computes_the_same():
    seen, xs = [], tl.tensor(np.random.default_rng(0).normal(size=(5, 2, 3)))
    layer = held(seen)
    loss = (layer(xs)[0] ** 2).sum()
    expected = tl.grad(loss, layer.parameters())
    walked, seen[:] = list(seen), []
    for level in range(4):
        program = tl.source(loss, wrt=layer.parameters(), optimize=level)
        lines = [line.partition("#")[0].strip() for line in str(program).splitlines()]
        if level < 3:  # where each operation has a line of its own
            assert "dheld = 0.5 * dhalved" in lines
            assert any(line.endswith("= np.maximum(np.minimum(dheld, 0.05), -0.05)") for line in lines)
        assert any("operations['seen'].rule(" in line for line in lines)
        _, found = program()
        for x, y in zip(found, expected, strict=True):
            np.testing.assert_allclose(x, y.value, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(seen, walked, rtol=1e-12)
        seen.clear()


def test_a_compiled_layer_does_what_its_hooks_say():
    seen, xs = [], tl.tensor(np.random.default_rng(0).normal(size=(5, 2, 3)))
    layer = held(seen)
    expected = tl.grad((layer(xs)[0] ** 2).sum(), layer.parameters())
    walked, seen[:] = list(seen), []
    fast = tl.compile(layer)
    found = tl.grad((fast(xs)[0] ** 2).sum(), layer.parameters())
    assert "not compiled" not in fast.explain()
    np.testing.assert_allclose(seen, walked, rtol=1e-12)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x.value, y.value, rtol=1e-12, atol=1e-15)


def test_two_hooks_without_a_name_are_two_operations_of_the_program():
    one, other, x = [], [], leaf()
    loss = (tl.grad_hook(tl.sin(tl.grad_hook(x, log=one)) * 2, log=other) ** 2).sum()
    program = tl.source(loss)
    assert sorted(program.operations) == ["grad_log", "grad_log_2"]
    _, (slope,) = program()
    np.testing.assert_allclose(slope, 8 * np.sin(X) * np.cos(X))
    np.testing.assert_allclose(one, [8 * np.sin(X) * np.cos(X)])
    np.testing.assert_allclose(other, [4 * np.sin(X)])
