"""Optimisers: each is its formula; numbers that PyTorch gave; settings out of range are refused."""

import numpy as np
import pytest

import tinygrad_lstm as tl

ALL = {"eps": 1e-6, "weight_decay": 0.1}
CASES = {
    "sgd": (tl.SGD, {"lr": 0.005}),
    "sgd decay": (tl.SGD, {"lr": 0.005, "weight_decay": 0.1}),
    "momentum": (tl.SGD, {"lr": 0.005, "momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": (tl.SGD, {"lr": 0.005, "momentum": 0.9, "nesterov": True}),
    "adam": (tl.Adam, {"lr": 0.05}),
    "adam all": (tl.Adam, {"lr": 0.05, "betas": (0.8, 0.95), **ALL}),
    "adamw": (tl.AdamW, {"lr": 0.05}),
    "adamw all": (tl.AdamW, {"lr": 0.05, "betas": (0.8, 0.95), **ALL}),
    "rmsprop": (tl.RMSprop, {}),
    "rmsprop all": (tl.RMSprop, {"alpha": 0.9, "momentum": 0.5, "centered": True, **ALL}),
    "adagrad": (tl.Adagrad, {"lr": 0.1}),
    "adagrad all": (tl.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, **ALL}),
}


def descended(optimiser, settings, steps):
    """Minimise p₀² + 10 (p₁ − p₀²)² + sin(3 p₂) from a place, as benchmarks/test_torch_training.py has PyTorch do."""
    p = tl.tensor([1.0, -0.5, 0.25], requires_grad=True)
    update = optimiser([p], **settings)
    for _ in range(steps):
        update.zero_grad()
        (p[0] ** 2 + 10 * (p[1] - p[0] ** 2) ** 2 + tl.sin(3 * p[2])).backward()
        update.step()
    return p.value


GOLDEN = {
    "sgd": [0.233706736297, 0.0483189673421, -0.0942451954849],
    "sgd decay": [0.231405975101, 0.0474699140252, -0.0955691191878],
    "momentum": [-1.20790016527, 1.72105886631, -0.636803670688],
    "nesterov": [-1.07736987915, 1.20188237005, -0.589078736984],
    "adam": [0.235634358967, 0.290009528028, -0.680092597343],
    "adam all": [0.337396665251, 0.202066905077, -0.572883918385],
    "adamw": [0.231316248974, 0.287380096428, -0.677774970347],
    "adamw all": [0.297565546103, 0.176602063777, -0.566284649176],
    "rmsprop": [0.507846528944, 0.0707805690211, -0.467983864068],
    "rmsprop all": [0.482229393583, 0.119467622681, -0.508721358439],
    "adagrad": [0.514613306573, 0.0625396967277, -0.461433296331],
    "adagrad all": [0.617051064437, -0.0771241331978, -0.274861071724],
}
"""Where 25 steps of PyTorch 2.13 lead, in float64."""


@pytest.mark.parametrize("case", CASES)
def test_steps_lead_where_pytorchs_lead(case):
    np.testing.assert_allclose(descended(*CASES[case], 25), GOLDEN[case], rtol=1e-10)


def update(optimiser, **settings):
    p = tl.tensor([1.0, 2.0], requires_grad=True)
    p.grad = [0.5, -1.0]
    optimiser([p], 0.1, **settings).step()
    return p.value


def test_decay_is_a_gradient_of_the_square_and_beside_the_update_in_adamw():
    p, g = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    np.testing.assert_allclose(update(tl.SGD, weight_decay=0.2), p - 0.1 * (g + 0.2 * p))
    np.testing.assert_allclose(update(tl.AdamW, weight_decay=0.2), p * (1 - 0.02) - 0.1 * np.sign(g))
    np.testing.assert_allclose(update(tl.Adam, weight_decay=0.2), p - 0.1 * np.sign(g + 0.2 * p))


def test_an_optimiser_of_ones_own_decays_too():
    class Plain(tl.nn.Optimizer):
        def update(self, position, gradient):
            return self.lr * gradient

    np.testing.assert_array_equal(update(Plain, weight_decay=0.2), update(tl.SGD, weight_decay=0.2))


@pytest.mark.parametrize("optimiser", [tl.AdamW, tl.RMSprop, tl.Adagrad])
def test_values_keep_their_type_and_are_replaced(optimiser):
    p = tl.tensor([1.0, 2.0], requires_grad=True, dtype="float32")
    old, p.grad = p.value, [1.0, 1.0]
    optimiser([p], weight_decay=0.1).step()
    assert p.dtype == np.float32
    assert (old == [1, 2]).all()
    assert (p.value < old).all()


def test_an_optimiser_shows_what_is_set():
    p = [tl.tensor(1.0, requires_grad=True)]
    assert repr(tl.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01)) == (
        "SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01, 1 parameter)"
    )
    assert repr(tl.RMSprop(p)) == "RMSprop(lr=0.01, alpha=0.99, 1 parameter)"


inf, nan = np.inf, np.nan
REFUSED = {
    tl.SGD: {"lr": [0, -1, inf, nan], "momentum": [-0.1, 1, nan], "weight_decay": [-1, inf], "nesterov": [True]},
    tl.Adam: {"lr": [0, inf], "eps": [-1, inf, nan], "betas": [(1, 0), (0, -1), (0, nan)], "weight_decay": [-1]},
    tl.AdamW: {"lr": [-1, inf], "eps": [-1], "betas": [(0.9, 1.0)], "weight_decay": [-1, nan]},
    tl.RMSprop: {"lr": [inf], "alpha": [-1, 1], "eps": [-1], "momentum": [1, -1], "weight_decay": [-1]},
    tl.Adagrad: {
        "lr": [0],
        "lr_decay": [-1],
        "initial_accumulator_value": [-1, inf],
        "eps": [-1],
        "weight_decay": [-1],
    },
}


@pytest.mark.parametrize(("optimiser", "setting"), [(each, name) for each, names in REFUSED.items() for name in names])
def test_settings_out_of_range_are_refused_by_name(optimiser, setting):
    p = [tl.tensor(1.0, requires_grad=True)]
    for wrong in REFUSED[optimiser][setting]:
        with pytest.raises(
            ValueError, match="learning rate must be positive and finite" if setting == "lr" else setting
        ):
            optimiser(p, **{"lr": 0.1, setting: wrong})
    with pytest.raises(TypeError, match="must be"):
        optimiser(p, **{"lr": 0.1, setting: "much"})
