"""Networks side by side learn what each would learn by itself."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.studies.side_by_side import AdamSideBySide, clip_each, side_by_side, some_of
from tinygrad_lstm.studies.tasks import TASKS
from tinygrad_lstm.studies.trial import Reader, train_side_by_side


def readers(cell, task, seeds, hidden=5):
    return [Reader(CELLS[cell](task.inputs, hidden, rng=seed), task.outputs, rng=seed) for seed in seeds]


def trained(cell, task, seeds, rates, **how):
    """The parameters of each network after every update."""
    history = []
    keep = lambda update, model: history.append({path: p.value for path, p in model.named_parameters()})
    how = {"budget": 4 * 6, "batch": 4, **how}
    found = train_side_by_side(task, readers(cell, task, seeds), seeds=seeds, rates=rates, report=keep, **how)
    return found, history


@pytest.mark.parametrize(
    ("name", "cell"), [*(("temporal-order", cell) for cell in CELLS), *((name, "lstm") for name in TASKS)]
)
def test_each_goes_bit_for_bit_where_it_would_go_alone(cell, name):
    task, seeds, rates = TASKS[name](12), [3, 4, 5], [0.01, 0.03, 0.001]
    found, together = trained(cell, task, seeds, rates)
    for k, (seed, rate) in enumerate(zip(seeds, rates, strict=True)):
        by_itself, alone = trained(cell, task, [seed], [rate])
        assert len(alone) == len(together) == 6
        for now, then in zip(together, alone, strict=True):
            for path, value in then.items():
                np.testing.assert_array_equal(now[path][k], value[0], err_msg=path)
        assert by_itself.scores == [found.scores[k]]


@pytest.mark.parametrize("cell", CELLS)
def test_a_stack_of_one_goes_where_the_module_itself_goes(cell):
    """Ours against a plain loop over the cell as one calls it, tl.Adam and tl.clip_grad_norm: equal to rounding."""
    task = TASKS["adding"](6)
    found, _ = trained(cell, task, [7], [0.01], budget=4 * 5)
    (model,) = readers(cell, task, [7])
    optimiser = tl.Adam(model.parameters(), lr=0.01)
    drawn = task.draw(np.random.default_rng([7, 1]), 512)
    for update in range(5):
        here = slice(4 * update, 4 * update + 4)
        state = None
        for x in drawn.inputs[:, here]:
            state = model.cell(x, state)
        h = state[0] if isinstance(state, tuple) else state
        optimiser.zero_grad()
        tl.mse_loss(model.head(h), drawn.targets[-1, here]).backward()
        tl.clip_grad_norm(model.parameters(), 1.0)
        optimiser.step()
    ours = found.models[0]
    for path, value in ours.state_dict().items():
        np.testing.assert_allclose(value, model.state_dict()[path], rtol=1e-9, atol=1e-12, err_msg=path)


def test_one_whose_gradient_is_not_finite_stays_and_the_others_go_on():
    w = tl.tensor(np.ones((3, 2, 2)), requires_grad=True)
    w.grad = np.array([np.full((2, 2), 0.1), np.full((2, 2), np.nan), np.full((2, 2), np.inf)])
    norms = clip_each([w], 1.0)
    assert norms[0] == pytest.approx(0.2)
    assert not np.isfinite(norms[1:]).any()
    np.testing.assert_array_equal(w.grad.value, [np.full((2, 2), 0.1), np.zeros((2, 2)), np.zeros((2, 2))])


def test_each_is_clipped_by_its_own_norm_over_all_parameters(rng):
    shapes = ((4, 3, 2), (4, 1, 2))
    parameters = [tl.tensor(np.zeros(shape), requires_grad=True) for shape in shapes]
    gradients = [rng.normal(size=shape) * np.array([0.01, 1, 10, 100]).reshape(4, 1, 1) for shape in shapes]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    norms = clip_each(parameters, 2.0)
    for k in range(4):
        alone = [tl.tensor(np.zeros(shape[1:]), requires_grad=True) for shape in shapes]
        for parameter, gradient in zip(alone, gradients, strict=True):
            parameter.grad = gradient[k]
        assert norms[k] == pytest.approx(tl.clip_grad_norm(alone, 2.0))
        for ours, theirs in zip(parameters, alone, strict=True):
            np.testing.assert_allclose(ours.grad.value[k], theirs.grad.value, rtol=1e-12)


def test_those_that_are_kept_keep_what_their_optimiser_knows(rng):
    layers = [tl.Linear(3, 2, rng=seed) for seed in range(3)]
    everyone = side_by_side(layers)
    optimiser = AdamSideBySide(everyone.parameters(), [0.1, 0.2, 0.3])
    xs = rng.normal(size=(3, 4, 3))

    def step(model, optimiser, xs):
        optimiser.zero_grad()
        (model(tl.tensor(xs)) ** 2).sum().backward()
        optimiser.step()

    step(everyone, optimiser, xs)
    fewer = some_of(everyone, [2, 0])
    kept = optimiser.keep([2, 0], fewer.parameters())
    step(everyone, optimiser, xs)
    step(fewer, kept, xs[[2, 0]])
    np.testing.assert_array_equal(fewer.weight.value, everyone.weight.value[[2, 0]])
    np.testing.assert_array_equal(fewer.bias.value, everyone.bias.value[[2, 0]])


def test_only_equal_modules_stand_side_by_side():
    with pytest.raises(ValueError, match="same paths and shapes"):
        side_by_side([tl.Linear(3, 2, rng=0), tl.Linear(3, 4, rng=0)])
    with pytest.raises(ValueError, match="at least one"):
        side_by_side([])
