"""What a page holds, and what it refuses to be made of; ``tests/browser`` uses it."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.stepper.commands import COMMANDS
from tinygrad_lstm.stepper.web.page import page
from tinygrad_lstm.stepper.web.record import Forms, Record
from tinygrad_lstm.structure.words import clean


def data(text):
    """What a page holds."""
    deflated = re.search(r'<script type="text/plain" id="data">(.*?)</script>', text, re.DOTALL)[1]
    return json.loads(zlib.decompress(base64.b64decode(deflated)))


def walk(output):
    return Record(tl.step(output).events, Forms()).walk()


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    stepper = tl.step(small_loss("rnn", 2))
    assert stepper.page(tmp_path / "step.html") == tmp_path / "step.html"
    with pytest.raises(ValueError, match=r"must end in \.html"):
        stepper.page(tmp_path / "step.svg")
    assert [file.name for file in tmp_path.iterdir()] == ["step.html"]


def test_two_pages_of_the_same_program_are_the_same():
    assert page(tl.step(small_loss("lstm", 3))) == page(tl.step(small_loss("lstm", 3)))


@pytest.mark.parametrize("name", ["\ud800", "</script><script>", "\u2028", "<!--", "x\ny", "\x00", "א", "a" * 5000])
def test_any_name_can_stand_on_a_page(name, tmp_path):
    x = tl.tensor(2.0, requires_grad=True, name=name)
    with tl.scope(name.replace("\n", "")):
        loss = x * 3.0
    stepper = tl.step(loss)
    text = stepper.page(tmp_path / "step.html").read_text(encoding="utf-8")
    assert text.count("</script>") == 2
    names = {node["name"] for node in walk(loss)["nodes"]}
    assert clean(name, 300) in names
    assert clean(name, 20)[:5] in "".join(data(text)["texts"])
    assert "\ud800" not in stepper._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("inputs", [((3, 0), (0, 4)), ((0, 3), (3, 2)), ((2, 3), (3, 0))])
def test_empty_arrays_are_no_obstacle(inputs):
    a, b = (tl.tensor(np.zeros(shape), requires_grad=True) for shape in inputs)
    loss = (a @ b).sum()
    assert data(page(tl.step(loss)))["cells"][""]["values"]
    assert len(walk(loss)["uses"]) == 3


@pytest.mark.slow
def test_a_long_program_without_time_has_a_page_too():
    y = x = tl.tensor([0.1], requires_grad=True, name="x")
    for _ in range(3000):
        y = tl.tanh(y)
    record = Record(tl.step(y.sum()).events, Forms())
    assert record.views() == []
    assert len(record.walk()["uses"]) == 3001
    assert x.name in {node["name"] for node in record.walk()["nodes"]}


def test_a_longer_walk_takes_hardly_more_room():
    short, long = (len(page(tl.step(small_loss("lstm", steps)))) for steps in (12, 60))
    assert long < 1.05 * short


def test_a_cell_that_none_of_the_makers_is_called_is_refused(tmp_path):
    makers = {"lstm": lambda steps: small_loss("lstm", steps)}
    with pytest.raises(ValueError, match="cell='gru' is none of the makers: lstm"):
        tl.step(small_loss("gru", 2)).page(tmp_path / "a.html", makers=makers, cell="gru")


def test_a_rule_that_has_no_formula_is_walked_all_the_same():
    sine = tl.primitive("numpy_sine", lambda x: np.sin(x), lambda g, y, x: (g * np.cos(np.asarray(x)),))
    stepper = tl.step(sine(tl.tensor(0.0, requires_grad=True, name="x")) * 1.0)
    last = stepper.goto(len(stepper) - 1)
    assert last.after == 1.0
    with pytest.warns(tl.UnknownToReader, match="the rule of numpy_sine cannot be read: it takes the numbers out"):
        assert last.formula == "∂L/∂x += what the rule of numpy_sine makes of it"
    with pytest.warns(tl.UnknownToReader):
        assert page(stepper)


def test_names_cannot_write_to_the_terminal():
    x = tl.tensor(2.0, requires_grad=True, name="\x1b[31mred\x07\nforged")
    stepper = tl.step(x * x)
    for text in (str(stepper.step()), stepper.where(), stepper.list()):
        assert "\x1b" not in text
        assert "\nforged" not in text


def test_what_is_not_there_is_refused_with_the_reason():
    stepper = tl.step(small_loss("rnn", 2))
    for call in (stepper.break_, stepper.until, stepper.print, stepper.display, stepper.watch, stepper.ledger):
        with pytest.raises(TypeError):
            call(3)
    with pytest.raises(ValueError, match="not in the graph"):
        stepper.watch(tl.tensor(1.0))
    assert stepper.info().startswith("no breakpoints")


def test_layers_are_told_apart_in_the_flow():
    rows = tl.step(small_loss("lstm", 3, layers=2)).flow()
    assert all(len(row.norms) == 4 for row in rows)
    assert all(len(row["states"]) == 4 for row in walk(small_loss("lstm", 3, layers=2))["flow"])


def test_the_end_of_a_name_will_do():
    stepper = tl.step(small_loss("lstm", 2))
    assert len(stepper.ledger("forget_gate.weight")) == 2
    with pytest.raises(ValueError, match="4 tensors are called 'weight'"):
        stepper.ledger("weight")


def test_a_place_that_is_not_in_the_walk_is_told():
    stepper = tl.step(small_loss("rnn", 2))
    assert "nothing here is at that place" in str(stepper.break_("nonsense"))
    assert "nothing here" not in str(stepper.break_("cell t:1 if norm < 1e-30"))


def test_every_word_is_a_method():
    stepper = tl.step(small_loss("rnn", 2))
    python = {"continue": "continue_", "return": "return_", "break": "break_", "quit": "__repr__"}
    for command in COMMANDS:
        assert callable(getattr(stepper, python.get(command.name, command.name.replace("-", "_"))))
        assert command.meaning in stepper.help()
        assert stepper.help(command.name).startswith(command.name)
    with pytest.raises(ValueError, match="no command 'x'"):
        stepper.help("x")
