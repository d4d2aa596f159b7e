"""What people write for PyTorch runs as it stands: the same outputs and gradients; what there is not is named."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from forwards import FORWARDS
from torch import nn

import tinygrad_lstm as tl
from tinygrad_lstm import from_torch  # before any test, which forgets what it registers

BOUND = 1e-10
CERTAIN = torch.tensor([-40.0, -30, 0, 40]) * torch.tensor([[1.0], [-1], [20]])
MASK, AT = torch.rand(2, 3, 4) > 0.5, torch.randint(0, 4, (2, 3, 4))

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "unbind": lambda a: torch.stack([*torch.unbind(a, 1), *a.unbind(1)]),
    "gather": lambda a: torch.gather(a, 2, AT) + a.gather(1, AT % 3),
    "gather of fewer": lambda a: a.gather(1, AT[:1, :2, :3] % 3),
    "take_along_dim": lambda a: torch.take_along_dim(a, AT, 2),
    "take": lambda a: torch.take(a, torch.tensor([0, 1, 23])),
    "masked_select": lambda a: torch.masked_select(a, MASK),
    "where": lambda a: torch.where(MASK, a, torch.zeros_like(a)) + torch.where(a > 0, a, 0.0),
    "where of a constant": lambda a: torch.where(MASK, torch.tensor(2.0), a),
    "where as a method": lambda a: a.where(MASK, a * a) + torch.ones(2, 3, 4).where(MASK, a),
    "comparisons": lambda a: (a > 0).double() * a + torch.le(a, 1).double() * a + a.ne(0).double() * a,
    "pad": lambda a: F.pad(a, (1, 2)) + F.pad(a, (3, 0), value=3.0),
    "pad of steps": lambda a: F.pad(a, (0, -1, 1, 0), "constant", 2.0),
    "select": lambda a: torch.select(a, 1, 0) * a.select(1, 2),
    "narrow": lambda a: a.narrow(2, 1, 2) + torch.narrow(a, -1, 0, 2) + a.narrow(2, -2, 2) + a.narrow(-1, 2, 2),
    "roll": lambda a: torch.roll(a, 1, 1) * a.roll(2, dims=-1) + a.roll(5) + torch.roll(a, (1, -2), (0, 1)),
    "sort": lambda a: a.sort(-1)[0] * torch.sort(a, 1, descending=True).values,
    "topk": lambda a: torch.topk(a, 2, dim=-1)[0] + a.topk(2, largest=False).values,
    "argmax": lambda a: a * F.one_hot(a.argmax(-1), 4) + a.max(1)[1].unsqueeze(1),
    "extremes": lambda a: a.amax(1) + torch.amin(a, dim=(1,), keepdim=True)[:, 0],
    "repeat_interleave": lambda a: a.repeat_interleave(2, 1) + torch.repeat_interleave(a, 2, dim=1),
    "repeat_interleave of all": lambda a: a.repeat_interleave(2),
    "shapes of others": lambda a: a[:, :1].expand_as(MASK) + a.view_as(MASK) + a.reshape(4, 6).reshape_as(MASK),
    "unflatten": lambda a: a.unflatten(2, (2, 2)).movedim(0, 1) + torch.movedim(a.unflatten(-1, (2, 2)), 1, 0),
    "clamps": lambda a: a.clamp_min(0.1) * torch.clamp_max(a, 0.5),
    "rsqrt": lambda a: torch.rsqrt(a * a + 1) + torch.logit(torch.sigmoid(a)),
    "products": lambda a: torch.addmm(a[0], torch.ones(3, 4), torch.eye(4), beta=2) + torch.mv(a[0], a[1, 0])[:, None],
    "baddbmm": lambda a: torch.baddbmm(a, torch.ones(2, 3, 3), a, alpha=0.5),
    "addcmul": lambda a: torch.addcmul(a, a, a + 1, value=2.0) + torch.addcmul(a, torch.ones(4), a),
    "lerp": lambda a: torch.lerp(a, torch.ones(2, 3, 4), 0.3) + torch.lerp(a, 2 * a, a.sigmoid()),
    "alpha": lambda a: torch.sub(a, a * a, alpha=0.5) + torch.add(a, a * a, alpha=2) + torch.rsub(a, 1.0),
    "new": lambda a: a.new_full((2, 3, 4), 2.0) * a + a.new_tensor([1.0, 2, 3, 4]) + torch.full_like(a, 3.0),
    "types": lambda a: torch.ones(4).to(a) * a.double() + torch.ones(4).type_as(a) * a.type_as(MASK.double()),
    "stacks": lambda a: torch.hstack([a, a * a]).sum() + torch.vstack([a, torch.zeros(1, 3, 4)]),
    "norms": lambda a: torch.norm(a, dim=-1) + torch.linalg.norm(a, dim=-1) + torch.linalg.vector_norm(a, dim=-1),
    "normalize": lambda a: F.normalize(a, dim=-1) + F.cosine_similarity(a, a.flip(1) + 1, dim=-1).unsqueeze(-1),
    "activations": lambda a: F.glu(a).sum() + F.mish(a) + F.selu(a) + F.relu6(a) + F.hardswish(a) + F.softmin(a, -1),
    "softplus": lambda a: F.softplus(a, beta=2.0) + F.hardtanh(a, -0.5, 0.5) + F.logsigmoid(a) + F.tanhshrink(a),
    "expit": lambda a: torch.special.expit(a),
    "norms of matrices": lambda a: (
        torch.linalg.norm(a) + torch.linalg.norm(a[0], "fro") + torch.linalg.norm(a[0, 0], 1)
    ),
    "norms of rows": lambda a: torch.linalg.norm(a, 3, dim=-1) + torch.linalg.norm(a, ord=float("inf"), dim=2),
    "embedding of words": lambda a: F.embedding(AT[:, 0] % 3, a[0], padding_idx=-1, sparse=False, max_norm=None),
    "embedding": lambda a: F.embedding(AT[:, 0, 0] % 3, a[0]) + F.embedding(AT[:, 0, 1] % 3, a[1], padding_idx=0),
    "attention": lambda a: F.scaled_dot_product_attention(a, a + 1, a, MASK[:, :, :3] | torch.eye(3).bool()),
    "attention of scores": lambda a: F.scaled_dot_product_attention(a, a, a, torch.ones(3, 3), scale=0.1),
    "binary cross entropy": lambda a: F.binary_cross_entropy(torch.sigmoid(a), MASK.double()),
    "binary cross entropy of certainty": lambda a: F.binary_cross_entropy(
        torch.sigmoid(a * 0 + CERTAIN), torch.tensor([0.0, 1.0, 0.5, 1.0]).expand(2, 3, 4)
    ),
    "filled": lambda a: (
        torch.full_like(a, fill_value=2.0) * a
        + a.new_full(size=(4,), fill_value=3)
        + a.new_full((4,), 1.5, dtype=a.dtype)
    ),
    "filled with places": lambda a: (
        a[a.new_full((2,), 1, dtype=torch.long)] + a[a.new_tensor([1, 0], dtype=torch.long)]
    ),
    "ones of places": lambda a: (
        a[torch.ones_like(a[0, 0, :2], dtype=torch.long)] + torch.zeros_like(a, dtype=torch.float64)
    ),
    "clamps by name": lambda a: a.clamp_min(min=0.0) * torch.clamp_max(a, max=0.5),
    "comparisons by name": lambda a: a.gt(other=0).double() * a + torch.le(input=a, other=0.5).double() * a,
    "moved by name": lambda a: a.movedim(source=0, destination=-1),
    "moved": lambda a: torch.movedim(a, (0, 1), (2, 0)).movedim((-1, 0), (0, 1)) * a,
    "sorts by name": lambda a: a.sort(dim=1, stable=True)[0] + torch.sort(a, stable=True, dim=0, descending=True)[0],
    "products by name": lambda a: (
        torch.addmm(a[0], mat1=torch.ones(3, 4), mat2=torch.eye(4)) + torch.mv(a[0], vec=a[1, 0])[:, None]
    ),
    "batches by name": lambda a: torch.baddbmm(a, batch1=torch.ones(2, 3, 3), batch2=a),
    "sums by name": lambda a: (
        torch.addcmul(a, tensor1=a, tensor2=a + 1) + torch.rsub(a, other=1.0) + torch.add(a, other=a, alpha=2)
    ),
    "stacks by name": lambda a: torch.hstack(tensors=[a, a]).sum() + torch.vstack(tensors=[a, a]),
    "attention by name": lambda a: F.scaled_dot_product_attention(query=a, key=a, value=a),
    "cosine by name": lambda a: F.cosine_similarity(x1=a, x2=a.flip(1) + 1, dim=-1),
    "words": lambda a: (
        torch.clamp(input=a, min=0.0) + torch.sum(input=a, dim=1, keepdim=True) + a.select(dim=1, index=0)[:, None]
    ),
    "largest of two": lambda a: torch.max(a, torch.zeros(1)) + a.max(torch.ones(4)) + torch.min(a, a * a),
    "pad_sequence": lambda a: nn.utils.rnn.pad_sequence([a[0], a[1, :2], torch.ones(1, 4)], padding_value=2.0),
    "einsum": lambda a: torch.einsum("bij,bkj->bik", a, a) + torch.einsum("...i,...i->...", [a, a])[:, None],
}


def flat(result: Any) -> list[Any]:
    return [part for each in result for part in flat(each)] if isinstance(result, tuple | list) else [result]


def near(one: Any, other: Any) -> bool:
    exact = other.detach().numpy()
    return one.shape == exact.shape and abs(one - exact).max(initial=0) <= BOUND * max(1, abs(exact).max(initial=0))


def same(theirs: nn.Module, *given: Any) -> tl.Tensor:
    """Require the same outputs, gradients of inputs and of parameters; return the loss."""
    ours = tl.from_torch(theirs)
    real = [x.is_floating_point() for x in given]
    mine = [tl.tensor(x.numpy(), requires_grad=True) if is_real else x for x, is_real in zip(given, real, strict=True)]
    other = [x.clone().requires_grad_(is_real) for x, is_real in zip(given, real, strict=True)]
    results, exact = flat(ours(*mine)), flat(theirs(*other))
    for one, right in zip(results, exact, strict=True):
        assert near(one.value, right)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=tuple(each.shape)) for each in exact]
    loss = sum((each * each * w + each * w).sum() for each, w in zip(results, weights, strict=True))
    sum(
        (each * each * w + each * w).sum() for each, w in zip(exact, map(torch.tensor, weights), strict=True)
    ).backward()
    loss.backward()
    assert all(near(x.grad.value, right.grad) for x, right in zip(mine, other, strict=True) if right.grad is not None)
    named = theirs.named_parameters(remove_duplicate=False)
    parameters = {name: each.grad for name, each in named if each.grad is not None}
    gradients = tl.to_torch(ours, gradients=True) if parameters else {}
    assert gradients.keys() == parameters.keys()
    for name, right in parameters.items():
        assert near(gradients[name], right), name
    return loss


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Of(nn.Module):
    """A module of one function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *given: Any) -> Any:
        return self.function(*given)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_pytorchs(name: str) -> None:
    same(Of(FUNCTIONS[name]), torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("cls", FORWARDS, ids=lambda cls: cls.__name__)
def test_a_network_runs_as_it_stands(cls: type[nn.Module]) -> None:
    torch.manual_seed(0)
    same(cls().double().eval(), *(x.double() if x.is_floating_point() else x for x in FORWARDS[cls]))


def test_drawn_numbers_have_the_shape_and_type_of_others() -> None:
    drawn = tl.from_torch(Of(lambda a: (torch.rand_like(a), torch.randn_like(a))))(torch.zeros(50, 40))
    assert [each.shape for each in drawn] == [(50, 40)] * 2
    assert 0 <= drawn[0].value.min() < 0.01 < 0.99 < drawn[0].value.max() < 1
    assert abs(drawn[1].value.std() - 1) < 0.1


def filled(a: Any) -> Any:
    out = torch.zeros(2, 3, 4)
    out[:, 0] = a[:, 0]
    return out


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "function": (lambda a: torch.fft.fft(a), TypeError, "torch's fft_fft is given a tensor"),
    "method": (lambda a: a.unfold(1, 2, 1), AttributeError, "a tensor has no 'unfold'"),
    "layer": (lambda a: F.conv1d(a, torch.ones(2, 3, 2)), TypeError, "torch's conv1d is given a tensor"),
    "assignment": (filled, TypeError, "torch's __setitem__ is given a tensor"),
    "type": (lambda a: torch.zeros(2).to(a.dtype), TypeError, "x.dtype is numpy's here; x.new_zeros"),
    "other type": (lambda a: a.float(), TypeError, "keeps its type, float64"),
    "mode": (lambda a: F.pad(a, (1, 1), mode="reflect"), TypeError, "torch's pad with mode='reflect'"),
    "norm of a matrix": (lambda a: torch.linalg.norm(a[0], 2), TypeError, "torch's linalg_norm of matrices with ord=2"),
    "norm of matrices": (lambda a: torch.linalg.norm(a, 1, dim=(0, 1)), TypeError, "torch's linalg_norm of matrices"),
    "max_norm": (lambda a: F.embedding(AT[0, 0] % 3, a[0], None, 1.0), TypeError, "torch's embedding with max_norm"),
    "scale_grad_by_freq": (
        lambda a: F.embedding(AT[0, 0] % 3, a[0], scale_grad_by_freq=True),
        TypeError,
        "torch's embedding with scale_grad_by_freq",
    ),
    "word": (lambda a: a.gather(1, AT % 3, sparse_grad=True), TypeError, "torch's gather() got an unexpected keyword"),
    "word of a lambda": (
        lambda a: torch.amax(a, 1, out=a),
        TypeError,
        "torch's amax() got an unexpected keyword argument 'out'",
    ),
    "lack": (
        lambda a: a.unflatten(1),
        TypeError,
        "torch's unflatten() missing 1 required positional argument: 'sizes'",
    ),
    "chance": (
        lambda a: F.scaled_dot_product_attention(a, a, a, dropout_p=0.5),
        TypeError,
        "torch's scaled_dot_product_attention with dropout_p",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_there_is_not_is_named_with_the_module_and_the_line(name: str) -> None:
    function, error, words = REFUSED[name]
    ours = tl.from_torch(nn.Sequential(nn.Identity(), Of(function)))
    with pytest.raises(error) as raised:
        ours(torch.ones(2, 3, 4))
    line = str(raised.value)
    assert words in line
    assert line.isprintable()
    place = ": in forward of Of in 1, test_torch_forwards.py:"
    assert line.count(place) == 1
    assert line.rpartition(place)[2].isdecimal()


class Timed(nn.Module):
    """A loop of one's own, whose steps are said; PyTorch runs it as well."""

    def __init__(self) -> None:
        super().__init__()
        self.ih, self.hh = nn.Linear(3, 16), nn.Linear(4, 16)

    def forward(self, x: Any) -> Any:
        h = c = torch.zeros(x.size(0), 4)
        for t in range(x.size(1)):
            with tl.time_step(t):
                i, f, g, o = (self.ih(x[:, t]) + self.hh(h)).chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
        return h


def test_steps_that_are_said_in_a_loop_of_ones_own_are_those_of_the_walk_and_the_picture() -> None:
    loss = same(Timed(), torch.randn(2, 5, 3))
    stepper = tl.step(loss)
    assert [(row.time, set(row.norms)) for row in stepper.flow()] == [(t, {"h", "c"}) for t in range(5)]
    assert "delay 1" in tl.draw(loss, "rolled").source


def test_pytorch_is_spoken_within_a_forward_alone() -> None:
    x = tl.tensor([1.0, -1.0])
    tl.from_torch(Of(lambda a: torch.roll(a, 1)))(x)
    assert isinstance(x > 0, np.ndarray)
    with pytest.raises(AttributeError, match="a tensor has no 'roll'"):
        x.roll(1)
    with pytest.raises(ZeroDivisionError):
        tl.from_torch(Of(lambda a: 1 // 0))(x)
    assert isinstance(x.argmax(), np.integer)


@pytest.mark.parametrize(("start", "length"), [(2, 2), (-1, 2), (-4, 1), (4, 0), (0, -1)])
def test_narrow_beyond_the_end_is_refused_as_there(start: int, length: int) -> None:
    theirs = Of(lambda a: a.narrow(1, start, length))
    for module, error in ((theirs, (RuntimeError, IndexError)), (tl.from_torch(theirs), IndexError)):
        with pytest.raises(error):
            module(torch.ones(2, 3, 4))


def test_the_target_of_a_cross_entropy_learns_too_and_slopes_have_slopes() -> None:
    numbers = [np.array([0.2, 0.9, 0.5]), np.array([0.0, 0.7, 1.0])]
    mine, other = (
        [tl.tensor(x, requires_grad=True) for x in numbers],
        [torch.tensor(x).requires_grad_() for x in numbers],
    )
    one = tl.grad(tl.from_torch(Of(F.binary_cross_entropy))(*mine), mine, create_graph=True)
    exact = torch.autograd.grad(F.binary_cross_entropy(*other), other, create_graph=True)
    assert all(near(x.value, right) for x, right in zip(one, exact, strict=True))
    one[0].sum().backward()
    exact[0].sum().backward()
    assert near(mine[0].grad.value, other[0].grad)


def test_a_loss_is_compiled_drawn_and_copied() -> None:
    ours = from_torch(Of(lambda a, t: F.binary_cross_entropy(torch.sigmoid(a), t)))
    a, t = tl.tensor([-1.0, 2.0], requires_grad=True), tl.tensor([0.0, 1.0])
    fast, loss = tl.compile(ours), ours(a, t)
    assert fast(a, t).item() == pytest.approx(loss.item(), rel=1e-12)
    assert fast(2 * a, t).item() == pytest.approx(ours(2 * a, t).item(), rel=1e-12)
    assert "not compiled" not in fast.explain()
    assert "BCE" in tl.draw(loss).source
    assert copy.deepcopy(loss).item() == loss.item()


def of(forward: Callable[[Any, Any], Any], **parts: nn.Module) -> nn.Module:
    """Return a module with a layer and other parts, and a forward."""
    made = type("Mine", (nn.Module,), {"forward": forward})()
    for name, part in {"l": nn.Linear(4, 4), **parts}.items():
        setattr(made, name, part)
    return made.double()


def aliased(self: Any, x: Any) -> Any:
    h = r = self.l(x)
    h += torch.tanh(r)
    return h * r


def of_a_view(self: Any, x: Any) -> Any:
    g = self.l(x)
    v = g[0]
    v += 1
    return g


def under_a_view(self: Any, x: Any) -> Any:
    g = self.l(x)
    v = g[0]
    g *= 2
    return v


def in_a_list(self: Any, x: Any) -> Any:
    acc, seen = self.l(x[0]), []
    for t in range(1, len(x)):
        acc += self.l(x[t])
        seen.append(acc)
    return torch.stack(seen)


def by_a_module(self: Any, x: Any) -> Any:
    h = self.l(x)
    return h + self.b(h)


def by_a_function(self: Any, x: Any) -> Any:
    h = self.l(x)
    return F.relu(h, inplace=True) + h


def used_no_more(self: Any, x: Any) -> Any:
    h = self.l(x)
    h += x
    h = F.relu(self.b(h), inplace=True)
    h /= 2
    h -= 1
    total = 0
    for t in range(len(x)):
        total += h[t].sum()
    return total


INPLACE = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 4))


@pytest.mark.parametrize("forward", [aliased, of_a_view, under_a_view, in_a_list, by_a_module, by_a_function])
def test_what_is_read_after_it_was_written_over_is_refused(forward: Any) -> None:
    mine = from_torch(of(forward, b=copy.deepcopy(INPLACE)))
    with pytest.raises(ValueError, match=r"is written over a tensor that is read again later: in PyTorch it has"):
        mine(torch.randn(5, 3, 4).double())


def test_what_is_written_over_and_read_no_more_is_the_same() -> None:
    theirs = of(used_no_more, b=copy.deepcopy(INPLACE))
    x = torch.randn(5, 3, 4).double()
    assert np.isclose(from_torch(theirs)(x.numpy()).item(), theirs(x).item(), rtol=BOUND)


@pytest.mark.parametrize(
    "forward",
    [
        lambda self, x: self.l(x).mean() + sum((p**2).sum() for p in self.parameters()),
        lambda self, x: self.l(x).mean() + sum((p**2).sum() for _, p in self.named_parameters()),
        lambda self, x: self.l(x).mean() * len(self.parameters()),
    ],
)
def test_a_forward_that_walks_its_parameters_is_refused_and_one_that_asks_for_their_type_is_not(forward: Any) -> None:
    with pytest.raises(TypeError, match=r"walks its parameters meets others here.*in forward of Mine"):
        from_torch(of(forward))(torch.randn(5, 3, 4).double())
    theirs, x = of(lambda self, x: self.l(x) + next(self.parameters()).new_ones(4)), torch.randn(5, 3, 4).double()
    assert np.allclose(from_torch(theirs)(x.numpy()).value, theirs(x).detach(), atol=BOUND)


def test_weights_of_pytorchs_are_not_loaded_as_if_they_were_ours() -> None:
    with pytest.raises(TypeError, match=r"lays its weights out otherwise: tl.from_torch\(state, into=module\)"):
        tl.Linear(4, 4).load_state_dict(nn.Linear(4, 4).state_dict())


def test_a_layer_that_is_frozen_in_part_of_one_weight_is_refused() -> None:
    theirs = nn.LSTM(4, 6)
    theirs.weight_ih_l0.requires_grad_(False)
    with pytest.raises(ValueError, match=r"weight_ih_l0: frozen in theirs, in one weight here with what learns"):
        from_torch(theirs)
    theirs = nn.LSTM(4, 6)
    theirs.bias_hh_l0.requires_grad_(False)
    assert all(x.requires_grad for x in from_torch(theirs).parameters())


def test_who_steps_or_draws_pytorchs_tensors_is_told_the_way_in() -> None:
    for ask in (tl.step, tl.draw):
        with pytest.raises(TypeError, match=r"a tensor of PyTorch's: bring its module in by tl.from_torch"):
            ask(nn.Linear(2, 1)(torch.ones(2)).sum())
