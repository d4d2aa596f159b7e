"""One step of a recurrent network, spelled in a hundred ways: its program is the network, at every level."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tests.program.networks import drawn
from tinygrad_lstm.program import entry
from tinygrad_lstm.program.recording import NotExpressible

T, N, H = 5, 3, 4

STEPS = {
    "newaxis": lambda z, h, k: (z[:, None, :] * h[:, :, None]).sum(axis=1),
    "newaxis end": lambda z, h, k: (z[..., None] @ h[:, None, :]).mean(axis=1),
    "batch matmul": lambda z, h, k: (z[:, None, :] @ (h[:, :, None] * z[:, None, :]))[:, 0],
    "reverse cols": lambda z, h, k: z[:, ::-1] * h,
    "reverse rows": lambda z, h, k: z[::-1] * h,
    "roll": lambda z, h, k: tl.concat([z[:, 1:], z[:, :1]], axis=1) + h,
    "row 0": lambda z, h, k: z[0] * h,
    "row -1": lambda z, h, k: z[-1] * h,
    "row -1:": lambda z, h, k: z[-1:] * h,
    "col -1": lambda z, h, k: z[:, -1:] * h,
    "col int": lambda z, h, k: z[:, 1][:, None] * h,
    "fancy cols": lambda z, h, k: z[:, [2, 0, 1, 1]] * h,
    "fancy both": lambda z, h, k: z[[0, 2, 1], [1, 0, 3]][:, None] * h,
    "fancy rows slice": lambda z, h, k: tl.concat([z[[2, 0, 1], :2], h[:, 2:]], axis=-1),
    "bool const": lambda z, h, k: z[:, np.array([True, True, False, False])].sum(axis=1, keepdims=True) * h,
    "transpose": lambda z, h, k: (z.T @ h)[: len(z)] * 0.1,
    "reshape": lambda z, h, k: z.reshape(H, len(z)).reshape(z.shape) * h,
    "reshape -1": lambda z, h, k: z.reshape(-1, 2).sum(axis=1).reshape(len(z), 2).sum(axis=1, keepdims=True) * h,
    "split": lambda z, h, k: tl.concat([p * h[:, :2] for p in tl.split(z, 2, axis=1)], axis=1),
    "chunk": lambda z, h, k: tl.concat([p * h[:, :2] for p in tl.chunk(z, 2, axis=1)], axis=1),
    "stack": lambda z, h, k: tl.stack([z, h, z * h]).sum(axis=0),
    "stack1": lambda z, h, k: tl.stack([z, h], axis=1).max(axis=1),
    "stack-1": lambda z, h, k: tl.stack([z, h], axis=-1).mean(axis=-1),
    "stack mean squares": lambda z, h, k: (tl.stack([z, h], axis=-1) ** 2).sum(axis=-1),
    "where": lambda z, h, k: tl.where(z > h, z, h),
    "where const": lambda z, h, k: tl.where(np.array([1, 0, 1, 0]), z, h),
    "where cond scalar": lambda z, h, k: tl.where(z > 0, z, 0.1),
    "max": lambda z, h, k: tl.maximum(z, h) * tl.minimum(z, 0.5),
    "clip": lambda z, h, k: tl.clip(z, -0.5, 0.5) * h,
    "max axis": lambda z, h, k: z - z.max(axis=1, keepdims=True) + h,
    "min axis": lambda z, h, k: z - z.min(axis=0) + h,
    "softmax": lambda z, h, k: tl.softmax(z) * h,
    "softmax axis0": lambda z, h, k: tl.softmax(z, axis=0) * h,
    "logsoftmax": lambda z, h, k: tl.log_softmax(z, axis=-1) * 0.1 * h,
    "logsumexp": lambda z, h, k: tl.logsumexp(z, axis=-1)[:, None] * h,
    "cumsum": lambda z, h, k: tl.cumsum(z, axis=1) * h,
    "einsum": lambda z, h, k: tl.einsum("ni,nj->nj", z, h),
    "einsum3": lambda z, h, k: h @ tl.einsum("ni,nj,n->ij", z, h, z[:, 0]),
    "einsum outer": lambda z, h, k: tl.einsum("ni,nj->nij", z, h).sum(axis=1),
    "einsum weight": lambda z, h, k: tl.einsum("ni,ij->nj", h, k) + z,
    "einsum T": lambda z, h, k: tl.einsum("ni,ji->nj", h, k) + z,
    "kT": lambda z, h, k: h @ k.T + z,
    "k left": lambda z, h, k: (k @ h.T).T + z,
    "k twice": lambda z, h, k: h @ k @ k * 0.1 + z,
    "k elementwise": lambda z, h, k: h * k[0] + z * k[1],
    "k column": lambda z, h, k: h * k[:, 0] + z,
    "k col2": lambda z, h, k: h @ k[:, :2] @ k[:2] + z,
    "k diag": lambda z, h, k: h * tl.einsum("ii->i", k) + z,
    "k softmax": lambda z, h, k: h @ tl.softmax(k, axis=0) + z,
    "k norm": lambda z, h, k: h @ (k / tl.sqrt((k * k).sum())) + z,
    "k spectral": lambda z, h, k: h @ (k - k.T) + z,
    "k expm": lambda z, h, k: h @ (k @ k / 2 + k + np.eye(H)) * 0.1 + z,
    "layer norm": lambda z, h, k: (
        (z - z.mean(axis=-1, keepdims=True))
        / tl.sqrt(((z - z.mean(axis=-1, keepdims=True)) ** 2).mean(axis=-1, keepdims=True) + 1e-3)
        + 0.1 * h
    ),
    "batch norm": lambda z, h, k: (
        (z - z.mean(axis=0)) / tl.sqrt(((z - z.mean(axis=0)) ** 2).mean(axis=0) + 1e-1) + 0.1 * h
    ),
    "total mean": lambda z, h, k: z - z.mean() + h * z.sum() * 0.1,
    "total max": lambda z, h, k: z / (1 + abs(z).max()) + h,
    "abs sign": lambda z, h, k: abs(z) * h,
    "pow": lambda z, h, k: z**2 + h**3,
    "pow neg": lambda z, h, k: (1 + z * z) ** -0.5 * h,
    "rpow": lambda z, h, k: 2**z * h * 0.1,
    "tensor pow": lambda z, h, k: (1 + z * z) ** h * 0.1,
    "div": lambda z, h, k: z / (1 + h * h) - 1 / (2 + z * z),
    "rsub": lambda z, h, k: 1 - z * h - (2 - h),
    "neg": lambda z, h, k: -z * -h,
    "exp log": lambda z, h, k: tl.log(1 + tl.exp(z)) * h,
    "sqrt": lambda z, h, k: tl.sqrt(1 + z * z) * h * 0.5,
    "relu": lambda z, h, k: tl.relu(z) - tl.relu(-h),
    "leaky": lambda z, h, k: tl.maximum(z, 0.1 * z) + h,
    "gelu": lambda z, h, k: z * 0.5 * (1 + tl.erf(z / np.sqrt(2))) + h,
    "softplus": lambda z, h, k: tl.softplus(z) * h * 0.3,
    "sin cos": lambda z, h, k: tl.sin(z) * tl.cos(h),
    "sigmoid tanh": lambda z, h, k: tl.sigmoid(z) * tl.tanh(z) + h * tl.sigmoid(-z),
    "np func": lambda z, h, k: np.tanh(z) * np.exp(-h * h),
    "np maximum": lambda z, h, k: np.maximum(z, h),
    "detach": lambda z, h, k: z * h.detach(),
    "straight through": lambda z, h, k: z + (tl.relu(z) - z).detach() + h * 0.5,
    "broadcast": lambda z, h, k: tl.broadcast_to(z[:1], z.shape) * h,
    "const array": lambda z, h, k: z * np.arange(1.0, 5.0) + h,
    "const col": lambda z, h, k: z * np.arange(1.0, 4.0)[:, None] * 0.2 + h,
    "onehot": lambda z, h, k: z * np.eye(H)[[0, 1, 2]] + h,
    "square bracket assign": lambda z, h, k: tl.concat([z[:, :1] * 2, z[:, 1:3] * 3, z[:, 3:] * 4], axis=-1) * h,
    "mean over axis tuple": lambda z, h, k: z * (z * h).sum(axis=(0, 1)),
    "norm": lambda z, h, k: z / tl.sqrt((z * z).sum(axis=-1, keepdims=True) + 0.1) + h * 0.1,
    "dot rows": lambda z, h, k: (z * h).sum(axis=-1, keepdims=True) * z,
    "dot rows flat": lambda z, h, k: (z * h).sum(axis=-1)[:, None] * z,
    "heads": lambda z, h, k: (z.reshape(-1, 2, 2) * h.reshape(-1, 2, 2).sum(axis=-1, keepdims=True)).reshape(z.shape),
    "heads attn": lambda z, h, k: (
        tl.softmax(z.reshape(-1, 2, 2) @ h.reshape(-1, 2, 2).transpose(0, 2, 1), axis=-1) @ z.reshape(-1, 2, 2)
    ).reshape(z.shape),
    "conv": lambda z, h, k: tl.concat([h[:, :1] * 0, z[:, :-1]], axis=1) * k[0, 0] + z * k[0, 1] + h,
    "glu": lambda z, h, k: tl.concat([z[:, :2] * tl.sigmoid(z[:, 2:]), h[:, :2] * tl.sigmoid(h[:, 2:])], axis=1),
    "even odd": lambda z, h, k: tl.stack([z[:, ::2] * h[:, 1::2], z[:, 1::2]], axis=-1).reshape(z.shape),
    "squeeze": lambda z, h, k: tl.squeeze(z[:, None], axis=1) * h,
    "flatten": lambda z, h, k: (z.flatten() * h.flatten()).reshape(z.shape),
    "prod": lambda z, h, k: h * (1 + 0.1 * tl.prod(z, axis=-1, keepdims=True)),
    "var": lambda z, h, k: h / (1 + z.var(axis=-1, keepdims=True)),
    "unused": lambda z, h, k: (tl.exp(z), z * h)[1],
}
"""What becomes of the product of the input with a matrix, z, of the state before, h, and of a matrix k."""

REFUSED = {
    **dict.fromkeys(["fancy both", "fancy rows slice", "transpose", "const col", "onehot"], "not run at other sizes"),
}
"""What is not compiled, and why: it is of one number of sequences."""


def network(step, of_steps):
    """A loss in which the states count as they come, all of them at the end, or the last."""

    def f(x, W, k):
        h, hs, total = x[0] * 0.5, [], 0
        for t in range(x.shape[0]):
            h = tl.tanh(step(x[t] @ W, h, k))
            hs.append(h)
            total = total + (h * h).sum() if of_steps == "each" else total
        return total if of_steps == "each" else (tl.stack(hs) ** 2).mean() + h.sum() if of_steps == "all" else h.sum()

    return f, [drawn(T, N, H, name="x"), drawn(H, H, name="W"), drawn(H, H, name="k", seed=1)]


def require_right(name, of_steps, levels):
    f, leaves = network(STEPS[name], of_steps)
    loss = f(*leaves)
    gradients = tl.grad(loss, leaves, allow_unused=True)
    wrt = [leaf for leaf, gradient in zip(leaves, gradients, strict=True) if gradient is not None]
    expected = [gradient.value for gradient in gradients if gradient is not None]
    for level in levels:
        value, found = tl.source(loss, wrt=wrt, optimize=level)()
        for a, b in zip((value, *found), (loss.value, *expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    compiled = tl.compile(f)
    again = compiled(*leaves)
    assert REFUSED.get(name, "") in compiled.explain()
    assert ("not compiled" in compiled.explain()) is (name in REFUSED), compiled.explain()
    np.testing.assert_allclose(again.value, loss.value, rtol=1e-10)
    for a, b in zip(tl.grad(again, wrt), expected, strict=True):
        np.testing.assert_allclose(a.value, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", sorted({*REFUSED, *list(STEPS)[::3]}))
def test_a_step_is_its_program_as_fast_as_it_gets_and_compiled(name):
    require_right(name, "all", [3])


@pytest.mark.slow
@pytest.mark.parametrize("of_steps", ["each", "all", "last"])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_its_program_at_every_level(name, of_steps):
    require_right(name, of_steps, [0, 1, 2, 3])


def test_an_argument_that_nothing_depends_on_has_a_gradient_of_zero():
    x, unused = drawn(2, 2, name="x"), drawn(2, name="unused")
    first, second = tl.grad(tl.compile(lambda x, unused: (x * x).sum())(x, unused), [x, unused], allow_unused=True)
    np.testing.assert_array_equal(first.value, 2 * x.value)
    assert second is None or not second.value.any()


@pytest.mark.parametrize("spoiled", [("loss = ", "loss = 1 + "), ("dw = ", "dw = 0.1 + ")])
@pytest.mark.parametrize("beside", [lambda w: (w**2).sum(), lambda w: tl.sqrt(0 * w).sum()])
def test_a_program_that_computes_something_else_is_not_given_out(monkeypatch, spoiled, beside):
    """The negative control: one wrong number is noticed, beside a power and beside slopes that are none."""
    w, other = drawn(3, name="w"), drawn(3, name="other")
    loss = (w * w * w).sum() + beside(other)
    program = tl.source(loss, wrt=[w, other])
    assert spoiled[0] in program.text
    program._functions, program.text = (), program.text.replace(*spoiled)
    monkeypatch.setattr(entry, "write", lambda job: (program, {}))
    with pytest.raises(NotExpressible, match="than the graph"):
        tl.source(loss, wrt=[w, other])


def test_an_operation_that_is_not_numpys_own_is_an_argument_of_the_program():
    mine = np.frompyfunc(lambda x: x * x, 1, 1)
    squared = tl.primitive("squared", lambda x: mine(x).astype(float), lambda g, y, x: (2 * x * g,))
    w = drawn(3, name="w")
    program = tl.source(squared(w).sum(), wrt=[w])
    assert list(program.operations) == ["squared"]
    np.testing.assert_allclose(program()[1][0], 2 * w.value)


def test_a_call_without_steps_is_none_of_the_program():
    f = lambda x: sum((x[t] ** 2).sum() for t in range(2, x.shape[0]))
    compiled, x = tl.compile(f), drawn(T, N, name="x")
    assert compiled(x).item() == f(x).item()
    assert compiled(drawn(2, N, name="x")) == 0


def test_a_tensor_may_be_called_self():
    w = drawn(3, name="self")
    program = tl.source((w * w).sum(), wrt=[w])
    assert program(self=np.ones(3))[0] == 3
