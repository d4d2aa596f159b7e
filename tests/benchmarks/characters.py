"""A character model in training: embedding, LSTM, head, cross-entropy and Adam; one run is one step of the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_lstm as tl
from tests.benchmarks.jobs import Contender, Job
from tests.benchmarks.theirs import as_torch_has_them, library

V, E = 64, 64
SIZE = (50, 32, E, 128)
"""(T, N, D, H): D is the size of an embedding, E."""

LEVEL = 3
RATE = 1e-3


def model_of(job: Job) -> tuple[tl.nn.LanguageModel, Any, Any]:
    """The model, and the numbers of symbols it reads and is to say, (T, N)."""
    T, N, D, H = job.size
    model = tl.nn.LanguageModel(V, H, embedding_size=D, rng=0, dtype=job.dtype)
    text = np.random.default_rng(0).integers(0, V, size=(T + 1, N))
    return model, text[:-1], text[1:]


def composed(job: Job) -> Contender:
    model, ids, targets = model_of(job)
    return _in_a_loop(model, lambda: tl.cross_entropy(model(ids)[0].reshape(-1, V), targets.reshape(-1)))


def compiled_layer(job: Job) -> Contender:
    model, ids, targets = model_of(job)
    fast = tl.compile(model.recurrent, optimize=LEVEL)

    def loss() -> Any:
        output, _ = fast(model.embedding(ids))
        return tl.cross_entropy(model.head(output).reshape(-1, V), targets.reshape(-1))

    return _in_a_loop(model, loss, fast)


def compiled_loss(job: Job) -> Contender:
    model, ids, targets = model_of(job)

    def loss(ids: Any, targets: Any) -> Any:
        return tl.cross_entropy(model(ids)[0].reshape(-1, V), targets.reshape(-1))

    fast = tl.compile(loss, optimize=LEVEL)
    return _in_a_loop(model, lambda: fast(ids, targets), fast)


def _in_a_loop(model: tl.nn.LanguageModel, loss: Callable[[], Any], fast: Any = None) -> Contender:
    optimizer = tl.nn.Adam(model.parameters(), lr=RATE)
    first: dict[str, Any] = {}

    def run() -> None:
        optimizer.zero_grad()
        L = loss()
        L.backward()
        if not first:
            gradients = {"embedding": model.embedding.weight.grad, "head": model.head.weight.grad, "loss": L}
            first.update({name: found.numpy().copy() for name, found in gradients.items()})
        optimizer.step()

    told = lambda: fast.explain() if fast is not None else ""
    return Contender(run, loss, lambda: first, lambda: told() if "not compiled" in told() else "")


def pytorch(job: Job) -> Contender:
    torch = library()
    _, _, D, H = job.size
    model, ids, targets = model_of(job)
    dtype = getattr(torch, job.dtype)
    embedding, lstm = torch.nn.Embedding(V, D, dtype=dtype), torch.nn.LSTM(D, H, dtype=dtype)
    head = torch.nn.Linear(H, V, dtype=dtype)
    own = {name: parameter.value for name, parameter in model.recurrent.cells[0].named_parameters()}
    with torch.no_grad():
        embedding.weight.copy_(torch.from_numpy(model.embedding.weight.numpy().copy()))
        head.weight.copy_(torch.from_numpy(model.head.weight.numpy().T.copy()))
        head.bias.copy_(torch.from_numpy(model.head.bias.numpy().copy()))
        for part, array in as_torch_has_them("LSTM", own, H).items():
            getattr(lstm, f"{part}_l0").copy_(torch.from_numpy(array))
    parameters = [*embedding.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    ids, targets = torch.from_numpy(ids), torch.from_numpy(targets)
    first: dict[str, Any] = {}

    def loss() -> Any:
        return torch.nn.functional.cross_entropy(head(lstm(embedding(ids))[0]).reshape(-1, V), targets.reshape(-1))

    def run() -> None:
        optimizer.zero_grad()
        L = loss()
        L.backward()
        if not first:
            first.update(embedding=embedding.weight.grad.numpy().copy(), head=head.weight.grad.numpy().T.copy())
            first["loss"] = L.detach().numpy().copy()
        optimizer.step()

    return Contender(run, loss, lambda: first)


CONTENDERS = {
    "char composed": composed,
    "char compiled layer": compiled_layer,
    "char compiled loss": compiled_loss,
    "char torch": pytorch,
}
