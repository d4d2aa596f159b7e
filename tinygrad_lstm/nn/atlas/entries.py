"""The atlas itself: for each published cell who wrote it, when and where, its equations, and what differs.

The equations are text, and tested: a test evaluates them with numbers and compares them with the cell. Each weight
stands behind the row vector it acts on; a prime is what the step returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..cell import Cell
from ..cells import GRUCell, RNNCell
from ..lstm_cells import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell
from .cells import JANETCell, LSTM1997Cell, MGUCell, RANCell, UGRNNCell
from .minimal import MinGRUCell, MinLSTMCell


@dataclass(frozen=True)
class Published:
    """A cell of a paper: who wrote it, what it says, and which class of ours it is.

    >>> import tinygrad_lstm as tl
    >>> mgu = tl.nn.atlas.ATLAS["mgu"]
    >>> mgu.year, mgu.make(3, 4, rng=0)
    (2016, MGUCell(3 → 4))
    """

    title: str
    year: int
    authors: str
    paper: str
    where: str  # in the paper the equations are, and how far they were compared with it
    equations: str  # a line each
    begins: str  # what is kept of the state before anything is learned
    differs: str  # a paragraph
    cell: type[Cell[Any]]
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def make(self, input_size: int, hidden_size: int, **options: Any) -> Cell[Any]:
        """Return the cell with D inputs and a state of H; options are those of its class, such as ``rng``."""
        return self.cell(input_size, hidden_size, **{**self.options, **options})


ATLAS: dict[str, Published] = {
    "rnn": Published(
        title="Elman network",
        year=1990,
        authors="J. L. Elman",
        paper="Finding Structure in Time",
        where="described in words and figure 2; there with logistic units, and trained by one step of history only",
        equations="h′ = tanh([h, x] W_h + b_h)",
        begins="nothing on purpose: the whole state goes through the weights",
        differs=(
            "The plain recurrent network, which all others answer to. Its one state is rewritten at each step: what "
            "is to last must pass the same matrix and the same tanh again and again, and so must its gradient, which "
            "shrinks or grows geometrically on the way."
        ),
        cell=RNNCell,
    ),
    "lstm-1997": Published(
        title="LSTM, no forget gate",
        year=1997,
        authors="S. Hochreiter, J. Schmidhuber",
        paper="Long Short-Term Memory",
        where=(
            "section 4; from memory. There g and h squash by 4σ − 2 and 2σ − 1, gates see each other, gradients are cut"
        ),
        equations=(
            "i = σ([h, x] W_i + b_i)\n"
            "g = tanh([h, x] W_g + b_g)\n"
            "o = σ([h, x] W_o + b_o)\n"
            "c′ = c + i ⊙ g\n"
            "h′ = o ⊙ tanh(c′)"
        ),
        begins="all of c: it has no way to forget",
        differs=(
            "The memory c is only added to, so along it the gradient neither shrinks nor grows: the constant error "
            "carousel. The price is that c grows with the sequence until tanh(c) saturates, and that what was written "
            "once cannot be removed but by writing its opposite."
        ),
        cell=LSTM1997Cell,
    ),
    "lstm": Published(
        title="LSTM",
        year=2000,
        authors="F. A. Gers, J. Schmidhuber, F. Cummins",
        paper="Learning to Forget: Continual Prediction with LSTM",
        where="section 3; from memory. There the squashing functions are those of 1997",
        equations=(
            "f = σ([h, x] W_f + b_f)\n"
            "i = σ([h, x] W_i + b_i)\n"
            "g = tanh([h, x] W_g + b_g)\n"
            "o = σ([h, x] W_o + b_o)\n"
            "c′ = f ⊙ c + i ⊙ g\n"
            "h′ = o ⊙ tanh(c′)"
        ),
        begins="σ(1) = 73 % of c: b_f begins with 1",
        differs=(
            "What everybody calls the LSTM: a fourth layer, the forget gate, scales the memory before it is added to. "
            "It can count, reset itself, and read endless streams. The gradient along c is the product of the forget "
            "gates, so what they begin with decides how far back one can learn."
        ),
        cell=LSTMCell,
    ),
    "peephole-2000": Published(
        title="LSTM with peepholes",
        year=2000,
        authors="F. A. Gers, J. Schmidhuber",
        paper="Recurrent Nets that Time and Count",
        where=(
            "from memory; as there each gate sees its own entry of c only (Olah's page, and our peephole, has a full "
            "matrix)"
        ),
        equations=(
            "f = σ([h, x] W_f + p_f ⊙ c + b_f)\n"
            "i = σ([h, x] W_i + p_i ⊙ c + b_i)\n"
            "g = tanh([h, x] W_g + b_g)\n"
            "c′ = f ⊙ c + i ⊙ g\n"
            "o = σ([h, x] W_o + p_o ⊙ c′ + b_o)\n"
            "h′ = o ⊙ tanh(c′)"
        ),
        begins="about σ(1) = 73 % of c: b_f begins with 1",
        differs=(
            "Gates that see the memory even while the output gate hides it: f and i see the old c, o sees the new "
            "one. Three more numbers for each unit. It learns to tell 49 steps from 50; on tasks without exact timing "
            "Greff et al. (2015) found no benefit."
        ),
        cell=PeepholeLSTMCell,
        options={"diagonal": True},
    ),
    "coupled": Published(
        title="Coupled LSTM (CIFG)",
        year=2015,
        authors="K. Greff, R. K. Srivastava, J. Koutník, B. R. Steunebrink, J. Schmidhuber",
        paper="LSTM: A Search Space Odyssey",
        where="the variant CIFG, fᵗ = 1 − iᵗ; from memory. There with peepholes",
        equations=(
            "i = σ([h, x] W_i + b_i)\n"
            "g = tanh([h, x] W_g + b_g)\n"
            "o = σ([h, x] W_o + b_o)\n"
            "c′ = (1 − i) ⊙ c + i ⊙ g\n"
            "h′ = o ⊙ tanh(c′)"
        ),
        begins="σ(1) = 73 % of c: b_i begins with −1",
        differs=(
            "One gate decides both what to forget and what to write, so c stays a weighted mean of candidates, within "
            "±1. A quarter of the LSTM's parameters less. It is the GRU's bargain with the LSTM's output gate."
        ),
        cell=CoupledLSTMCell,
    ),
    "gru": Published(
        title="GRU",
        year=2014,
        authors="K. Cho, B. van Merriënboer, C. Gulcehre, D. Bahdanau, F. Bougares, H. Schwenk, Y. Bengio",
        paper="Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation",
        where=(
            "equations 5 to 8, from memory, where z is what is kept; z as in J. Chung et al. (2014), and on Olah's page"
        ),
        equations=(
            "z = σ([h, x] W_z + b_z)\nr = σ([h, x] W_r + b_r)\ng = tanh([r ⊙ h, x] W_g + b_g)\nh′ = (1 − z) ⊙ h + z ⊙ g"
        ),
        begins="σ(0) = 50 % of h: all biases begin with 0",
        differs=(
            "Memory and output are one state. The update gate z moves each unit part of the way to a candidate, as in "
            "the coupled LSTM; the reset gate r decides what of the state the candidate may see. There is no output "
            "gate: all that is remembered is shown."
        ),
        cell=GRUCell,
        options={"reset_after": False},
    ),
    "mgu": Published(
        title="MGU",
        year=2016,
        authors="G.-B. Zhou, J. Wu, C.-L. Zhang, Z.-H. Zhou",
        paper="Minimal Gated Unit for Recurrent Neural Networks",
        where="from memory; the numbers of its equations could not be looked up",
        equations=("f = σ([h, x] W_f + b_f)\ng = tanh([f ⊙ h, x] W_g + b_g)\nh′ = (1 − f) ⊙ h + f ⊙ g"),
        begins="1 − σ(−1) = 73 % of h: b_f begins with −1",
        differs=(
            "A GRU with its two gates made one: f is both what to replace and what the candidate may see, so a unit "
            "that keeps its state also hides it from the candidates. A third of the GRU's parameters less."
        ),
        cell=MGUCell,
    ),
    "ugrnn": Published(
        title="UGRNN",
        year=2017,
        authors="J. Collins, J. Sohl-Dickstein, D. Sussillo",
        paper="Capacity and Trainability in Recurrent Neural Networks",
        where="compared with implementations; z is called g there, and g is called c",
        equations=("z = σ([h, x] W_z + b_z)\ng = tanh([h, x] W_g + b_g)\nh′ = z ⊙ h + (1 − z) ⊙ g"),
        begins="σ(1) = 73 % of h: b_z begins with 1",
        differs=(
            "The least one can add to a plain RNN: one gate that weighs the old state against the RNN's new one. A "
            "GRU without its reset gate. The authors found that all cells hold about as much in each parameter, and "
            "that what differs is how well they train."
        ),
        cell=UGRNNCell,
    ),
    "ran": Published(
        title="RAN",
        year=2017,
        authors="K. Lee, O. Levy, L. Zettlemoyer",
        paper="Recurrent Additive Networks",
        where="compared with the authors' own code, where h′ = c′ is the second choice",
        equations=("g = x W_g\ni = σ([h, x] W_i + b_i)\nf = σ([h, x] W_f + b_f)\nc′ = i ⊙ g + f ⊙ c\nh′ = tanh(c′)"),
        begins="σ(1) = 73 % of c: b_f begins with 1",
        differs=(
            "What is written is a linear function of the input alone, so c is a weighted sum of all inputs seen, and "
            "the recurrence lives in the gates' weights only. It asks what of the LSTM is needed: no tanh in the "
            "candidate, no state in it, no output gate."
        ),
        cell=RANCell,
    ),
    "janet": Published(
        title="JANET",
        year=2018,
        authors="J. van der Westhuizen, J. Lasenby",
        paper="The Unreasonable Effectiveness of the Forget Gate",
        where="compared with the authors' own code, where β = 1",
        equations=("s = [h, x] W_s + b_s\ng = tanh([h, x] W_g + b_g)\nh′ = σ(s) ⊙ h + (1 − σ(s − 1)) ⊙ g"),
        begins="σ(1) = 73 % of h: b_s begins with 1 (the paper draws log U(1, T − 1), our longest=T)",
        differs=(
            "The LSTM's forget gate and nothing else. It writes 1 − σ(s − 1), more than the 1 − σ(s) it forgets, so "
            "that something still comes in where the gate is nearly open. The paper's results rest on biases drawn "
            "for the length of the task; in this table all cells begin alike."
        ),
        cell=JANETCell,
    ),
    "mingru": Published(
        title="minGRU",
        year=2024,
        authors="L. Feng, F. Tung, M. O. Ahmed, Y. Bengio, H. Hajimirsadeghi",
        paper="Were RNNs All We Needed?",
        where="section 3.1, not numbered; compared with implementations",
        equations=("z = σ(x W_z + b_z)\ng = x W_g + b_g\nh′ = (1 − z) ⊙ h + z ⊙ g"),
        begins="1 − σ(−1) = 73 % of h: b_z begins with −1",
        differs=(
            "A GRU whose gate and candidate see the input alone. The state enters only where it is kept, so h′ is "
            "linear in h and a whole sequence can be computed in parallel. One layer cannot let what it has seen "
            "decide what it writes: that takes several layers on one another."
        ),
        cell=MinGRUCell,
    ),
    "minlstm": Published(
        title="minLSTM",
        year=2024,
        authors="L. Feng, F. Tung, M. O. Ahmed, Y. Bengio, H. Hajimirsadeghi",
        paper="Were RNNs All We Needed?",
        where="section 3.2, not numbered; compared with implementations",
        equations=("f = σ(x W_f + b_f)\ni = σ(x W_i + b_i)\ng = x W_g + b_g\nh′ = f / (f + i) ⊙ h + i / (f + i) ⊙ g"),
        begins="σ(1) / (σ(1) + σ(0)) = 59 % of h: b_f begins with 1",
        differs=(
            "An LSTM whose gates and candidate see the input alone, without output gate, and with forget and input "
            "gate scaled to add up to one. So it is a minGRU with another way to write its gate, and half as many "
            "parameters again; as linear in h as that."
        ),
        cell=MinLSTMCell,
    ),
}
"""The twelve by the names that commands use, in the order of their years but for the LSTM's family."""
