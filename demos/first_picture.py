"""First picture: two steps of an LSTM, drawn from the graph that ran.

Olah draws the LSTM as a chain of repeating modules. Here the chain is not a drawing of an idea: we run a cell twice on
plain equations, and draw what happened. Run it with ``python demos/first_picture.py lstm.svg``.
"""

import sys

import tinygrad_lstm as tl

# A cell is a pure function: (x, state) → state. Calling it in a time step's scope tells the picture where it belongs.
cell = tl.LSTMCell(2, 2, rng=0)
state = None
for t, word in enumerate(["clouds", "sky"]):
    with tl.time_step(t):
        state = cell(tl.tensor([t, 1 - t], name=word), state)
h, c = state

# The weights are the same in both steps. The graph holds each once; the picture shows a small copy where it is used.
graph = tl.Graph(h)
weights = [leaf for leaf in graph.leaves if leaf.requires_grad]
assert len(weights) == 8
picture = tl.draw(h, values=True)
assert picture.source.count("forget_gate.weight</FONT>") == 2

if __name__ == "__main__":
    print(picture.save(sys.argv[1] if len(sys.argv) > 1 else "lstm.svg"))
