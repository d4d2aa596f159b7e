"""A module of PyTorch's becomes ours: the same outputs and gradients in float64, and PyTorch takes its weights back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence

import tinygrad_lstm as tl

BOUND = 1e-10

LAYERS = st.fixed_dictionaries(
    {
        "num_layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "bias": st.booleans(),
        "batch_first": st.booleans(),
    },
)
OPTIONS: dict[type[nn.Module], st.SearchStrategy[dict[str, Any]]] = {
    nn.RNN: st.tuples(LAYERS, st.sampled_from(["tanh", "relu"])).map(lambda two: two[0] | {"nonlinearity": two[1]}),
    nn.GRU: LAYERS,
    nn.LSTM: st.tuples(LAYERS, st.integers(0, 2)).map(lambda two: two[0] | {"proj_size": two[1]}),
    nn.RNNCell: st.fixed_dictionaries({"bias": st.booleans(), "nonlinearity": st.sampled_from(["tanh", "relu"])}),
    nn.GRUCell: st.fixed_dictionaries({"bias": st.booleans()}),
    nn.LSTMCell: st.fixed_dictionaries({"bias": st.booleans()}),
    nn.Linear: st.fixed_dictionaries({"bias": st.booleans()}),
}


def flat(result: Any) -> list[Any]:
    return [part for each in result for part in flat(each)] if isinstance(result, tuple | list) else [result]


def require_same(ours: tl.nn.Module, theirs: nn.Module, *inputs: Any) -> None:
    """Outputs, and the gradients of every parameter and of real inputs, relative to the largest number."""
    mine = [tl.tensor(x, requires_grad=True) if x.dtype == np.float64 else x for x in inputs]
    other = [torch.tensor(x, requires_grad=x.dtype == np.float64) for x in inputs]
    results, their_results = flat(ours(*mine)), flat(theirs(*other))
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=tuple(result.shape)) for result in their_results]
    ours.zero_grad()
    theirs.zero_grad()
    sum(((r * r + r) * w).sum() for r, w in zip(results, weights, strict=True)).backward()
    sum(((r * r + r) * torch.from_numpy(w)).sum() for r, w in zip(their_results, weights, strict=True)).backward()
    gradients = tl.to_torch(ours, gradients=True)
    pairs = [(r.value, r_theirs) for r, r_theirs in zip(results, their_results, strict=True)]
    pairs += [(x.grad.value, x_theirs.grad) for x, x_theirs in zip(mine, other, strict=True) if x_theirs.requires_grad]
    pairs += [(gradients[name], parameter.grad) for name, parameter in theirs.named_parameters()]
    for ours_is, theirs_is in pairs:
        exact = theirs_is.detach().numpy()
        assert ours_is.shape == exact.shape
        assert abs(ours_is - exact).max(initial=0) <= BOUND * max(1.0, abs(exact).max(initial=0))


def taken_back(ours: tl.nn.Module, theirs: nn.Module) -> None:
    """Load ours into theirs by PyTorch's own names, strictly."""
    arrays = tl.to_torch(ours)
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})


@pytest.mark.parametrize("cls", OPTIONS, ids=lambda cls: cls.__name__)
@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_outputs_and_gradients_are_pytorchs_and_weights_go_back(cls: type[nn.Module], data: st.DataObject) -> None:
    how, seed = data.draw(OPTIONS[cls]), data.draw(st.integers(0, 2**31))
    torch.manual_seed(seed)
    theirs = cls(2, 3, **how, dtype=torch.float64)
    ours = tl.from_torch(theirs)
    assert type(ours).__name__ == cls.__name__
    xs = np.random.default_rng(seed).normal(size=(2, 2) if "Cell" in cls.__name__ else (4, 3, 2))
    require_same(ours, theirs, xs)
    again = cls(2, 3, **how, dtype=torch.float64)
    taken_back(ours, again)
    require_same(ours, again, xs)


class Tagger(nn.Module):
    """A network as people write them: settings, a buffer, its own parameter, a helper, nested parts, a tied weight."""

    def __init__(self) -> None:
        super().__init__()
        self.units = 4
        self.words = nn.Embedding(9, 4, padding_idx=0)
        self.encoder = nn.LSTM(4, 4, num_layers=2, batch_first=True, bidirectional=True, dropout=0.5)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.LayerNorm(8)) for _ in range(2)])
        self.heads = nn.ModuleDict({"down": nn.Linear(8, 4)})
        self.scores = nn.Linear(4, 9)
        self.scores.weight = self.words.weight
        self.scale = nn.Parameter(torch.ones(8))
        self.register_buffer("mask", torch.tensor([1.0, 0.0] * 4))

    def squashed(self, y: Any) -> Any:
        return F.relu(torch.tanh(y) * self.scale + self.mask)

    def forward(self, words: Any) -> Any:
        y, (h, c) = self.encoder(F.dropout(self.words(words), 0.5, self.training))
        for block in self.blocks:
            y = block(self.squashed(y))
        y = torch.cat([y, -y], dim=-1)[..., :8].view(y.size(0), -1, 2 * self.units)
        return self.scores(self.heads["down"](y)), h, torch.softmax(c, dim=-1)


def test_a_module_of_the_users_class_computes_by_its_own_forward() -> None:
    torch.manual_seed(0)
    theirs = Tagger().double().eval()
    ours = tl.from_torch(theirs)
    assert (type(ours).__name__, ours.training, ours.blocks[1][0].training) == ("Tagger", False, False)
    assert ours.scores.weight is ours.words.weight
    require_same(ours, theirs, np.array([[1, 2, 3], [4, 5, 0]]))
    assert {name for name, _ in ours.named_modules()} >= {"encoder", "blocks.1.0", "heads.down"}


class Classifier(nn.Module):
    """A network as tutorials have it; what each does with the layers is its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 4
        self.lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True)
        self.cell = nn.LSTMCell(3, 4)
        self.words = nn.Embedding(9, 3, padding_idx=0)
        self.scores = nn.Linear(4, 2)
        self.W, self.U = nn.Parameter(torch.randn(3, 16)), nn.Parameter(torch.randn(4, 16))


class ZerosOnTheDevice(Classifier):
    def forward(self, x: Any) -> Any:
        h = torch.zeros(2, x.size(0), self.hidden).to(x.device)
        y, _ = self.lstm(x, (h, torch.zeros_like(h, device=x.device)))
        return self.scores(y[:, -1, :])


class ZerosOfTheParameters(Classifier):
    def forward(self, x: Any) -> Any:
        weight = next(self.parameters())
        self.lstm.flatten_parameters()
        _, (h, _) = self.lstm(x.to(weight.device), (weight.new_zeros(2, len(x), 4), x.new_ones((2, len(x), 4))))
        return self.scores(h[-1])


class LoopOfACell(Classifier):
    def forward(self, x: Any) -> Any:
        h = c = torch.zeros(x.size(0), self.hidden)
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], (h, c))
        return torch.stack([h, c]).contiguous()


class OwnWeights(Classifier):
    def forward(self, x: Any) -> Any:
        N, T, H = x.size(0), x.size(1), self.hidden
        h, c = torch.zeros(N, H), torch.zeros(N, H)
        for t in range(T):
            gates = x[:, t, :] @ self.W + h @ self.U
            i, f = torch.sigmoid(gates[:, :H]), torch.sigmoid(gates[:, H : 2 * H])
            g, o = torch.tanh(gates[:, 2 * H : 3 * H]), torch.sigmoid(gates[:, 3 * H :])
            c = f * c + i * g
            h = o * torch.tanh(c)
        return h


class MaskedMean(Classifier):
    def forward(self, words: Any) -> Any:
        mask = (words != 0).double()
        y, _ = self.lstm(self.words(words))
        return (y * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)


class PackedWithin(Classifier):
    def forward(self, x: Any, lengths: Any) -> Any:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, (h, _) = self.lstm(packed)
        y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, padding_value=-1.0, total_length=6)
        return y, self.scores(h[-1])


REAL = np.random.default_rng(0).normal(size=(4, 5, 3))

FORWARDS: dict[type[Classifier], tuple[Any, ...]] = {
    **dict.fromkeys((ZerosOnTheDevice, ZerosOfTheParameters, LoopOfACell, OwnWeights), (REAL,)),
    MaskedMean: (np.array([[1, 2, 0], [3, 0, 0]]),),
    PackedWithin: (REAL, torch.tensor([2, 5, 1, 5])),
}


@pytest.fixture
def in_float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("cls", FORWARDS, ids=lambda cls: cls.__name__)
def test_forwards_as_tutorials_have_them_run_as_they_are(cls: type[Classifier], in_float64: None) -> None:
    torch.manual_seed(0)
    theirs = cls()
    ours, given = tl.from_torch(theirs), FORWARDS[cls]
    asked = [torch.as_tensor(x) for x in given]
    for inputs in (given, asked):  # numpy's arrays, or PyTorch's tensors
        mine, exact = flat(ours(*inputs)), flat(theirs(*asked))
        for one, other in zip(mine, exact, strict=True):
            assert abs(one.value - other.detach().numpy()).max() <= BOUND
    sum((y * y).sum() for y in mine).backward()
    sum((y * y).sum() for y in exact).backward()
    learned = [(ours, name) for name in ("W", "U") if theirs.get_parameter(name).grad is not None]
    pairs = [(getattr(part, name).grad.value, theirs.get_parameter(name).grad) for part, name in learned]
    for name, part in theirs.named_children():
        if next(part.parameters()).grad is not None:
            gradients = tl.to_torch(getattr(ours, name), gradients=True)
            pairs += [(gradients[each], parameter.grad) for each, parameter in part.named_parameters()]
    assert len(pairs) >= 2
    for one, other in pairs:
        assert abs(one - other.numpy()).max() <= BOUND * max(1.0, abs(other.numpy()).max())


def test_a_type_that_a_forward_asks_for_is_told_how() -> None:
    class Typed(Classifier):
        def forward(self, x: Any) -> Any:
            return torch.zeros(2, dtype=x.dtype) + x

    with pytest.raises(TypeError, match=r"x\.dtype is numpy's here; x\.new_zeros\(2, 3\) makes one of the type of x"):
        tl.from_torch(Typed())(REAL)


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_packed_sequences_go_in_and_come_out_as_there(data: st.DataObject) -> None:
    how = data.draw(LAYERS)
    lengths = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    cls = data.draw(st.sampled_from([nn.RNN, nn.GRU, nn.LSTM]))
    theirs = cls(2, 3, **how, dtype=torch.float64)
    ours, rng = tl.from_torch(theirs), np.random.default_rng(len(lengths))
    packed = pack_sequence([torch.from_numpy(rng.normal(size=(n, 2))) for n in lengths], enforce_sorted=False)
    state = torch.from_numpy(rng.normal(size=(how["num_layers"] * (1 + how["bidirectional"]), len(lengths), 3)))
    begun = (state, 2 * state) if cls is nn.LSTM else state
    for given_state in ((), (begun,)):
        mine, exact = ours(packed, *given_state), theirs(packed, *given_state)
        assert isinstance(mine[0], PackedSequence)
        assert mine[0].batch_sizes.tolist() == exact[0].batch_sizes.tolist()
        for one, other in zip([mine[0].data, *flat(mine[1])], [exact[0].data, *flat(exact[1])], strict=True):
            assert abs(one.value - other.detach().numpy()).max() <= BOUND
    unpacked, counts = pad_packed_sequence(mine[0])
    exact_unpacked, exact_counts = pad_packed_sequence(exact[0])
    assert counts.tolist() == exact_counts.tolist()
    assert abs(unpacked.value - exact_unpacked.detach().numpy()).max() <= BOUND


def test_lengths_that_cannot_be_packed_are_one_line() -> None:
    xs = tl.tensor(REAL)
    for lengths in ([1, 5, 2, 2], [6, 5, 1, 1], [5, 0, 0, 0]):
        with pytest.raises(ValueError, match=r"are from 1 to T, longest first, not \["):
            pack_padded_sequence(xs, lengths, batch_first=True)


BETWEEN = [
    *(nn.Softplus(), nn.Softplus(1, 20), nn.ReLU6(), nn.Hardswish(), nn.Mish(), nn.SELU(), nn.Hardtanh(-1, 1)),
    *(nn.GELU(), nn.GELU(approximate="tanh"), nn.Softmax(-1), nn.LogSoftmax(-1), nn.Flatten(), nn.ELU(0.5)),
    *(nn.LeakyReLU(0.2), nn.LogSigmoid(), nn.Softsign(), nn.SiLU(), nn.ReLU(), nn.Identity()),
]
"""But not Hardsigmoid, whose gradient PyTorch takes with a 1/6 in float32."""


@pytest.mark.parametrize("layer", BETWEEN, ids=repr)
def test_what_stands_between_layers_computes_the_same(layer: nn.Module) -> None:
    x = 4 * np.random.default_rng(0).normal(size=(3, 4, 5))
    theirs = nn.Sequential(nn.Linear(5, 5), layer).double()
    require_same(tl.from_torch(theirs), theirs, x)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5)])
@pytest.mark.parametrize("affine", [True, False])
def test_a_batch_norm_is_that_of_evaluation_and_its_buffers_go_both_ways(affine: bool, shape: tuple[int, ...]) -> None:
    rng, theirs = np.random.default_rng(0), nn.BatchNorm1d(3, affine=affine, dtype=torch.float64)
    for _ in range(5):
        theirs(torch.from_numpy(rng.normal(2.0, 3.0, size=shape)))
    with pytest.raises(ValueError, match="the module is a BatchNorm1d with training=True"):
        tl.from_torch(theirs)
    ours = tl.from_torch(theirs.eval())
    require_same(ours, theirs, rng.normal(size=shape))
    again = nn.BatchNorm1d(3, affine=affine, dtype=torch.float64)
    taken_back(ours, again)
    assert {name: each.tolist() for name, each in again.state_dict().items()} == {
        name: each.tolist() for name, each in theirs.state_dict().items()
    }
    with pytest.raises(ValueError, match=r"call model\.eval\(\) first"):
        ours.train()(rng.normal(size=shape))


def test_buffers_stand_in_state_dicts_and_come_back_unless_they_do_not_persist() -> None:
    torch.manual_seed(0)
    theirs = Tagger().double()
    theirs.register_buffer("steps", torch.tensor(3))
    theirs.register_buffer("passing", torch.ones(2), persistent=False)
    ours = tl.from_torch(theirs)
    taken_back(ours, theirs)
    changed = {name: 2 * each for name, each in theirs.state_dict().items()}
    tl.from_torch(changed, into=ours)
    assert (ours.mask.tolist(), int(ours.steps)) == ([2.0, 0.0] * 4, 6)
    with pytest.raises(ValueError, match=r"mask has shape \(3,\), not \(8,\)"):
        tl.from_torch({**changed, "mask": torch.ones(3)}, into=ours)


def test_type_mode_and_what_is_frozen_are_theirs() -> None:
    theirs = nn.Sequential(nn.Embedding(5, 2), nn.LSTM(2, 3))
    theirs[0].requires_grad_(False)
    theirs[1].eval()
    ours = tl.from_torch(theirs)
    assert [parameter.dtype for parameter in ours.parameters()] == [np.float32] * 9
    assert [parameter.requires_grad for parameter in ours.parameters()] == [False] + [True] * 8
    assert [part.training for part in (ours, ours[0], ours[1], ours[1].cell)] == [True, True, False, False]


def test_what_is_shared_stays_shared() -> None:
    cell, one, other = nn.GRUCell(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
    other.weight = one.weight
    ours = tl.from_torch(nn.ModuleList([cell, one, cell, other]).double())
    assert ours[0] is ours[2]
    assert ours[1].weight is ours[3].weight
    assert ours[1].bias is not ours[3].bias
    taken_back(ours, nn.ModuleList([cell, one, cell, other]))


class Folded(nn.LSTM):
    pass


class Recipe(nn.Module):
    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


def hooked() -> nn.Module:
    layer = nn.Linear(1, 1)
    layer.register_forward_hook(lambda *_: None)
    return layer


def hidden() -> nn.Module:
    module = Recipe()
    module.layers = [nn.Linear(1, 1)]  # in a list, which PyTorch does not look into
    return module


def half_shared() -> nn.Module:
    one, other = nn.LSTM(2, 2), nn.LSTM(2, 2)
    other.weight_hh_l0 = one.weight_hh_l0
    return Recipe(one=one, other=other)


UNKNOWN = {
    "convolution": (lambda: nn.Conv1d(1, 1, 1), "encoder.deep is a Conv1d"),
    "derived": (lambda: Folded(1, 1), "encoder.deep is a Folded, derived from LSTM"),
    "weight norm": (
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)),
        "encoder.deep is a ParametrizedLinear, derived from Linear",
    ),
    "half": (
        lambda: nn.LSTM(2, 2).half(),
        r"encoder.deep is float16, and weights are float32 or float64: module.float",
    ),
    "bfloat16": (lambda: nn.GRU(2, 2).bfloat16(), r"encoder.deep is bfloat16, and"),
    "hook": (hooked, "encoder.deep has hooks, which would not run"),
    "softmax": (nn.Softmax, "encoder.deep is a Softmax with dim=None"),
    "max norm": (lambda: nn.Embedding(2, 2, max_norm=1.0), "encoder.deep is a Embedding with max_norm=1.0"),
    "dropout": (lambda: nn.Dropout(1.0), r"encoder.deep is a Dropout that cannot be made: p must be in \[0, 1\)"),
    "shared in part": (half_shared, "encoder.deep.other shares weight_hh_l0 alone with encoder.deep.one.weight_hh_l0"),
    "hidden": (hidden, "encoder.deep cannot be made: what its layers holds learns, and is no part that PyTorch finds"),
    "around": (
        lambda: nn.DataParallel(nn.LSTM(2, 2)),
        "deep is a DataParallel around a module: give its module",
    ),
    "compiled": (
        lambda: torch.compile(nn.Linear(1, 1)),
        "a OptimizedModule around a module: give its _orig_mod",
    ),
    "without sizes": (lambda: nn.LazyLinear(2), "deep is a LazyLinear without sizes: call the module once, then"),
    "quantized": (
        lambda: torch.ao.nn.quantized.dynamic.Linear(2, 2),
        r"deep is a Linear of torch\.ao\.nn\.quantized\.dynamic",
    ),
    "meta": (lambda: nn.Linear(2, 2, device="meta"), "encoder.deep.weight cannot be read"),
}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of PyTorch's own
@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_named_with_its_path(name: str) -> None:
    make, words = UNKNOWN[name]
    with pytest.raises(ValueError, match=words) as raised:
        tl.from_torch(Recipe(encoder=Recipe(deep=make(), fine=nn.LSTM(1, 1))))
    assert str(raised.value).isprintable()
    assert "fine" not in str(raised.value)


def test_all_that_is_not_known_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"^not known here: 0 is a Conv1d; 1 .*; 2 .*; 3 .* and 2 more; nothing was"):
        tl.from_torch(nn.Sequential(*(nn.Conv1d(1, 1, 1) for _ in range(6))))


def test_what_is_compiled_and_compared_takes_pytorchs_tensors() -> None:
    torch.manual_seed(0)
    for theirs, x in ((nn.LSTM(3, 4), torch.randn(5, 2, 3)), (Tagger().eval(), torch.tensor([[1, 2, 0]]))):
        ours = tl.from_torch(theirs)
        fast = tl.compile(ours)
        for given_x in (x, x, x.numpy()):
            assert torch.allclose(fast(given_x)[0], theirs(x)[0], atol=1e-5)
            assert not torch.allclose(theirs(x)[0] + 1, fast(given_x)[0], atol=1e-5)
    assert torch.equal(ours(x)[0], ours(x)[0])


LOOSE = nn.Parameter(torch.ones(2))


class Leaking(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * LOOSE


class Foreign(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.fft.fft(x)


def test_a_forward_that_would_lose_a_gradient_or_calls_what_is_not_ours_is_refused_in_a_line() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="requires a gradient meets one of tinygrad_lstm, and would get none"):
        tl.from_torch(Leaking())(x)
    with pytest.raises(TypeError, match=r"an input tl\.tensor\(x\.detach\(\), requires_grad=True\)$"):
        tl.from_torch(nn.RNN(1, 1))(torch.ones(2, 1, requires_grad=True))
    with pytest.raises(
        TypeError, match="torch's fft_fft is given a tensor of tinygrad_lstm, and is no operation of it"
    ):
        tl.from_torch(Foreign())(x)


def test_state_dicts_of_tensors_are_taken_too() -> None:
    theirs = nn.LSTM(3, 4, proj_size=2, dtype=torch.float64)
    ours = tl.from_torch(theirs.state_dict(), into=tl.LSTM(3, 4, proj_size=2))
    require_same(ours, theirs, np.random.default_rng(0).normal(size=(3, 2, 3)))
    assert tl.from_torch(theirs, into=ours) is ours
    with pytest.raises(ValueError, match="weight_ih_l0 is bfloat16, and weights are float32 or float64"):
        tl.from_torch(nn.LSTM(3, 4, proj_size=2).bfloat16().state_dict(), into=ours)


def test_files_of_pytorchs_cut_anywhere_are_told_and_nothing_in_them_runs(tmp_path: Path) -> None:
    run, path, ours = tmp_path / "run", tmp_path / "model.pt", tl.LSTM(8, 16, rng=0)

    class Hostile:
        def __reduce__(self) -> Any:
            return Path.touch, (run,)

    before = tl.to_torch(ours)
    for saved, how in (
        (nn.LSTM(8, 16).state_dict(), {}),
        ({"state_dict": Hostile(), "weights": torch.ones(2000)}, {}),
        (nn.LSTM(8, 16).state_dict(), {"_use_new_zipfile_serialization": False}),
    ):
        torch.save(saved, path, **how)
        whole = path.read_bytes()
        assert len(whole) > 7000
        for length in (*range(1000, len(whole), 1000), len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(
                ValueError, match=r"but one of PyTorch's: torch\.load\(path, weights_only=True\) reads it"
            ):
                tl.load(path, into=ours)
    assert not run.exists()
    for name, array in tl.to_torch(ours).items():
        assert np.array_equal(array, before[name])


def _module(forward, **parts):
    """A module of a user's class with this forward and these parts."""
    made = type("Mine", (torch.nn.Module,), {"forward": forward})()
    for name, part in parts.items():
        setattr(made, name, part)
    return made


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return -g


def _without_gradients(self, x):
    with torch.no_grad():
        return self.part(x)


MEANS_SOMETHING_ELSE = {
    "a turned matrix": (lambda self, x: torch.nn.functional.linear(x, self.part.weight), "reads part.weight"),
    "a turned matrix by another name": (lambda self, x: [x @ each.weight for each in [self.part]], "a layer.weight"),
    "gradients switched off": (_without_gradients, "switches PyTorch's gradients"),
    "gradients switched off by a decorator": (torch.no_grad()(lambda self, x: self.part(x)), "switches PyTorch's"),
    "a Function": (lambda self, x: _Reversal.apply(self.part(x)), "calls _Reversal, whose backward would not run"),
}


@pytest.mark.parametrize("what", MEANS_SOMETHING_ELSE)
def test_a_forward_that_would_mean_something_else_is_refused(what):
    forward, words = MEANS_SOMETHING_ELSE[what]
    with pytest.raises(ValueError, match=words):
        tl.from_torch(_module(forward, part=torch.nn.Linear(3, 3)))


def test_weights_that_stand_as_they_do_there_may_be_read():
    theirs = _module(
        lambda self, x: torch.nn.functional.linear(self.part(x) @ self.weight, self.rows.weight),
        part=torch.nn.Linear(3, 3),
        rows=torch.nn.Embedding(5, 3),
        weight=torch.nn.Parameter(torch.randn(3, 3)),
    )
    x = torch.randn(2, 3)
    np.testing.assert_allclose(tl.from_torch(theirs)(x).value, theirs(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_what_was_replaced_on_one_module_or_weight_is_refused():
    other, hooked = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
    other.forward = lambda x: x
    hooked.weight.register_hook(lambda g: 2 * g)
    for theirs, words in ((other, "another forward"), (hooked, "a weight with a hook")):
        with pytest.raises(ValueError, match=words):
            tl.from_torch(torch.nn.Sequential(theirs))


def test_buffers_are_asked_for_as_weights_are():
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).eval()
    ours, state = tl.from_torch(theirs), theirs.state_dict()
    before = ours[0].weight.value.copy()
    for name, wrong in (("1.running_var", None), ("1.running_mean", torch.zeros(4, dtype=torch.float16))):
        given = {each: array + 1 for each, array in state.items() if each != name or wrong is not None}
        with pytest.raises(ValueError, match=name):
            tl.from_torch(given | ({} if wrong is None else {name: wrong}), into=ours)
    np.testing.assert_array_equal(ours[0].weight.value, before)


def test_buffers_are_not_lost_where_a_model_is_saved(tmp_path):
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).eval()
    theirs[1].running_var += 3
    ours, again = (
        tl.from_torch(theirs),
        tl.from_torch(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).eval()),
    )
    assert set(ours.state_dict()) == {"0.weight", "0.bias", *(f"1.{name}" for name in theirs[1].state_dict())}
    assert {name: each.dtype for name, each in ours.state_dict().items() if "tracked" in name} == {
        "1.num_batches_tracked": np.int64
    }
    assert tl.load(tl.save(ours, tmp_path / "model.safetensors"), into=again) is again
    assert tl.to_torch(again).keys() == theirs.state_dict().keys()
    for name, array in tl.to_torch(again).items():
        np.testing.assert_array_equal(array, theirs.state_dict()[name].numpy())
    with pytest.raises(ValueError, match=r"missing: 1\.running_var"):
        again.load_state_dict({name: each for name, each in ours.state_dict().items() if "var" not in name})
    with pytest.raises(TypeError, match=r"1\.num_batches_tracked: these are float64, not int64"):
        again.load_state_dict(ours.state_dict() | {"1.num_batches_tracked": 0.5})
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    np.testing.assert_array_equal(again(x).value, ours(x).value)


def test_a_compiled_module_computes_with_the_buffers_of_now():
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).double().eval()
    ours, x = tl.from_torch(theirs), np.random.default_rng(0).normal(size=(5, 3))
    fast = tl.compile(ours)
    fast(x)
    ours.load_state_dict(ours.state_dict() | {"1.running_mean": np.ones(4)})
    np.testing.assert_allclose(fast(x).value, ours(x).value, rtol=1e-12)


class Half(torch.nn.Module):
    """A network of which a part is frozen, and another not used."""

    def __init__(self):
        super().__init__()
        self.words, self.lstm = torch.nn.Embedding(5, 3), torch.nn.LSTM(3, 4)
        self.spare, self.scores = torch.nn.Linear(2, 2), torch.nn.Linear(4, 2)

    def forward(self, words):
        return self.scores(self.lstm(self.words(words))[0])


def test_gradients_are_those_that_pytorch_has_without_what_is_frozen_or_not_used():
    torch.manual_seed(0)
    theirs, words = Half().double(), torch.tensor([[1, 2], [3, 0], [0, 4]])
    theirs.words.weight.requires_grad_(False)
    theirs.lstm.bias_hh_l0.requires_grad_(False)
    ours = tl.from_torch(theirs)
    with pytest.raises(ValueError, match=r"^no parameter of Half has a gradient yet; call loss\.backward\(\) first$"):
        tl.to_torch(ours, gradients=True)
    (ours(words) ** 2).sum().backward()
    (theirs(words) ** 2).sum().backward()
    exact = {name: each.grad for name, each in theirs.named_parameters() if each.grad is not None}
    found = tl.to_torch(ours, gradients=True)
    assert found.keys() - exact.keys() == {"lstm.bias_hh_l0"}  # here the two biases are one, which learns
    for name, gradient in exact.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-10, atol=1e-12)


class Holding(torch.nn.Module):
    """A network with lists and dicts of parameters, which hold other things too."""

    def __init__(self) -> None:
        super().__init__()
        self.ws = nn.ParameterList([nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(3)), 2.0])
        self.by_name = nn.ParameterDict(
            {"w": nn.Parameter(torch.randn(3)), "scale": 2.0, "0": nn.Parameter(torch.ones(3))}
        )
        self.numbered = nn.ParameterDict({"0": nn.Parameter(torch.randn(3)), "1": nn.Parameter(torch.randn(3))})
        self.nested = nn.ParameterList([nn.ParameterList([nn.Parameter(torch.randn(3))])])

    def forward(self, x: Any) -> Any:
        for w in self.ws[1:]:
            x = x * w
        for name in self.numbered:
            x = x + self.numbered[name] * self.ws[-1]
        for name, w in self.by_name.items():
            x = x + w * len(name)
        assert "w" in self.by_name
        assert "x" not in self.by_name
        assert self.by_name.get("x") is None
        return x * self.by_name["scale"] + self.nested[0][0] + self.ws[0]


def test_lists_and_dicts_of_parameters_hold_what_they_hold_there() -> None:
    torch.manual_seed(0)
    theirs = Holding().double()
    ours = tl.from_torch(theirs)
    require_same(ours, theirs, np.random.default_rng(0).normal(size=(2, 3)))
    taken_back(ours, theirs)
    assert (ours.ws[2], ours.by_name["scale"], [*ours.numbered]) == (2.0, 2.0, ["0", "1"])
    with pytest.raises(KeyError, match="x"):
        ours.by_name["x"]


def test_a_list_of_parameters_that_hides_one_is_refused_by_its_path() -> None:
    theirs = nn.Sequential(
        nn.ParameterDict({"w": nn.Parameter(torch.ones(1)), "hidden": [nn.Parameter(torch.ones(1))]})
    )
    with pytest.raises(ValueError, match="0 cannot be made: what its hidden holds learns"):
        tl.from_torch(theirs)


class Running(torch.nn.Module):
    """A network that keeps a mean of what it has seen, without a gradient, and the last of it, with one."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.register_buffer("run", torch.zeros(3))
        self.register_buffer("passing", torch.zeros(3), persistent=False)
        self.register_buffer("last", torch.zeros(3))
        self.register_buffer("count", torch.tensor(0))

    def forward(self, x: Any) -> Any:
        y = self.layer(x)
        self.run = 0.9 * self.run + 0.1 * y.detach().mean(0)
        self.passing = self.passing + y.detach().sum(0)
        self.last = y.mean(0)
        self.count = self.count + 1
        return y - self.run + self.last * self.passing


def test_a_buffer_that_a_forward_computes_is_saved_and_loaded_and_has_no_history(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs, x = Running().double(), np.random.default_rng(0).normal(size=(4, 3))
    ours = tl.from_torch(theirs)
    for _ in range(3):
        require_same(ours, theirs, x)  # of what a buffer holds a gradient flows to what follows, as there
        assert ours.run.is_leaf
        assert ours.passing.is_leaf
    before = {name: each.copy() for name, each in ours.state_dict().items()}
    assert before.keys() == theirs.state_dict().keys()
    path = tl.save(ours, tmp_path / "running.safetensors")
    for load in (
        lambda into: tl.load(path, into=into),
        lambda into: into.load_state_dict(before),
        lambda into: tl.from_torch(theirs.state_dict(), into=into),
        lambda into: tl.from_torch(theirs, into=into),
    ):
        for into in (ours, tl.from_torch(Running().double())):
            into(x + 1)
            load(into)
            for name, array in before.items():
                np.testing.assert_allclose(into.state_dict()[name], array, rtol=1e-12)
            assert into.last.is_leaf


@pytest.mark.parametrize("learns", [["weight_ih", "weight_hh"], ["bias_ih", "bias_hh"], ["weight_hr"]], ids=str)
def test_gradients_of_one_kind_are_under_names_of_that_kind(learns: list[str]) -> None:
    """Of a matrix that acts on [h, x] both parts learn, and of two biases that add up."""
    for theirs in (nn.LSTM(2, 3, proj_size=2), nn.GRU(2, 3), nn.RNN(2, 3)):
        names = {name for name, _ in theirs.named_parameters() if name.startswith(tuple(learns))}
        for name, each in theirs.named_parameters():
            each.requires_grad_(name in names and name != "bias_hh_l0")
        if names:
            ours = tl.from_torch(theirs)
            ours(torch.ones(4, 1, 2))[0].sum().backward()
            assert tl.to_torch(ours, gradients=True).keys() == names
