"""Networks from the literature, small, each as its author's equations say: what the pictures have to cope with.

Each function returns the loss of its network, named L.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import tinygrad_lstm as tl

N, D, H = 2, 3, 4


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


def sequence(steps: int, batch: int = N) -> tl.Tensor:
    return tl.tensor(numbers(steps, batch, D), name="xs")


def learned(*shape: int, name: str | None = None) -> tl.Tensor:
    return tl.tensor(numbers(*shape), requires_grad=True, name=name)


def total(x: tl.Tensor) -> tl.Tensor:
    loss = (x * x).mean()
    loss.name = "L"
    return loss


def deep(steps: int = 3) -> tl.Tensor:
    """Two layers in both directions (Schuster and Paliwal 1997)."""
    output, _ = tl.LSTM(D, H, num_layers=2, bidirectional=True, rng=0)(sequence(steps))
    return total(output)


def padded(steps: int = 3) -> tl.Tensor:
    """Both directions over a batch of two sequences, the second a step shorter."""
    output, _ = tl.GRU(D, H, num_layers=2, bidirectional=True, rng=0)(sequence(steps), lengths=[steps, steps - 1])
    return total(output)


def padded_by_hand(steps: int = 3) -> tl.Tensor:
    """A batch of two sequences, the second a step shorter: its state stays what it was, its output is zero."""
    cell, xs, outputs = tl.GRUCell(D, H, rng=0), sequence(steps), []
    state = cell.zero_state(xs[0])
    for t in range(steps):
        with tl.time_step(t):
            valid = np.array([[True], [t < steps - 1]])
            state = tl.where(valid, cell(xs[t], state), state)
            outputs.append(tl.where(valid, state, 0.0))
    return total(tl.stack(outputs))


def projection(steps: int = 3) -> tl.Tensor:
    """An LSTM with a projection: h is smaller than c (Sak, Senior and Beaufays 2014)."""
    output, _ = tl.LSTM(D, H, proj_size=2, rng=0)(sequence(steps))
    return total(output)


def gru(steps: int = 3) -> tl.Tensor:
    """The reset gate acts before the product (Cho 2014, as on Olah's page)."""
    output, _ = tl.GRU(D, H, reset_after=False, rng=0)(sequence(steps))
    return total(output)


def gru_after(steps: int = 3) -> tl.Tensor:
    """The reset gate acts after the product (cuDNN, PyTorch, Keras)."""
    output, _ = tl.GRU(D, H, rng=0)(sequence(steps))
    return total(output)


def attention(source: int = 3, target: int = 3) -> tl.Tensor:
    """An encoder, and a decoder that looks back at all of its steps (Bahdanau, Cho and Bengio 2015)."""
    encoder, decoder, attend, head = (
        tl.GRU(D, H, rng=0),
        tl.GRUCell(D + H, H, rng=1),
        tl.nn.Attention(H, H, rng=2),
        tl.Linear(H, D),
    )
    annotations, h_n = encoder(sequence(source))
    s, words, scores = h_n[0], sequence(target), []
    for t in range(target):
        with tl.time_step(t, offset=source, phase="decoder"):
            s = decoder(tl.concat([words[t], attend(s, annotations)[0]], axis=-1), s)
            scores.append(head(s))
    return total(tl.stack(scores))


def attention_in_steps(source: int = 3, target: int = 3) -> tl.Tensor:
    """The same, written as a loop over a list of the encoder's states."""
    encoder, decoder, attend = tl.GRUCell(D, H, rng=0), tl.GRUCell(D + H, H, rng=1), tl.nn.Attention(H, H, rng=2)
    xs, words, h, annotations, states = sequence(source), sequence(target), None, [], []
    for t in range(source):
        with tl.time_step(t, phase="encoder"):
            h = encoder(xs[t], h)
            annotations.append(h)
    memory, s = tl.stack(annotations), h
    for t in range(target):
        with tl.time_step(t, offset=source, phase="decoder"):
            s = decoder(tl.concat([words[t], attend(s, memory)[0]], axis=-1), s)
            states.append(s)
    return total(tl.stack(states))


class Mogrifier(tl.nn.Cell):
    """x and h gate each other before an LSTM reads them (Melis, Kočiský and Blunsom 2020)."""

    state_names = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int, rounds: int = 4) -> None:
        super().__init__(input_size, hidden_size)
        sizes = [(hidden_size, input_size), (input_size, hidden_size)]
        self.rounds = [tl.Linear(*sizes[k % 2], rng=k) for k in range(rounds)]
        self.lstm = tl.LSTMCell(input_size, hidden_size, rng=9)

    def forward(self, x, state):
        h, c = state
        for k, gate in enumerate(self.rounds):
            if k % 2:
                h = 2 * tl.sigmoid(gate(x)) * h
            else:
                x = 2 * tl.sigmoid(gate(h)) * x
        return self.lstm(x, (h, c))


def mogrifier(steps: int = 3) -> tl.Tensor:
    output, _ = tl.nn.Recurrent(Mogrifier(D, H))(sequence(steps))
    return total(output)


class Residual(tl.nn.Cell):
    """A cell around a cell, which what it reads goes past."""

    def __init__(self, size: int) -> None:
        super().__init__(size, size)
        self.inner = tl.GRUCell(size, size, rng=0)

    def forward(self, x, h):
        return self.inner(x, h) + x


def residual(steps: int = 3) -> tl.Tensor:
    output, _ = tl.nn.Recurrent(Residual(D))(sequence(steps))
    return total(output)


class Submodule(tl.nn.Cell):
    """A cell whose state goes through a module of its own."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.input, self.hidden = tl.Linear(input_size, hidden_size, rng=0), tl.Linear(hidden_size, hidden_size, rng=1)

    def forward(self, x, h):
        return tl.tanh(self.input(x) + self.hidden(h))


def submodule(steps: int = 3) -> tl.Tensor:
    output, _ = tl.nn.Recurrent(Submodule(D, H))(sequence(steps))
    return total(output)


class LayerNorm(tl.nn.Module):
    """Normalise each row, then scale and shift (Ba, Kiros and Hinton 2016)."""

    def __init__(self, size: int) -> None:
        self.gain = tl.tensor(np.ones(size), requires_grad=True)
        self.shift = tl.tensor(np.zeros(size), requires_grad=True)

    def forward(self, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / tl.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5) * self.gain + self.shift


class NormedGate(tl.nn.Module):
    def __init__(self, size: int, hidden_size: int, activation: Callable, symbol: str, rng: int) -> None:
        self.linear, self.norm = tl.Linear(size, hidden_size, rng=rng), LayerNorm(hidden_size)
        self.activation, self.symbol = activation, symbol

    def forward(self, z):
        a = self.activation(self.norm(self.linear(z)))
        a.name = self.symbol
        return a


class NormedLSTM(tl.nn.Cell):
    """An LSTM with a norm in each gate and one on the cell state (Ba, Kiros and Hinton 2016)."""

    state_names = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        size = input_size + hidden_size
        self.forget_gate = NormedGate(size, hidden_size, tl.sigmoid, "f", 0)
        self.input_gate = NormedGate(size, hidden_size, tl.sigmoid, "i", 1)
        self.candidate = NormedGate(size, hidden_size, tl.tanh, "g", 2)
        self.output_gate = NormedGate(size, hidden_size, tl.sigmoid, "o", 3)
        self.norm = LayerNorm(hidden_size)

    def forward(self, x, state):
        h, c = state
        z = tl.concat([h, x], axis=-1)
        c = self.forget_gate(z) * c + self.input_gate(z) * self.candidate(z)
        return self.output_gate(z) * tl.tanh(self.norm(c)), c


def layer_norm(steps: int = 3) -> tl.Tensor:
    output, _ = tl.nn.Recurrent(NormedLSTM(D, H))(sequence(steps))
    return total(output)


class IndRNN(tl.nn.Cell):
    """h′ = relu(x W + u ⊙ h + b): each neuron sees only its own past (Li et al. 2018)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight, self.u, self.bias = learned(input_size, hidden_size), learned(hidden_size), learned(hidden_size)

    def forward(self, x, h):
        return tl.relu(x @ self.weight + self.u * h + self.bias)


def indrnn(steps: int = 3) -> tl.Tensor:
    output, _ = tl.nn.Recurrent(IndRNN(D, H))(sequence(steps))
    return total(output)


class Clockwork(tl.nn.Module):
    """Modules of neurons, each updated every so many steps only (Koutník et al. 2014)."""

    def __init__(self, periods: tuple[int, ...] = (1, 2)) -> None:
        self.periods = periods
        self.blocks = [tl.Linear(D + len(periods[k:]) * 2, 2, rng=k) for k in range(len(periods))]

    def forward(self, x, t, parts):
        new = []
        for k, (period, block) in enumerate(zip(self.periods, self.blocks, strict=True)):
            if t % period == 0:
                part = tl.tanh(block(tl.concat([*parts[k:], x], axis=-1)))
                part.name = f"h{'ab'[k]}"
            else:
                part = parts[k]
            new.append(part)
        return new


def clockwork(steps: int = 4) -> tl.Tensor:
    network, xs = Clockwork(), sequence(steps)
    parts = [tl.tensor(np.zeros((N, 2)), name=f"h{name}0") for name in "ab"]
    hidden = []
    for t in range(steps):
        with tl.time_step(t):
            parts = network(xs[t], t, parts)
            hidden.append(tl.concat(parts, axis=-1))
    return total(tl.stack(hidden))


class TreeLSTM(tl.nn.Module):
    """A binary tree-LSTM: a forget gate for each child (Tai, Socher and Manning 2015, equations 9 to 14)."""

    def __init__(self) -> None:
        gates = [
            tl.nn.Gate(2 * H, tl.sigmoid, name, hidden_size=H, rng=k) for k, name in enumerate(("fl", "fr", "i", "o"))
        ]
        self.forget_left, self.forget_right, self.input_gate, self.output_gate = gates
        self.candidate = tl.nn.Gate(2 * H, tl.tanh, "g", hidden_size=H, rng=4)
        self.word = tl.Linear(D, H, rng=5)

    def forward(self, left, right):
        z = tl.concat([left[0], right[0]], axis=-1)
        c = self.forget_left(z) * left[1] + self.forget_right(z) * right[1] + self.input_gate(z) * self.candidate(z)
        h = self.output_gate(z) * tl.tanh(c)
        c.name, h.name = "c", "h"
        return h, c


def tree() -> tl.Tensor:
    """((the cat) (sat down)): a tree whose steps are no times."""
    cell, leaf = TreeLSTM(), tl.Linear(D, H, rng=7)
    words = [tl.tensor(numbers(N, D), name=word) for word in ("the", "cat", "sat", "down")]
    below = [(tl.tanh(leaf(x)), tl.tensor(np.zeros((N, H)))) for x in words]
    h, _ = cell(cell(below[0], below[1]), cell(below[2], below[3]))
    return total(h)


class Dynamics(tl.nn.Module):
    """dh/dt = f(h)."""

    def __init__(self) -> None:
        self.inner, self.outer = tl.Linear(H, 6, rng=0), tl.Linear(6, H, rng=1)

    def forward(self, h):
        return self.outer(tl.tanh(self.inner(h)))


def neural_ode(steps: int = 3) -> tl.Tensor:
    """Runge and Kutta's method of order 2, the midpoint, for a network's differential equation (Chen et al. 2018)."""
    f, h = Dynamics(), tl.tensor(numbers(N, H), name="h0")
    for t in range(steps):
        with tl.time_step(t):
            h = h + 0.1 * f(h + 0.05 * f(h))
            h.name = "h"
    return total(h)


def truncated(windows: int = 2, length: int = 2) -> tl.Tensor:
    """Truncated backpropagation through time: the state is detached between windows (Williams and Peng 1990)."""
    lstm, state, loss = tl.LSTM(D, H, rng=0), None, 0
    for _ in range(windows):
        output, state = lstm(sequence(length), state)
        loss = loss + (output * output).mean()
        state = tuple(part.detach() for part in state)
    loss.name = "L"
    return loss


def truncated_by_hand(steps: int = 4, every: int = 2) -> tl.Tensor:
    cell, state, loss, xs = tl.LSTMCell(D, H, rng=0), None, 0, sequence(steps)
    for t in range(steps):
        with tl.time_step(t):
            if t and t % every == 0:
                state = tuple(part.detach() for part in state)
            state = cell(xs[t], state)
            loss = loss + (state[0] * state[0]).mean()
    loss.name = "L"
    return loss


def linear_in_a_loop(steps: int = 3) -> tl.Tensor:
    """A linear layer that is called at each step: nothing in it recurs."""
    layer, loss, xs = tl.Linear(D, H, rng=0), 0, sequence(steps)
    for t in range(steps):
        with tl.time_step(t):
            loss = loss + layer(xs[t]).sum()
    loss.name = "L"
    return loss


NETWORKS: dict[str, Callable[[], tl.Tensor]] = {
    f.__name__: f
    for f in (
        *(
            deep,
            padded,
            padded_by_hand,
            projection,
            gru,
            gru_after,
            attention,
            attention_in_steps,
            mogrifier,
            residual,
            submodule,
        ),
        *(layer_norm, indrnn, clockwork, tree, neural_ode, truncated, truncated_by_hand, linear_in_a_loop),
    )
}
