"""Every formula in three notations: none is empty, brackets and environments match, nothing of a user's is markup."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.symbolic.formulas import forward, input_formulas
from tinygrad_lstm.symbolic.notation import LATEX, MATHML, PLAIN
from tinygrad_lstm.testing.generate.cases import CASES

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1) | st.sampled_from(
    ["</mi><script>", "}{", "\\end{aligned}", "$x$", "a_b^c", "100%", "#1 & 2", "~", "W_f", "δ", "h′", "\\", "[", "x]"]
)
COMMAND = re.compile(r"\\(?:[a-zA-Z]+|.)", re.DOTALL)


def require_balanced(latex):
    """Braces, brackets that grow and environments open and close in order; no bare special letter is left."""
    opened = []
    rest = re.sub(r"\\(?:begin|end|left|right)\s*(?:\{\w+\}|.)", _note(opened), latex)
    assert not opened
    rest = COMMAND.sub("", rest)
    depth = 0
    for letter in rest:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    assert not set(rest) & set("$#%~")
    assert "&" not in rest or "aligned" in latex or "matrix" in latex


def _note(opened):
    def note(found):
        word, what = re.match(r"\\(\w+)\s*(.*)", found[0], re.DOTALL).groups()
        if word in ("begin", "left"):
            opened.append((word, what))
        else:
            before, begun = opened.pop()
            assert (before, word) in (("begin", "end"), ("left", "right"))
            assert word == "right" or begun == what
        return ""

    return note


def require_written(formula):
    for width in (20, 76):
        assert formula.broken(PLAIN, width).strip()
        require_balanced(formula.broken(LATEX, width))
        tree = ElementTree.fromstring(f"<math>{formula.broken(MATHML, width)}</math>")
        assert {each.tag for each in tree.iter()} <= TAGS
        assert "".join(tree.itertext())


TAGS = set("math mrow mi mn mo mtext mspace msub msup msubsup mfrac msqrt mtable mtr mtd".split())  # noqa: SIM905


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=6)  # each draws several names
@given(data=st.data())
def test_every_primitive_in_every_notation_under_any_name(name, data):
    case = data.draw(CASES[name])
    inputs = [tl.tensor(x, requires_grad=True, name=data.draw(NAMES)) for x in case.inputs]
    with np.errstate(all="ignore"):
        y = tl.Graph(case.f(*inputs)).output
    for formula in [forward(y), forward(y, numbers=True), *input_formulas(y), *input_formulas(y, np.ones(y.shape))]:
        if formula is not None:
            require_written(formula)


@given(NAMES)
def test_what_a_user_calls_something_is_never_markup(name):
    x = tl.tensor([1.0, 2.0], requires_grad=True, name=name)
    written = tl.formula(x * x)
    require_balanced(written.latex)
    tree = ElementTree.fromstring(written.mathml)
    assert {each.tag for each in tree.iter()} <= TAGS
    assert not re.search(r"(?<!\\)[$%#~]", COMMAND.sub("", written.latex))


@pytest.mark.parametrize("symbol", ["⊞", "<b>", "%", "a_b", "\\input", "f'"])
def test_what_a_user_calls_an_operation_is_never_markup(symbol):
    odd = tl.primitive("odd", lambda a, b: a + b, lambda g, y, a, b: (odd(g, g), g), symbol, style="infix")
    x = tl.tensor([1.0], requires_grad=True, name="x")
    for formula in [forward(odd(x, x)), *input_formulas(odd(x, x))]:
        require_written(formula)


def test_the_balance_is_looked_at():
    for wrong in ["{", "}", r"\left( x", r"\begin{aligned}", r"\left( \begin{a} \right) \end{a}", "a % b", "$"]:
        with pytest.raises((AssertionError, IndexError)):
            require_balanced(wrong)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("W", "f"), ("W_f", "W_{\\mathrm{f}}".replace("\\mathrm{f}", "f"))),
        (("h", "", "3"), ("h₃", "h_{3}")),
        (("h", "", "-1"), ("h₋₁", "h_{-1}")),
        (("h", "", "t−1"), ("h_{t−1}", "h_{t-1}")),
        (("h", "", "t"), ("h_t", "h_{t}")),
        (("δ", "f", "t+1"), ("δ_{f,t+1}", "\\delta_{f,t+1}")),
        (("δ", "f", "2"), ("δ_f₂", "\\delta_{f,2}")),
        (("W", "f", "", "(1)"), ("W⁽¹⁾_f", "W^{(1)}_{f}")),
        (("h′",), ("h′", "h'")),
        (("gate_in",), ("gate_in", "\\mathrm{gate\\_in}")),
    ],
)
def test_names(written, expected):
    assert (PLAIN.name(*written), LATEX.name(*written)) == expected


def test_numbers_and_their_signs_in_latex():
    assert LATEX.number(-1.5e-20) == r"-1.5 \cdot 10^{-20}"
    assert LATEX.number(-np.inf) == r"-\infty"
    assert LATEX.number(np.nan) == r"\mathrm{nan}"
    assert LATEX.numbers([[1, -2]]) == r"\begin{bmatrix} 1 & -2 \end{bmatrix}"


def test_a_long_formula_is_broken_before_sums_and_products():
    a, b, c, d = (tl.tensor(np.ones(9), name=f"{letter}" * 12) for letter in "abcd")
    line = forward(a * b + c * d - a)
    assert line.broken(width=90) == str(line)
    assert line.broken(width=34).splitlines() == [
        "y = aaaaaaaaaaaa ⊙ bbbbbbbbbbbb",
        "  + cccccccccccc ⊙ dddddddddddd",
        "  − aaaaaaaaaaaa",
    ]
    assert line.broken(width=20).splitlines() == [
        "y = aaaaaaaaaaaa",
        "  ⊙ bbbbbbbbbbbb",
        "  + cccccccccccc",
        "  ⊙ dddddddddddd",
        "  − aaaaaaaaaaaa",
    ]
    assert line.broken(LATEX, 34).count(r"\\") == 2
    assert line.broken(MATHML, 34).count("<mtr>") == 3


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda a, b, c: a - (b - c), "y = a − (b − c)"),
        (lambda a, b, c: a + (b - c), "y = a + b − c"),
        (lambda a, b, c: a - b - c, "y = a − b − c"),
        (lambda a, b, c: a * (b * c), "y = a ⊙ b ⊙ c"),
        (lambda a, b, c: a * (b / c), "y = a ⊙ (b / c)"),
        (lambda a, b, c: a * b / c, "y = a ⊙ b / c"),
        (lambda a, b, c: a / (b * c), "y = a / (b ⊙ c)"),
        (lambda a, b, c: -(a * b) + c, "y = −a ⊙ b + c"),
        (lambda a, b, c: a - -b, "y = a − −b".replace("−b", "(−b)")),
        (lambda a, b, c: -(a + b) * c, "y = −(a + b) ⊙ c"),
        (lambda a, b, c: (a + b) * c, "y = (a + b) ⊙ c"),
        (lambda a, b, c: (a * b) @ c, "y = (a ⊙ b) c"),
        (lambda a, b, c: a @ b * c, "y = a b ⊙ c"),
        (lambda a, b, c: (a @ b) @ c, "y = a b c"),
        (lambda a, b, c: a @ (b @ c), "y = a (b c)"),
        (lambda a, b, c: a @ b.T, "y = a bᵀ"),
        (lambda a, b, c: (a @ b).T, "y = (a b)ᵀ"),
        (lambda a, b, c: tl.tanh(a) ** 2, "y = tanh²(a)"),
        (lambda a, b, c: (a + b) ** 2, "y = (a + b)²"),
        (lambda a, b, c: tl.sum(a), "y = Σ a"),
        (lambda a, b, c: tl.sum(a * b, axis=0), "y = Σ₀(a ⊙ b)"),
        (lambda a, b, c: tl.sum(a @ b, axis=0) + c, "y = Σ₀ a b + c"),
        (lambda a, b, c: c * tl.sum(a), "y = c ⊙ (Σ a)"),
        (lambda a, b, c: tl.concat([a, b], axis=1), "y = [a, b]"),
        (lambda a, b, c: tl.concat([a, b], axis=0), "y = [a; b]"),
        (lambda a, b, c: tl.stack([a, b], axis=0), "y = stack(a, b)"),
    ],
)
def test_as_few_brackets_as_a_person_writes(f, expected):
    a, b, c = (tl.tensor(np.ones((2, 2)), name=letter) for letter in "abc")
    assert str(forward(f(a, b, c))) == expected
