"""The check that has to catch mistakes in what makes programs: each program is, to the letter, what it was before.

A pass that does nothing, or a loop that stays written out, computes the same; its text tells. That the text before is
right is what ``tests/program`` is for: these are its networks and its functions. What is compiled, run and opened is
asked by tests of that folder themselves.
"""

from __future__ import annotations

import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

import tinygrad_lstm as tl
from tests.program import test_compiled, test_expand, test_surroundings
from tests.program.networks import LAYERS, OWN
from tests.program.test_functions import FUNCTIONS
from tinygrad_lstm.program import beginning, building, compiled, expand, gathering, simplifying, stepwise
from tinygrad_lstm.program.general import of_function
from tinygrad_lstm.program.passes import hoisting, merging, rewriting
from tinygrad_lstm.program.recording import NotExpressible
from tinygrad_lstm.structure import repeating, rolling

MODULES: dict[str, tuple[ModuleType, ...]] = {
    "rolling up": (rolling, repeating),
    "programs": (building, simplifying, stepwise, beginning, gathering, compiled, expand),
    "passes": (hoisting, merging, rewriting),
}
"""Where mistakes are planted, by the rows of the table."""

_TELLING = {"explain", "_told", "__getattr__", "__repr__", "__str__"}


def functions_of(module: Any) -> list[FunctionType]:
    """Every function and method that is written there, in order, but those that only tell or print."""
    classes = [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == module.__name__]
    found = [vars(module), *map(vars, classes)]
    functions = [getattr(each, "fget", each) for names in found for each in names.values()]
    own = [each for each in functions if inspect.isfunction(each) and each.__code__.co_filename == module.__file__]
    return [each for each in own if not each.__code__.co_freevars and each.__name__ not in _TELLING]


def named(function: FunctionType) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"


@dataclass(frozen=True)
class Case:
    """Something that is asked for, the answer as it is before anything is planted, and the functions that it takes."""

    ask: Callable[[], str]
    answer: str
    ran: frozenset[str]

    def require_same(self) -> None:
        assert self.ask() == self.answer


@dataclass(frozen=True)
class OfProgram:
    """Ask for everything that a function has a part in, first what is answered soonest.

    All of these are one check, or two: what is right is found out once, before anything is planted.
    """

    function: str = field(compare=False)
    called: bool  # whether it has to do with calling what is compiled, of which tests tell more than texts

    def __call__(self) -> None:
        for case in cases():
            if self.function in case.ran:
                case.require_same()
        for test in _tests() if self.called else ():
            test()


@cache
def cases() -> list[Case]:
    """Every program that is asked for, those that take longest last."""
    found = []
    for number, ask in enumerate(_texts()):
        ran: Counter[str] = Counter()
        with _counting(ran):
            answer = ask()
        found.append((ran.total(), number, Case(ask, answer, frozenset(ran))))
    return [case for *_, case in sorted(found, key=lambda each: each[:2])]


@contextmanager
def _counting(ran: Counter[str]) -> Iterator[None]:
    """Count calls of the functions in which mistakes are planted: each runs a code that counts, and then its own."""
    functions = [each for modules in MODULES.values() for module in modules for each in functions_of(module)]
    codes = [each.__code__ for each in functions]
    for each in functions:
        own = FunctionType(each.__code__, each.__globals__, each.__name__, each.__defaults__)
        own.__kwdefaults__ = each.__kwdefaults__
        _CALLS[named(each)] = ran, own
        made: dict[str, Any] = {}
        there = f"__import__('sys').modules[{__name__!r}]"  # its globals are those of its own file
        source = f"def f(*args, **given): return {there}._counted({named(each)!r}, args, given)"
        exec(compile(source, each.__code__.co_filename, "exec"), made)
        each.__code__ = made["f"].__code__
    try:
        yield
    finally:
        for each, code in zip(functions, codes, strict=True):
            each.__code__ = code


_CALLS: dict[str, tuple[Counter[str], Any]] = {}


def _counted(name: str, args: Any, given: Any) -> Any:
    ran, own = _CALLS[name]
    ran[name] += 1
    return own(*args, **given)


SHORT = ["both directions", "lengths", "given states", "float32", "one step", "diagonal peepholes"]
"""Layers whose programs are soon written, and say what those of all others say."""

RECORDED_TWICE = [
    "mean_of_outputs", "flipped", "a_mean_of_all_states", "a_cross_entropy", "cross_entropies_by_steps", "masked",
    "attention_of_four_steps", "a_loop_over_the_states_of_another", "steps_against_steps", "products_of_sequences",
    "one_output_twice", "an_output_of_its_own_for_each_sequence", "three_times_in_each_step", "scaled_by_sizes",
    "twice_in_each_of_two_loops", "a_causal_mask", "the_next_bit", "the_next_bit_in_each_step", "the_next_numbers",
    "even_steps_otherwise", "last_two", "the_largest_in_time", "a_mean_square_added_up_by_steps",
]  # fmt: skip
"""Functions that take what is done for all numbers of steps to its limits."""


def _texts() -> Iterator[Callable[[], str]]:
    """Programs of losses, recorded once, and of functions, recorded twice."""
    for make in (*OWN.values(), *(LAYERS[name] for name in SHORT)):
        loss, wrt = make()
        yield partial(_text_of_loss, loss, wrt, 0)
        yield partial(_text_of_loss, loss, None, 2)
    for name in RECORDED_TWICE:
        f, make = FUNCTIONS[name]
        for level in (0, 2):
            yield partial(_text_of_function, f, make(4, 2), level)


def _text_of_loss(loss: Any, wrt: Any, level: int) -> str:
    return _told(tl.source(loss, wrt=wrt, optimize=level))


def _text_of_function(f: Any, given: Any, level: int) -> str:
    example = dict(zip(inspect.signature(f).parameters, given, strict=True))
    try:
        return _told(of_function(f, example, split=True, optimize=level).source)
    except NotExpressible as refusal:
        return str(refusal)


def _told(source: tl.program.source_code.SourceCode) -> str:
    """A program, what it is given, and where its lines come from."""
    given = (
        f"{name}: {np.shape(x)} {np.sum(x) if isinstance(x, np.ndarray) else x}" for name, x in source.arguments.items()
    )
    lines = (source.origin(k) for k in range(1, 1 + str(source).count("\n")))
    return "\n".join([str(source), *given, *source.operations, *map(str, lines)])


def _tests() -> Iterator[Callable[[], object]]:
    for module in (test_compiled, test_expand, test_surroundings):
        yield from _tests_of(module)
    yield _opened


def _opened() -> None:
    """Two layers in both directions, compiled, are the graph that they stand for."""
    pair = test_expand.made_pair("deep")
    for test in (
        test_expand.test_the_opened_graph_is_the_composed_one_node_by_node,
        test_expand.test_it_is_printed_as_the_graph_it_stands_for,
        test_expand.test_gradients_of_the_opened_graph_are_those_of_the_program,
        test_expand.test_second_derivatives_are_those_of_the_composed_graph,
        test_expand.test_the_program_of_a_loss_that_a_program_computed_is_that_of_the_network,
        test_expand.test_a_copy_is_of_the_graph_it_stands_for,
    ):
        test(pair)


def _tests_of(module: ModuleType) -> Iterator[Callable[[], object]]:
    """Yield the tests of a file that take nothing from pytest, for each of what they are parametrized by."""
    for name, test in vars(module).items():
        if not name.startswith("test_") or not inspect.isfunction(test) or name in SLOW:
            continue
        marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        choices = [[{mark.args[0]: value} for value in mark.args[1]] for mark in marks]
        for chosen in itertools.product(*choices):
            given = {key: value for each in chosen for key, value in each.items()}
            wanted = set(inspect.signature(test).parameters) - set(given)
            if wanted == {"lstm"}:
                yield lambda test=test, given=given: test(
                    lstm=tl.LSTM(test_compiled.D, test_compiled.H, rng=0), **given
                )
            elif not wanted:
                yield partial(test, **given)


SLOW = {
    "test_copies_are_compiled_anew",
    "test_its_gradients_are_checked_against_the_composed_forward",
    "test_two_threads_call_it_at_once",
    "test_dropout_falls_back_while_training_and_says_why",
}
