"""What people ask about backpropagation, each answered on a page in at most three clicks, by a sentence and numbers.

``tests/stepper/test_questions.py`` has the same answered by calls. Here nothing is known but what the screen shows.
"""

import re
from itertools import pairwise

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.stepper.web.page import page as page_of
from tinygrad_lstm.tour import gaps, run

AT_MOST = 3


class Asked:
    """A page that somebody asks: every click is counted, and what is read is what is seen."""

    def __init__(self, page):
        self.page = page
        self.clicks = 0

    def click(self, name, within="body"):
        """Click what is called so, and fail at the fourth click."""
        self._counted()
        self.page.locator(within).get_by_role("button", name=name, exact=True).click()

    def choose(self, name, within):
        """Choose one of several: a click."""
        self._counted()
        self.page.locator(within).get_by_label(name, exact=True).click()

    def select(self, option, within):
        """Choose from a list: a click."""
        self._counted()
        self.page.locator(within).select_option(label=option)

    def tank(self, letters):
        """Click the tank of a weight."""
        self._counted()
        self.page.locator("#tanks .tank", has_text=letters).click()

    def drag(self, slider, value):
        """Drag a slider: a click."""
        self._counted()
        self.page.locator(slider).evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
        )

    def _counted(self):
        self.clicks += 1
        assert self.clicks <= AT_MOST

    def read(self, selector):
        """Return the text that is seen there."""
        found = self.page.locator(selector)
        assert found.is_visible()
        return found.inner_text().replace("\N{NO-BREAK SPACE}", " ")

    @property
    def why(self):
        return self.read("#equation .why")

    @property
    def felt(self):
        return self.read("#felt")

    def numbers(self, selector):
        """Return the numbers that are seen there."""
        text = self.read(selector).replace("−", "-")
        return [float(number) for number in re.findall(r"-?\d[\d.]*(?:e-?\d+)?", text)]

    @property
    def after(self):
        """The total after the contribution at hand, number by number."""
        return self.numbers("#accumulator .after > :not(h3)")


@pytest.fixture
def ask(open_page):
    def ask(loss, seed=None):
        stepper = tl.step(loss, seed)
        return Asked(open_page(page_of(stepper), reduced_motion="reduce")), stepper

    return ask


def unrolled(cell, steps=5, cut=None):
    """The loss of the last h; ``cut`` detaches the state before that step."""
    rng, state = np.random.default_rng(1), None
    for t in range(steps):
        if t == cut:
            state = tuple(part.detach() for part in state)
        with tl.time_step(t):
            state = cell(tl.tensor(rng.normal(size=(1, 3)), name="x"), state)
    return (state[0] if isinstance(state, tuple) else state).sum()


def learned(numbers, name):
    return tl.tensor(numbers, requires_grad=True, name=name)


def close(shown, real):
    """Whether numbers on the screen are those of Python, to the four digits that are shown."""
    return np.allclose(shown, np.ravel(real), rtol=1e-3)


BACK, ON, END, HOME = "→ send the error back", "On by one contribution", "To the end", "To the beginning"


def test_why_plus_equals(ask):
    """micrograd, issue 72. Both uses of b add to its gradient."""
    a = learned(1.5, "a")
    b = a + a
    b.name = "b"
    asked, stepper = ask(b + b)
    asked.click(BACK)
    assert asked.why.startswith("b is used 2 times here, so ∂L/∂b has 2 parts, which are added (+=); this is number 1")
    assert asked.after == [1.0]
    asked.click(ON)
    assert "this is number 2, and it is complete." in asked.why
    assert asked.after == [stepper.ledger(b).total] == [2.0]


def test_why_topological_order(ask):
    """micrograd, issue 2. b's rule multiplies what has arrived, so it must wait for both parts."""
    a = learned(1.0, "a")
    b = tl.tanh(a)
    b.name = "b"
    asked, stepper = ask((b * 2) + (b * 3))
    for button in (BACK, ON, ON):
        asked.click(button)
    assert "∂L/∂b has 2 parts, which are added (+=); this is number 1, and 1 to come before its own rule applies." in (
        asked.why
    )
    first, second = stepper.ledger(b)
    assert close(asked.after, first.after)
    assert second.after.item() == 5.0 > asked.after[0]


def test_why_does_backward_twice_double(ask):
    """micrograd, issue 53. What backward() brings is added to .grad."""
    w = learned(3.0, "w")
    loss = w * w
    asked, _ = ask(loss)
    asked.click(END)
    said = "backward() adds each gradient to its .grad, so a second call makes that twice as much, until zero_grad()"
    assert said in asked.read("#accumulator .end")
    loss.backward()
    (w * w).backward()
    assert w.grad.item() == 2 * asked.after[0]


def test_where_and_by_which_gate_did_it_vanish(ask):
    """Read at first sight, without a click."""
    cell = tl.LSTMCell(3, 4, rng=0)
    cell.forget_gate.bias.value = np.full(4, -12.0)
    asked, stepper = ask(unrolled(cell))
    norms = [row.norms["c"] for row in stepper.flow()]
    factors = [early / late for early, late in pairwise(norms)]
    at = int(np.argmin(factors))
    assert f"Most is lost from t = {at + 1} to t = {at}, × {factors[at]:.3g}" in asked.felt
    share = re.search(rf"there f{'₀₁₂₃₄'[at + 1]}, a gate, is open ([\d.e-]+) % on average", asked.felt)[1]
    assert np.isclose(float(share), 100 * stepper.flow()[at + 1].gates["f"].value.mean(), rtol=5e-3)
    assert float(share) < 0.01


def test_f_1_against_f_0(ask):
    """With f = 1 the belt hands the gradient on, with f = 0 nothing of it."""
    cell = tl.LSTMCell(3, 4, rng=0)
    loss = unrolled(cell)
    asked, _ = ask(loss)
    asked.click("What if…")
    for held in (1, 0):
        asked.choose(f"held at {held}", "#change fieldset:has(legend:text-matches('^f '))")
        norms = [row.norms["c"] for row in tl.step(tl.what_if(loss, {cell.forget_gate: float(held)})).flow()]
        assert f"{norms[-1]:.3g} at t = 4" in asked.felt
        assert f"{norms[0]:.3g}"[:6] in asked.felt
        assert ("is left" in asked.felt) == (norms[0] < norms[-1])
    assert "a gate, is open 0 % on average" in asked.felt


def test_what_a_gate_between_0_and_1_does(ask):
    """It lets that share pass, forwards and backwards."""
    f, c = tl.sigmoid(learned([-1.0, -1.2], "a")), learned([8.0, 4.0], "c")
    f.name = "f"
    asked, _ = ask((c * f).sum())
    asked.click(BACK)
    asked.click(ON)
    share = 100 * f.value.mean()
    assert (
        f"f is a gate, open {share:.3g} % on average: that share of c went forward, that share of the error"
        in asked.why
    )
    assert close(asked.after, f.value), "as much as the gate is open, of an error of 1"


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gaps, "BUDGET", 320)
        return run("the clouds are in the sky", tmp_path_factory.mktemp("tour"))


def test_how_the_rnn_rewrites_and_the_lstm_adds(open_page, tour):
    """One click in the contents of the article."""
    asked = Asked(open_page((tour.directory / "index.html").read_text(encoding="utf-8")))
    asked.page.get_by_role("link", name="Small changes").click()
    said = " ".join(asked.read("#changes .prose").split())
    means = {}
    for reading in (tour.gated, tour.plain):
        states = np.array([np.ravel(state.numpy()) for state in reading.states])
        means[reading.title] = np.mean(
            np.linalg.norm(np.diff(states, axis=0), axis=1) / np.linalg.norm(states[:-1], axis=1)
        )
    said = said.replace("c t", "ct").replace("h t", "ht")
    shown = re.search(r"the LSTM’s ct changes by (\d+\.\d+) and the RNN’s ht by (\d+\.\d+)", said)
    assert np.allclose([float(x) for x in shown.groups()], [means["LSTM"], means["RNN"]], atol=0.006)
    assert means["LSTM"] < means["RNN"]
    assert "RNN writes a new state over the old one, every time." in said


def test_what_clipping_changes(ask):
    """The length of the step, and not its direction."""
    w = learned([3.0, 4.0], "w")
    loss = (w * w).sum()
    asked, _ = ask(loss)
    asked.click(END)
    said = asked.read("#accumulator .end")
    assert "clipped to 5, each number is halved: a step half as long, in the same direction." in said
    loss.backward()
    assert close(float(re.search(r"together have norm ([\d.]+);", said)[1]), np.linalg.norm(w.grad.value))
    tl.clip_grad_norm([w], 5.0)
    assert close(w.grad.value, np.array(asked.after) / 2)


def test_why_is_a_dead_relu_dead(ask):
    """Every number that comes in is below 0, where relu is flat."""
    layer = tl.Linear(3, 2, rng=0)
    layer.bias.value = np.full(2, -30.0)
    asked, stepper = ask(tl.relu(layer(np.ones((1, 3)))).sum())
    asked.click(BACK)
    asked.click(ON)
    assert asked.why.startswith("Nothing passes: the slope of relu to ")
    assert asked.why.endswith("is 0 for all that came in here, so what is before it is not taught.")
    assert asked.after == [0.0, 0.0]
    assert close(asked.numbers("#numbers dd.here"), stepper.until("op:relu").node.inputs[0].value)
    assert max(asked.numbers("#numbers dd.here")) < 0


def test_what_the_batch_does_to_the_gradient_of_b(ask):
    """It is a sum over the rows."""
    b, x = learned([0.5, 0.5], "b"), tl.tensor(np.arange(6.0).reshape(3, 2), name="x")
    asked, stepper = ask(tl.tanh(x + b).sum())
    asked.click(END)
    assert asked.why.startswith(
        "Each number of b was used 3 times at once, as by every row of a batch: ∂L/∂b is the sum"
    )
    assert close(asked.after, stepper.events[-1].step.product.sum(axis=0))
    assert "summed from (3, 2) to (2,)" in asked.read("#accumulator")


def test_what_truncation_threw_away(ask):
    """Of each weight the parts of the steps before the cut."""
    cell = tl.LSTMCell(3, 4, rng=0)
    asked, stepper = ask(unrolled(cell, cut=2))
    asked.click(END)
    said = asked.read("#accumulator .end")
    assert "no error went further back than t = 2, where a detached state begins" in said
    assert "no weight got a part from the steps before" in said
    rows = [int(row) for row in re.findall(r"t = (\d)", asked.read("#ledger"))]
    whole = tl.step(unrolled(cell)).ledger(cell.forget_gate.weight).by_time()
    assert rows == list(stepper.ledger(cell.forget_gate.weight).by_time()) == [4, 3, 2]
    assert set(whole) - set(rows) == {0, 1}


def test_why_is_the_gradient_of_x_not_that_of_the_weight(ask):
    """Each gets what the other was."""
    x, w = learned(2.0, "x"), learned(5.0, "w")
    asked, stepper = ask(x * w)
    for button, slope, gets in ((BACK, "w", x), (ON, "x", w)):
        asked.click(button)
        assert asked.why.endswith(f"In a product the slope to one factor is the other: here {slope}.")
        assert asked.after == [stepper.ledger(gets).total]


def test_what_does_a_forget_bias_of_1_buy(ask):
    """More of the gradient is left at the first step."""
    cell = tl.LSTMCell(3, 4, rng=0)
    cell.forget_gate.bias.value = np.zeros(4)
    loss = unrolled(cell, steps=20)
    asked, stepper = ask(loss)
    before = asked.felt
    asked.click("What if…")
    asked.select("forget_gate.bias  (4,)", ".which select")
    asked.drag("#change .plus input", 1)
    left = {}
    for said, flow in (
        (before, stepper.flow()),
        (asked.felt, tl.step(tl.what_if(loss, {cell.forget_gate.bias: np.ones(4)})).flow()),
    ):
        left[said] = float(re.search(r"([\d.e-]+) % is left", said.replace("−", "-"))[1])
        assert np.isclose(left[said], 100 * flow[0].norms["c"] / flow[-1].norms["c"], rtol=5e-3)
    assert left[asked.felt] > 50 * left[before]


def test_what_the_transpose_does_to_the_shapes(ask):
    """What comes from above has the shape of the product, what is sent on that of the operand."""
    x, w = learned(np.ones((5, 3)), "x"), learned(np.ones((3, 2)), "W")
    asked, _ = ask((x @ w).sum())
    asked.click(BACK)
    asked.click(ON)
    assert asked.why.endswith("In a product the slope to one factor is the other: here W.")
    assert len(asked.after) == x.size
    assert close(asked.after, np.ones((5, 2)) @ w.value.T)


def test_what_the_seed_does(ask):
    """At first sight: all gradients are multiples of it."""
    x = learned([1.0, 2.0], "x")
    once, thrice = (ask(tl.tanh(x), seed)[0] for seed in ([1.0, 0.5], [3.0, 1.5]))
    for asked in (once, thrice):
        assert "or what was given as the seed; all gradients are multiples of it." in asked.why
        asked.click(END)
    assert close(thrice.after, 3 * np.array(once.after))


def test_which_operation_made_the_first_nan(ask):
    x = learned([-1.0, 4.0], "x")
    with np.errstate(invalid="ignore"):
        asked, _ = ask((tl.sqrt(x) * 2).sum())
    asked.click("where that begins")
    assert asked.why == ("Here the first numbers appear that are not finite (NaN or ∞): sqrt made them of finite ones.")
    assert asked.numbers("#numbers dd:last-of-type") == [-1.0, 4.0]


def test_which_step_gave_the_forget_gate_most(ask):
    """The ledger has a part for each step, and a bar for how long it is."""
    cell = tl.LSTMCell(3, 4, rng=0)
    asked, stepper = ask(unrolled(cell))
    asked.tank("Wf")
    assert asked.why.startswith("The same W_f is used at 5 steps, so ∂L/∂W_f has 5 parts, which are added (+=)")
    rows = {
        int(t): float(norm)
        for t, norm in re.findall(r"t = (\d)\s+matmul\s+‖([\d.e-]+)‖", asked.read("#ledger").replace("−", "-"))
    }
    by_time = stepper.ledger(cell.forget_gate.weight).by_time()
    assert max(rows, key=rows.get) == max(by_time, key=lambda t: np.linalg.norm(by_time[t]))
    assert all(close(rows[t], np.linalg.norm(part)) for t, part in by_time.items())


def test_why_has_the_forget_gate_nothing_to_learn_at_the_first_step(ask):
    """The state before the first step is 0: there is nothing to forget."""
    asked, stepper = ask(unrolled(tl.LSTMCell(3, 4, rng=0)))
    blocked = [event for event in stepper.events.backward if "which is 0 here" in event.why]
    assert blocked
    asked.page.evaluate(f"location.hash = '#step={blocked[0].index - 1}'")
    asked.click(ON)
    assert asked.why == "Nothing passes: f₀ was multiplied by c₋₁, which is 0 here."
    assert asked.after == [0.0] * 4


def test_why_is_the_gradient_of_x_none(ask):
    """PyTorch's forum: "why is .grad None?"."""
    x, w = tl.tensor([1.0, 2.0], name="x"), learned([3.0, 4.0], "w")
    loss = (x * w).sum()
    asked, _ = ask(loss)
    asked.click(HOME)
    assert asked.why == "x is given, not learned: no gradient is sent to it, and its .grad is None."
    loss.backward()
    assert x.grad is None


def test_what_detach_cuts(ask):
    """PyTorch's forum: "detach, no_grad and requires_grad"."""
    h, w = learned([0.5, 0.2], "h"), learned([3.0, 4.0], "w")
    cut = h.detach()
    cut.name = "h"
    loss = (cut * w).sum()
    asked, _ = ask(loss)
    asked.click(HOME)
    asked.click(ON)
    assert asked.why == (
        "h was detached: its numbers are used, but no error goes back past it, so what made it is not taught."
    )
    assert close(asked.numbers("#numbers dd"), h.value)
    loss.backward()
    assert h.grad is None


def test_why_the_gradient_of_an_rnn_vanishes(ask):
    """At first sight: smaller by a factor at every step back."""
    asked, stepper = ask(unrolled(tl.RNNCell(3, 4, rng=0), steps=30))
    norms = [row.norms["h"] for row in stepper.flow()]
    rate = (norms[0] / norms[-1]) ** (1 / 29)
    assert re.match(r"‖∂L/∂h‖ falls from 2 at t = 29 to [\d.e−]+ at t = 0: ", asked.felt)
    assert f"× {rate:.3g} a step." in asked.felt
    assert rate < 0.9


def test_why_does_a_saturated_unit_learn_nothing(ask):
    """Near the end of its range tanh is flat."""
    x = learned([9.0, -9.0], "x")
    asked, _ = ask(tl.tanh(x).sum())
    asked.click(END)
    assert "What tanh computed is saturated: nearly flat there, it lets" in asked.why
    share = float(re.search(r"it lets ([\d.e-]+) % of what comes", asked.why.replace("−", "-"))[1])
    assert np.isclose(share, 100 * (1 - np.tanh(9.0) ** 2), rtol=5e-3)
    assert close(asked.after, 1 - np.tanh([9.0, -9.0]) ** 2)


def test_there_are_twenty_of_them():
    assert sum(name.startswith("test_") for name in globals()) > 20
