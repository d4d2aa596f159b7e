"""Whatever a text holds, and by whatever road it comes, it neither commands a terminal nor turns a line around."""

import re
import unicodedata

import pytest

import tinygrad_lstm as tl
from tests.cli.commands import command
from tinygrad_lstm.pages.offline import templates
from tinygrad_lstm.stepper.web.page import page
from tinygrad_lstm.structure.words import JOINERS, printable
from tinygrad_lstm.tour import run

HOSTILE = "a\x1b[31mb\x07c\u202ed\x9be\u2066f\rg"


def harmless(text):
    """Tell whether a text holds nothing but what is read, and the ends of lines."""
    return all(ch in "\n" + JOINERS or unicodedata.category(ch) not in ("Cc", "Cf", "Cs") for ch in text)


def test_only_ends_of_lines_survive_of_what_is_not_read():
    assert not harmless(HOSTILE)
    assert harmless(printable(HOSTILE))
    assert printable("∂L/∂h₋₁\nव्\u200dष") == "∂L/∂h₋₁\nव्\u200dष"


TARGETS = {
    "raise ValueError({0!r})": "failed in line 1: ValueError",
    "raise SystemExit({0!r})": "failed in line 1: SystemExit",
    "import tinygrad_lstm as tl\ntl.tensor([1.0, 2.0], name={0!r}).value = [1.0]": "must keep its shape",
    "import tinygrad_lstm as tl\nglobals()[{0!r}] = tl.tensor(1.0)": "there is a",
}


@pytest.mark.parametrize("source", TARGETS)
@pytest.mark.parametrize("name", ["draw", "step", "check"])
def test_a_file_cannot_command_the_terminal_by_its_errors(name, source, tmp_path):
    (tmp_path / "mine.py").write_text(source.format(HOSTILE))
    done = command(name, f"{tmp_path}/mine.py:loss")
    assert done.returncode == 2
    assert TARGETS[source] in done.stderr
    assert harmless(done.stdout + done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("draw", "--highlight", HOSTILE),
        ("draw", "-o", HOSTILE),
        ("draw", "--expand", HOSTILE),
        ("draw", "--view", HOSTILE),
        ("draw", f"{HOSTILE}.py:loss"),
        ("draw", f"{__file__}:{HOSTILE}"),
        ("step", "--window", HOSTILE, "--html", "x.html"),
        ("step", "--html", f"/nowhere/{HOSTILE}.html"),
        ("check", "--op", HOSTILE),
        ("check", "--shape", HOSTILE),
        ("tour", "--file", HOSTILE),
        (HOSTILE,),
        (f"--{HOSTILE}",),
    ],
)
def test_what_is_typed_is_not_echoed_as_a_command(arguments):
    done = command(*arguments)
    assert done.returncode in (1, 2)
    assert harmless(done.stdout + done.stderr)


def hostile_loss():
    w = tl.tensor([0.5], requires_grad=True, name=HOSTILE)
    with tl.scope(HOSTILE):
        return tl.tanh(w).sum()


def test_the_stepper_prints_no_command_and_neither_do_its_pages():
    loss = hostile_loss()
    stepper = tl.step(loss)
    stepper.break_(HOSTILE)
    stepper.display(HOSTILE)
    shown = [stepper.info(), stepper.where(), stepper.list(), str(stepper.ledger(HOSTILE)), repr(stepper.breakpoints)]
    assert harmless("".join(shown))
    text = page(stepper)
    assert harmless(text.replace("\t", ""))
    assert not re.search(r"\\u00[01]|\\u20", text.split('id="data">')[1].split("</script>")[0])
    assert harmless((tl.draw(loss, "backward").svg + tl.draw(loss).source).replace("\t", ""))


def test_a_session_echoes_no_command(tmp_path):
    (tmp_path / "mine.py").write_text(
        f"import tinygrad_lstm as tl\nloss = tl.tanh(tl.tensor(0.5, requires_grad=True, name={HOSTILE!r}))\n"
    )
    typed = HOSTILE.replace("\r", "")
    lines = [f"break {typed}", "info", f"print {typed}", f"until op:{typed}", f"watch {typed}.grad", typed, "where"]
    done = command("step", f"{tmp_path}/mine.py:loss", stdin="\n".join(lines))
    assert harmless(done.stdout + done.stderr)
    assert "no command" in done.stdout


def test_errors_of_the_engine_and_of_the_checks_hold_no_command():
    x = tl.tensor([1.0, 2.0], requires_grad=True, name=HOSTILE)
    wrong = tl.primitive("wrong_here", lambda x: x * x, lambda g, y, x: (3 * x * g,))
    with tl.scope(HOSTILE), pytest.raises(tl.testing.GradientError) as caught:
        tl.testing.check_vjp(lambda: wrong(x), parameters=[x])
    assert harmless(str(caught.value))
    with tl.scope(HOSTILE), pytest.raises(tl.ShapeError) as caught:
        x + tl.tensor([1.0, 2.0, 3.0])
    assert harmless(str(caught.value))
    with pytest.raises(ValueError, match="does not depend") as caught:
        tl.grad(tl.tanh(tl.tensor(1.0, requires_grad=True)), [x])
    assert harmless(str(caught.value))


def test_pages_of_the_tour_run_nothing_and_show_no_command(tmp_path, monkeypatch):
    monkeypatch.setattr("tinygrad_lstm.tour.guide.UPDATES", 2)
    run(f"one {HOSTILE} two", tmp_path)
    for name in ("index.html", "check.html", "walk.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "Content-Security-Policy\" content=\"default-src 'none'" in text
        assert harmless(text.replace("\t", ""))


def test_whatever_is_put_into_a_page_is_printable():
    made = templates("tinygrad_lstm.pages").from_string("<p>{{ text }}</p>{{ number }}").render(text=HOSTILE, number=3)
    assert harmless(made)
    assert made.endswith("</p>3")
