"""Modules: what they hold is found, named once and never copied."""

import tinygrad_lstm as tl


def test_a_weight_of_two_modules_has_one_name():
    """That of the first module it is part of, however often it is tied."""
    both, a, b = tl.nn.Module(), tl.LSTMCell(2, 3, rng=0), tl.LSTMCell(2, 3, rng=1)
    a.forget_gate.weight = b.forget_gate.weight
    both.a, both.b = a, b
    assert a.forget_gate.weight.name == "a.forget_gate.weight"
    assert [path for path, _ in both.named_parameters()].count("a.forget_gate.weight") == 1
    assert {path: parameter.name for path, parameter in both.named_parameters()} == {
        path: path for path, _ in both.named_parameters()
    }
