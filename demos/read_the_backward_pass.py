"""Read the backward pass: from an LSTM's equations to their derivative, to the program that computes it, to its speed.

Frameworks print what they run as an intermediate language, as kernels, or as the name of a function. tangent-ad prints
Python, and each line knows where it came from. This is that idea told again: where its derivative of the equations
below has some 300 lines of pushes, pops and temporaries, ours is the loop that one would write by hand.
"""

from time import perf_counter

import numpy as np

import tinygrad_lstm as tl

# 1. The equations: operators, names and a loop. No layer of ours, and no cell that anybody knows.

T, N, D, H = 25, 1, 64, 100
rng = np.random.default_rng(0)
xs = tl.tensor(rng.normal(size=(T, N, D)), name="xs")
W_f, W_i, W_g, W_o = weights = [
    tl.tensor(rng.normal(size=(H + D, H)) / 10, requires_grad=True, name=f"W_{gate}") for gate in "figo"
]


def named(name, x):
    x.name = name
    return x


def loss_of(xs, mark=lambda t, h: h):
    h, c = (tl.tensor(np.zeros((xs.shape[1], H)), name=name) for name in ("h0", "c0"))
    for t in range(len(xs)):
        z = named("z", tl.concat([h, xs[t]], axis=-1))
        f, i = named("f", tl.sigmoid(z @ W_f)), named("i", tl.sigmoid(z @ W_i))
        g, o = named("g", tl.tanh(z @ W_g)), named("o", tl.sigmoid(z @ W_o))
        c = named("c", f * c + i * g)
        h = mark(t, named("h", o * tl.tanh(c)))
    return (h * h).sum()


loss = loss_of(xs)
gradients = tl.grad(loss, weights)

# 2. The derivative, as one would derive it: each line with the operations that it comes from, and one t for all steps.

derivation = tl.derive(loss, wrt=W_f)
print(f"2. The derivation:\n\n{derivation}\n")
np.testing.assert_allclose(derivation.evaluate(), gradients[0].value, rtol=1e-9, atol=1e-12)

# 3. The program. The steps are rolled up into a loop forwards and one backwards, and the rules are written into it. It
# is plain numpy, needs nothing else, and gives the same gradient to the last bit. For 5 steps it is as long.

program = tl.source(loss, wrt=weights)
print(f"3. The whole of it:\n\n{program}")
value, found = program()
assert value == loss.item()
assert all(np.array_equal(x, y.value) for x, y in zip(found, gradients, strict=True))
lines = str(program).splitlines()
assert len(lines) == len(str(tl.source(loss_of(tl.tensor(xs.numpy()[:5], name="xs")), wrt=weights)).splitlines()) < 60

# 4. Where it came from. Any line of it says of which line above it is the derivative, as in tangent-ad, where a comment
# does. `tinygrad-lstm source demos/read_the_backward_pass.py:loss --where` prints them side by side.

number = next(n for n, line in enumerate(lines, 1) if "dc[t - 1] +=" in line)
place = program.origin(number)
print(f"4. Line {number}, {lines[number - 1].partition('#')[0].strip()}, comes from {place}: {place.text}\n")
assert "f * c + i * g" in place.text

# 5. Where the time goes. The walk asks each node for its rule; the program has no node to ask, only numpy to call, and
# mostly for products. At level 2 those of all gates are one, and those for weights are one after the loop.


def milliseconds(f):
    times = [perf_counter()]
    for _ in range(7):
        f()
        times.append(perf_counter())
    return 1e3 * min(np.diff(times))


def products_of_each_step():
    for _ in range(T):
        z @ W, z.T @ dp, dp @ W.T


z, W, dp = np.ones((N, H + D)), np.ones((H + D, 4 * H)), np.ones((N, 4 * H))
compiled = tl.compile(loss_of)
ways = {"graph and walk": lambda: tl.grad(loss_of(xs), weights), "tl.compile": lambda: tl.grad(compiled(xs), weights)}
ways |= {f"program, level {level}": tl.source(loss, wrt=weights, optimize=level) for level in range(3)}
ways |= {"products, step by step": products_of_each_step}
print("5. Where the time goes:\n")
for way, run in ways.items():
    print(f"{way:24} {milliseconds(run):5.1f} ms")
assert "not compiled" not in compiled.explain()
for x, y in zip(tl.grad(compiled(xs), weights), gradients, strict=True):
    np.testing.assert_allclose(x.value, y.value, rtol=1e-9, atol=1e-12)

# 6. Surgery. In tangent-ad one writes `with insert_grad_of(h) as dh:` and then what is to be done to dh. Here h is
# marked, and the mark is a node: the walk, the picture and the program have it. The gradient of each step is clipped.

clipped = loss_of(xs, lambda t, h: tl.grad_hook(h, clip=0.01, name="held"))
surgery = tl.source(clipped, wrt=weights)
(line,) = (line.strip() for line in str(surgery).splitlines() if "minimum(dheld" in line and "np." in line)
print(f"\n6. The line that clips: {line}")
for x, y in zip(surgery()[1], tl.grad(clipped, weights), strict=True):
    np.testing.assert_allclose(x, y.value, rtol=1e-12, atol=1e-15)
assert "∇≤" in tl.draw(clipped, steps=(0, 1)).source

# A gradient that is scaled by 0 at one step is truncated there: the same as to detach the state, number by number.

cut = loss_of(xs, lambda t, h: tl.grad_hook(h, scale=0, name="cut") if t == 12 else h)
detached = loss_of(xs, lambda t, h: h.detach() if t == 12 else h)
for x, y in zip(tl.grad(cut, weights), tl.grad(detached, weights), strict=True):
    np.testing.assert_array_equal(x.value, y.value)

# 7. What never matters. One input reaches the loss only through steps, which have no slope, another one not at all.

rounded, spare = (tl.tensor(np.ones(H), requires_grad=True, name=name) for name in ("rounded", "spare"))
unused = tl.explain_unused(loss_of(xs, lambda t, h: h * tl.floor(rounded)), [*weights, rounded, spare])
print(f"\n7. What never matters:\n\n{unused}")
assert [each.name for each in unused] == ["rounded", "spare"]
