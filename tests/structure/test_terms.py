"""The glossary explains each term in a sentence, in words that somebody new has."""

import re

import pytest

from tinygrad_lstm.stepper.commands import COMMANDS, helped
from tinygrad_lstm.structure.saturation import SATURATED
from tinygrad_lstm.structure.terms import TERMS, explained


@pytest.mark.parametrize("term", TERMS)
def test_a_meaning_is_one_short_sentence_and_does_not_explain_a_word_by_itself(term):
    meaning = TERMS[term]
    assert meaning.endswith(".")
    assert len(meaning) < 140
    assert meaning[0].isupper()
    assert not re.search(rf"\b{re.escape(term)}s?\b", meaning, re.IGNORECASE)


def test_the_terminals_help_knows_them_and_no_command_is_hidden_by_one():
    assert helped("nats") == helped("nat") == TERMS["nat"]
    assert f"Within {SATURATED:.0%} of an end" in helped("saturated")
    words = {word for command in COMMANDS for word in (command.name, *command.short.split())}
    assert not any(explained(word) for word in words)
