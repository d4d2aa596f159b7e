"""A language model is its three parts, one after another; it comes back from a file, and is drawn with their names."""

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.named import names

LanguageModel = tl.nn.LanguageModel


@pytest.mark.parametrize("cell", names())
@pytest.mark.parametrize("embedding_size", [None, 3])
def test_it_is_its_parts_one_after_another(cell, embedding_size, tmp_path):
    model = LanguageModel(6, 4, cell=cell, num_layers=2, embedding_size=embedding_size, rng=0, dtype="float32")
    ids = np.random.default_rng(0).integers(0, 6, size=(5, 2))
    scores, state = model(ids)
    xs = tl.one_hot(ids, 6, dtype="float32") if embedding_size is None else model.embedding(ids)
    output, expected = model.recurrent(xs)
    np.testing.assert_array_equal(scores.value, model.head(output).value)
    assert scores.shape == (5, 2, 6)
    assert scores.dtype == np.float32
    first = lambda state: state[0] if isinstance(state, tuple) else state
    np.testing.assert_array_equal(first(state).value, first(expected).value)
    again = tl.load(tl.save(model, tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(again(ids)[0].value, scores.value)


def test_one_sequence_needs_no_batch_and_goes_on_from_its_state():
    model = LanguageModel(6, 4, rng=0)
    whole, _ = model([1, 2, 3, 4])
    first, state = model([1, 2])
    then, _ = model([3, 4], state)
    np.testing.assert_allclose(np.concatenate([first.value, then.value]), whole.value, rtol=1e-12)


def test_every_part_learns():
    model = LanguageModel(6, 4, rng=0, embedding_size=3)
    tl.cross_entropy(model([1, 2, 3, 4])[0], [2, 3, 4, 5]).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert {path.split(".")[0] for path, _ in model.named_parameters()} == {"embedding", "recurrent", "head"}


def test_its_picture_has_the_names_of_its_parts():
    model = LanguageModel(6, 4, rng=0, embedding_size=3)
    source = tl.draw(tl.cross_entropy(model([1, 2, 3])[0], [2, 3, 4]), "cells").source
    assert "embedding" in source
    assert "head" in source


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hidden_size": 0}, "hidden_size must be a positive whole number"),
        ({"vocabulary_size": 0}, "vocabulary_size must be a positive"),
        ({"num_layers": 0}, "num_layers must be a positive"),
        ({"embedding_size": 0}, "num_embeddings|embedding_dim must be a positive"),
        ({"cell": "transformer"}, "cell must be one of rnn, lstm, gru, .*, not 'transformer'"),
        ({"dropout": 0.5}, "dropout=0.5 acts between layers, and there is one"),
    ],
)
def test_what_it_cannot_be_made_of_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        LanguageModel(**{"vocabulary_size": 6, "hidden_size": 4, **arguments})


@pytest.mark.parametrize(
    ("ids", "kind", "words"),
    [
        ([0.5], TypeError, "ids must be numbers of symbols, integers"),
        ([6], IndexError, "symbols must lie in 0 … 5"),
        ([-1], IndexError, "symbols must lie in 0 … 5"),
        ([[[0]]], tl.ShapeError, r"they must be \(T, N\) or \(T\)"),
    ],
)
@pytest.mark.parametrize("embedding_size", [None, 3])
def test_what_are_no_symbols_is_refused(ids, kind, words, embedding_size):
    with pytest.raises(kind, match=words):
        LanguageModel(6, 4, rng=0, embedding_size=embedding_size)(ids)


def test_a_model_that_is_half_made_has_a_repr():
    assert repr(LanguageModel.__new__(LanguageModel)) == "LanguageModel()"
    assert repr(LanguageModel(6, 4, num_layers=2, rng=0)) == "LanguageModel(6 symbols, 6 → 4, LSTMCell, layers=2)"
