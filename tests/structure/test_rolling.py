"""A graph rolls up wherever the order of its operations repeats itself, whoever wrote the loop, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.structure.loops import Every, Fixed, Given, Loop, Made, Moving, Stacked
from tinygrad_lstm.structure.rolling import roll


def leaf(*shape, name=None, learns=True):
    numbers = np.random.default_rng([1, *shape]).normal(size=shape)
    return tl.tensor(numbers, requires_grad=learns, name=name)


def rolled(*outputs):
    return roll(tl.Graph(*outputs))


def loops(found):
    return [item for item in found.items if isinstance(item, Loop)]


def names(items):
    return [made.primitive.name for made in items]


@given(st.integers(2, 9), st.sampled_from([1, -1]))
def test_a_recurrence_is_one_loop_whichever_way_it_goes(steps, direction):
    x, w, h = leaf(steps, 2, name="x"), leaf(2, name="w"), tl.tensor(np.zeros(2))
    first = h
    for t in range(steps)[::direction]:
        h = tl.tanh(x[t] + w * h)
    found = rolled(h)
    [loop] = found.items
    assert (loop.low, loop.high, loop.direction) == (0, steps, direction)
    assert names(loop.body) == ["getitem", "mul", "add", "tanh"]
    taken, _, _, state = loop.body
    assert taken.attrs["index"] == Moving(1, 0)
    before = -1 if direction > 0 else steps
    assert {at: reference.of.members for at, reference in state.before.items()} == {before: [first]}
    assert loop.body[1].operands[1].index == Moving(1, -direction)
    assert found.reference(h).index == Fixed(steps - 1 if direction > 0 else 0)


@pytest.mark.parametrize("steps", [2, 5, 40])
def test_as_many_families_whatever_the_number_of_steps(steps):
    layer = tl.LSTM(3, 4, num_layers=2, bidirectional=True, rng=0)
    output, _ = layer(leaf(steps, 2, 3, name="x"))
    found = rolled(output)
    assert [len(loop.body) for loop in loops(found)] == [
        len(loop.body) for loop in loops(rolled(layer(leaf(7, 2, 3))[0]))
    ]
    assert [loop.direction for loop in loops(found)].count(-1) == 2


def test_every_operation_has_its_place_once():
    layer = tl.GRU(3, 4, bidirectional=True, rng=0)
    output, _ = layer(leaf(5, 2, 3, name="x"), lengths=[5, 3])
    graph = tl.Graph(output)
    found = roll(graph)
    members = [x for made in found.made() for x in made.members]
    assert sorted(x.serial for x in members) == sorted(x.serial for x in graph.nodes if not x.is_leaf)
    for node in members:
        made, k = found.place[node]
        assert made.members[k] is node


@given(st.data())
def test_what_a_member_reads_is_what_the_references_say(data):
    """Of networks that are drawn: each operand of each member, found again by its reference."""
    steps, skip = data.draw(st.integers(3, 6)), data.draw(st.integers(1, 2))
    x, w = leaf(steps, 2, name="x"), leaf(2, name="w")
    past, seen = [tl.tensor(np.zeros(2)) for _ in range(skip)], []
    for t in range(steps):
        past.append(tl.tanh(x[t] * w + past[-skip]))
        seen.append(past[-1] * past[-1])
    found = rolled(tl.stack(seen), past[-1])
    for made in found.made():
        for k, node in enumerate(made.members):
            step = None if made.loop is None else made.loop.at(k)
            read = [x for reference in made.operands for x in _members(found, reference, step)]
            assert [x.serial for x in read] == [x.serial for x in node.inputs]


def _members(found, reference, step):
    of, index = reference.of, reference.index
    if index is None:
        return [of.members[0]]
    if isinstance(index, Every):
        return of.members[::-1] if index.descending is (of.loop.direction > 0) else of.members
    at = index.at if isinstance(index, Fixed) else index.sign * step + index.offset
    if isinstance(of, Given):
        return [of.members[(at - of.first) * of.direction]]
    k = (at - of.loop.first) * of.loop.direction
    if 0 <= k < len(of.members):
        return [of.members[k]]
    return _members(found, of.before[at], None)


def test_data_of_each_step_is_stacked_and_a_number_of_all_steps_is_one():
    h, w = tl.tensor(0.0), leaf(name="w")
    for _ in range(4):
        h = tl.tanh(h * w + tl.tensor(np.float64(len(str(h)))) * 0.5)
    [loop] = rolled(h).items
    stacked = {reference.of for made in loop.body for reference in made.operands if isinstance(reference.of, Given)}
    assert {len(given.members) for given in stacked} <= {1, 4}


def test_rows_of_a_table_are_numbers_that_stand_in_an_operation():
    table, total = leaf(7, 2, name="E"), 0
    for ids in ([0, 1], [3, 3], [6, 2]):
        total = total + tl.take(table, np.array(ids)).sum()
    (loop,) = loops(rolled(total))
    (taken,) = (made for made in loop.body if made.primitive.name == "take")
    assert isinstance(taken.attrs["indices"], Stacked)
    assert [list(each) for each in taken.attrs["indices"].values] == [[0, 1], [3, 3], [6, 2]]


def test_all_states_in_a_row_are_read_as_all_of_a_family():
    w, h, hs = leaf(2, name="w"), tl.tensor(np.zeros(2)), []
    for _ in range(4):
        h = tl.tanh(h + w)
        hs.append(h)
    forwards, backwards = tl.stack(hs), tl.stack(hs[::-1])
    found = rolled(forwards, backwards)
    stacks = [item for item in found.items if isinstance(item, Made)]
    assert [made.operands[0].index for made in stacks] == [Every(), Every(descending=True)]
    pair = rolled(hs[0] / hs[1], hs[3])
    assert [reference.index for reference in pair.items[-1].operands] == [Fixed(0), Fixed(1)]


def test_a_first_step_unlike_the_others_stands_before_the_loop():
    w, u, x, h = leaf(2, name="w"), leaf(2, name="u"), leaf(5, 2, name="x"), None
    for t in range(5):
        a = x[t] * w
        if h is not None:
            a = a + h * u
        h = tl.tanh(a)
    found = rolled(h)
    assert names(item for item in found.items if isinstance(item, Made))[:2] == ["getitem", "mul"]
    (loop,) = loops(found)
    assert (loop.low, loop.high) == (1, 5)


def test_what_happens_once_is_no_loop():
    w = leaf(2, name="w")
    found = rolled(tl.exp(tl.tanh(w) * w).sum())
    assert not loops(found)
    assert names(found.items) == ["tanh", "mul", "exp", "sum"]


def test_parameters_of_two_modules_do_not_become_one_loop():
    cells, h = [tl.RNNCell(2, 2, rng=seed) for seed in range(3)], tl.tensor(np.zeros((1, 2)))
    x = leaf(1, 2, name="x")
    for cell in cells:
        h = cell(x, h)
    for made in rolled(h).made():
        for reference in made.operands:
            assert not (
                isinstance(reference.of, Given) and reference.of.stacked and reference.of.members[0].requires_grad
            )


def test_an_axis_that_differs_is_no_step():
    x = leaf(2, 2, name="x")
    for axis in (0, -1):
        x = tl.sum(x, axis=axis, keepdims=True)
    assert not any(isinstance(value, Moving) for made in rolled(x).made() for value in made.attrs.values())


def test_a_last_step_of_which_nobody_wants_all_belongs_to_its_loop():
    layer = tl.GRU(2, 3, rng=0)
    output, _ = layer(leaf(5, 1, 2, name="x"))
    found = rolled(output[-1])
    (loop,) = loops(found)
    assert loop.count == 5


def test_it_ends_whatever_the_order():
    """A last step unlike the others, in a loop that is another one's, was tried for ever."""
    layer = tl.GRU(3, 4, bidirectional=True, rng=0)
    loss = sum((part * part).sum() for part in layer(leaf(5, 2, 3, name="x"), lengths=[2, 5]))
    assert rolled(loss).items
