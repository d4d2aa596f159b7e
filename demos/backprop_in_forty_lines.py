"""Retell the engine at the size of a page: tensors that remember, a tape and a walk, in forty lines of numpy.

Read it from top to bottom: each idea is said, written, and held to its word by an assertion. It ends with an LSTM whose
gradients are those of ``tinygrad_lstm``. What the engine adds is said where it would come in.
"""

from dataclasses import dataclass, field
from itertools import count

import numpy as np

import tinygrad_lstm as tl

# 1. A derivative is known for few operations; all others are made of them. Each has a line in a table: its forward, and
# a rule. From g = ∂L/∂y, the gradient of its result y, the rule says what each input receives: one contribution each.

PRIMITIVES = {
    "add": (np.add, lambda g, y, a, b: (g, g)),
    "mul": (np.multiply, lambda g, y, a, b: (g * b, g * a)),
    "matmul": (np.matmul, lambda g, y, a, b: (g @ b.T, a.T @ g)),
    "tanh": (np.tanh, lambda g, y, x: (g * (1 - y * y),)),
    "sigmoid": (lambda x: 0.5 * np.tanh(0.5 * x) + 0.5, lambda g, y, x: (g * y * (1 - y),)),
    "concat": (lambda a, b: np.concatenate([a, b], axis=1), lambda g, y, a, b: np.split(g, [a.shape[1]], axis=1)),
    "sum": (np.sum, lambda g, y, x: (np.broadcast_to(g, x.shape),)),
}

forward, rule = PRIMITIVES["tanh"]
assert forward(0.0) == 0.0
assert rule(5.0, 0.0, 0.0) == (5.0,)  # at zero tanh is as steep as a line of slope 1: g passes as it is

# (The engine writes its rules in operators of its own, so that one line also differentiates again, and prints itself.)


# 2. A tensor is data: a value, the name of what made it, and from which inputs. It also knows its serial number, the
# order of making. Nothing else is recorded, and no tensor is ever changed.


@dataclass(frozen=True, eq=False)
class Tensor:
    value: np.ndarray
    primitive: str | None = None
    inputs: tuple["Tensor", ...] = ()
    serial: int = field(default_factory=count().__next__)

    __add__ = lambda a, b: apply("add", a, b)
    __mul__ = lambda a, b: apply("mul", a, b)
    __matmul__ = lambda a, b: apply("matmul", a, b)


def apply(name, *inputs):
    forward, _ = PRIMITIVES[name]
    return Tensor(forward(*(x.value for x in inputs)), name, inputs)


x = Tensor(np.array([[1.0, 2.0]]))
y = x * x + x
assert y.value.tolist() == [[2.0, 6.0]]
assert (y.primitive, y.inputs[0].primitive, y.inputs[1]) == ("add", "mul", x)


# 3. The tape is whatever the output was made from, latest first. It need not be written while computing, for the inputs
# lead back to all of it. Nothing is made before its inputs are: in this order, all who use a tensor come before it.


def tape(output):
    found, waiting = {output}, [output]
    while waiting:
        new = set(waiting.pop().inputs) - found
        found |= new
        waiting += new
    return sorted(found, key=lambda node: node.serial, reverse=True)


assert [node.primitive for node in tape(y)] == ["add", "mul", None]


# 4. Where an input was stretched to fit (a bias over the rows of a batch), each copy receives a gradient. The input was
# used that many times, and its uses add up: broadcasting is undone by a sum.


def unbroadcast(gradient, shape):
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n != gradient.shape[axis])
    return gradient.sum(axis=stretched, keepdims=True)


assert unbroadcast(np.ones((5, 3)), (3,)).tolist() == [5.0, 5.0, 5.0]
assert unbroadcast(np.ones((5, 3)), (5, 1)).tolist() == [[3.0]] * 5


# 5. The walk: ∂L/∂L is 1. Go along the tape; when a node's turn comes, all who use it have paid in, and its gradient is
# complete. Its rule hands on what each input receives, and += adds it to what came before. That is backpropagation.


def backward(output):
    gradients = {output: np.ones_like(output.value)}
    for node in tape(output):
        if node.primitive is not None:
            _, rule = PRIMITIVES[node.primitive]
            contributions = rule(gradients[node], node.value, *(x.value for x in node.inputs))
            for x, contribution in zip(node.inputs, contributions, strict=True):
                gradients[x] = gradients.get(x, 0) + unbroadcast(contribution, x.value.shape)
    return gradients


assert backward(y)[x].tolist() == [[3.0, 5.0]]  # of x² + x: 2x + 1. Two contributions came from the square, one besides

# (The engine yields each contribution before the next is made: that is what one walks with `tl.step`.)


# 6. An LSTM is the same few operations, in Olah's order: forget, write, show. The weights are those of the engine's own
# cell, drawn at random; both read three steps of a batch of two.

cell = tl.LSTMCell(3, 4, rng=0)
xs = np.random.default_rng(1).normal(size=(3, 2, 3))
parameters = {name: Tensor(parameter.numpy()) for name, parameter in cell.named_parameters()}


def layer(name, activation, z):
    return apply(activation, z @ parameters[f"{name}.weight"] + parameters[f"{name}.bias"])


h = c = Tensor(np.zeros((2, 4)))
for x in xs:
    z = apply("concat", h, Tensor(x))
    f, i = layer("forget_gate", "sigmoid", z), layer("input_gate", "sigmoid", z)
    g, o = layer("candidate", "tanh", z), layer("output_gate", "sigmoid", z)
    c = f * c + i * g
    h = o * apply("tanh", c)
loss = apply("sum", h * h)

state = None
for x in xs:
    state = cell(tl.tensor(x), state)
engine_loss = (state[0] * state[0]).sum()

np.testing.assert_allclose(loss.value, engine_loss.numpy(), rtol=1e-12)

# 7. Every weight was used in all three steps, every bias in both rows too. All gradients are the engine's.

gradients = backward(loss)
engine_loss.backward()
for name, parameter in cell.named_parameters():
    np.testing.assert_allclose(gradients[parameters[name]], parameter.grad.numpy(), rtol=1e-12)

print(f"{len(tape(loss))} tensors, {len(parameters)} parameters: forty lines and the engine find the same gradients")
