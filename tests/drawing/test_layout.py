"""Lines keep apart and meet what they connect; a step is laid out once, however often it is repeated."""

from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.drawing.layout.by_dot import by_dot
from tinygrad_lstm.drawing.layout.columns import place
from tinygrad_lstm.drawing.layout.geometry import Curve, Point, Rect
from tinygrad_lstm.drawing.layout.router import DOWN, LEFT, PITCH, RIGHT, UP, NoWay, Router, curve, terminals
from tinygrad_lstm.drawing.layout.upward_layout import upward_layout
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss

ALL_SIDES = {LEFT: 0, RIGHT: 0, DOWN: 0, UP: 0}
ROOM = 14  # grid cells from one box to the next
half = settings(max_examples=settings().max_examples // 2)  # of mazes, which five tests draw, with many lines in each


@st.composite
def mazes(draw):
    """Boxes in a loose lattice, and which are to be connected, in which order."""
    across, up = draw(st.integers(2, 4)), draw(st.integers(1, 3))
    sizes = st.floats(10, 8 * PITCH)
    boxes = [
        Rect((x + 0.5) * ROOM * PITCH, (y + 0.5) * ROOM * PITCH, draw(sizes), draw(sizes))
        for x in range(across)
        for y in range(up)
    ]
    numbers = st.integers(0, len(boxes) - 1)
    pairs = draw(st.lists(st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=8))
    return across, up, boxes, pairs


def routed(maze):
    """The boxes and their lines, as (tail, head, cells), without those for which no way was left."""
    across, up, boxes, pairs = maze
    router = Router(across * ROOM * PITCH, up * ROOM * PITCH, boxes)
    lines = []
    for tail, head in dict.fromkeys(pairs):
        try:
            cells = router.line(f"b{tail}", terminals(boxes[tail], ALL_SIDES), terminals(boxes[head], ALL_SIDES))
        except NoWay:
            continue
        lines.append((tail, head, cells))
    assume(lines)
    return boxes, lines


def segments(cells):
    return {frozenset(pair) for pair in pairwise(cells)}


@half
@given(mazes())
@example(  # where they would, if one might be entered along another
    (2, 3, [Rect(x, y, 17, 10) for x in (56, 168) for y in (56, 168, 280)], [(1, 3), (5, 0), (5, 1)])
)
def test_lines_of_different_sources_never_run_upon_each_other(maze):
    _, lines = routed(maze)
    for tail, _, cells in lines:
        for other, _, theirs in lines:
            assert tail == other or not segments(cells) & segments(theirs)


@half
@given(mazes())
@example(
    (
        2,
        2,
        [Rect(56, 56, 10, 16.015625), Rect(56, 168, 10, 10), Rect(168, 56, 10, 10), Rect(168, 168, 10, 10)],
        [(0, 1)],
    )
)
def test_lines_never_pass_through_a_box(maze):
    boxes, lines = routed(maze)
    for _, _, cells in lines:
        for x, y in cells:
            for box in boxes:
                inside = abs(x * PITCH - box.x) < box.width / 2 and abs(y * PITCH - box.y) < box.height / 2
                assert not inside


@half
@given(mazes())
def test_lines_begin_and_end_beside_their_boxes_and_go_from_cell_to_cell(maze):
    boxes, lines = routed(maze)
    for tail, head, cells in lines:
        assert cells[0] in {cell for cell, _ in terminals(boxes[tail], ALL_SIDES)}
        assert cells[-1] in {cell for cell, _ in terminals(boxes[head], ALL_SIDES)}
        assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in pairwise(cells))


@half
@given(mazes())
def test_lines_of_one_source_fork_and_never_meet_again(maze):
    _, lines = routed(maze)
    for source in {tail for tail, _, _ in lines}:
        group = {}  # cell → a cell that stands for all it is connected with

        def root(cell, group=group):
            while cell in group:
                cell = group[cell]
            return cell

        for segment in set().union(*(segments(cells) for tail, _, cells in lines if tail == source)):
            a, b = map(root, segment)
            assert a != b, "a way round: two lines that had parted met again"
            group[a] = b


@half
@given(mazes())
def test_a_curve_leads_from_border_to_border_with_its_tip_on_the_box(maze):
    boxes, lines = routed(maze)
    for tail, head, cells in lines:
        drawn = curve(cells, boxes[tail], boxes[head])
        assert len(drawn.points) % 3 == 1
        assert on_border(boxes[tail], drawn.points[0])
        assert on_border(boxes[head], drawn.tip)
        assert off_grid(drawn.points[1:-1], cells, boxes[tail], boxes[head]) == []


def on_border(rect, point):
    x, y = abs(point.x - rect.x) - rect.width / 2, abs(point.y - rect.y) - rect.height / 2
    return abs(max(x, y)) < 1e-6


def off_grid(points, cells, *ends):
    """Control points far from the line's cells: a bend cuts a corner, but no more than that."""
    near = [Point(x * PITCH, y * PITCH) for x, y in cells]
    return [
        p
        for p in points
        if min(abs(p.x - q.x) + abs(p.y - q.y) for q in near) > PITCH
        and not any(abs(p.x - r.x) <= r.width / 2 + PITCH and abs(p.y - r.y) <= r.height / 2 + PITCH for r in ends)
    ]


def test_a_line_that_cannot_get_out_says_so():
    walls = [
        Rect(40, 40, 16, 16),
        *(Rect(40 + dx, 40 + dy, 24, 24) for dx, dy in [(24, 0), (-24, 0), (0, 24), (0, -24)]),
    ]
    target = Rect(160, 40, 16, 16)
    with pytest.raises(NoWay):
        Router(200, 80, [*walls, target]).line("b0", terminals(walls[0], ALL_SIDES), terminals(target, ALL_SIDES))


@given(st.floats(10, 200), st.floats(10, 100))
def test_a_round_box_is_met_in_the_middles_of_its_sides_only(width, height):
    places = terminals(Rect(400, 400, width, height), ALL_SIDES, round_=True)
    assert len(places) == 4
    assert all(round(400 / PITCH) in cell for cell, _ in places)


VIEWS_IN_COLUMNS = [("ops", by_dot), ("gates", upward_layout), ("cells", upward_layout), ("backward", upward_layout)]


@pytest.mark.parametrize(("view", "provider"), VIEWS_IN_COLUMNS)
def test_steps_that_look_alike_are_laid_out_once_however_many_there_are(view, provider):
    def layouts(steps):
        calls = []
        scene = tl.draw(small_loss("lstm", steps), view, steps="all")._scene
        place(scene, lambda content, scene: calls.append(content.title) or provider(content, scene))
        return len(calls)

    assert layouts(5) == layouts(50) <= 6


@pytest.mark.parametrize("direction", ["left-to-right", "top-to-bottom"])
@pytest.mark.parametrize(("view", "provider"), VIEWS_IN_COLUMNS)
def test_what_crosses_meets_at_ports_on_the_borders_of_both_columns(view, provider, direction):
    scene = tl.draw(small_loss("gru", 4, bidirectional=True), view, direction=direction)._scene
    placed = place(scene, provider)
    count = 0
    for column in placed.columns:
        for (arrow, i, end, j, to, _), (_, whole) in zip(column.content.crossing, placed.crossing(column), strict=True):
            start, finish = placed.columns[i].end(end).points, placed.columns[j].end(to).points
            if arrow.against:
                assert {start[-1], finish[0]} <= set(whole.points)
            else:
                assert whole.points == (*start, *whole.points[len(start) : -len(finish)], *finish)
            assert len(whole.points) % 3 == 1
            assert at_border(start[-1], placed.columns[i], scene.downwards)
            assert at_border(finish[0], placed.columns[j], scene.downwards)
            count += 1
    assert count >= len(placed.columns) - 2


def at_border(point, column, downwards):
    low, size = (column.dy, column.template.height) if downwards else (column.dx, column.template.width)
    across = point.y if downwards else point.x
    return min(abs(across - low), abs(across - low - size)) < 0.01


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "peephole", "coupled"])
def test_between_steps_that_look_alike_states_cross_straight(cell):
    placed = tl.draw(small_loss(cell, 5), "gates")._placed
    heights = [
        (placed.columns[i].end(end).points[-1].y, placed.columns[j].end(to).points[0].y)
        for column in placed.columns[3:5]
        for arrow, i, end, j, to, _ in column.content.crossing
        if arrow.role == "state" and placed.columns[i].template is placed.columns[j].template
    ]
    assert len(heights) >= 2 * len(CELLS[cell].state_names)
    assert all(leaves == enters for leaves, enters in heights)


def test_a_line_keeps_away_from_where_the_tip_of_another_will_lie():
    """As in the MGU, whose f went up just before the arrow by which h comes in, over its tip."""

    def line(*expected):
        router = Router(160, 160, [])
        router.expect_tip(expected)
        return router.line("f", {((10, 2), UP): 0}, {((14, 18), DOWN): 0})

    (column,) = {x for x, y in line() if y == 9}
    assert column in (10, 14)
    assert (column, 9) not in line(((column + 1, 9), LEFT))


@pytest.mark.parametrize("tip", [None, Point(100, 0)])
def test_a_curve_led_back_has_its_gaps_and_its_break_where_they_were(tip):
    here = Curve((Point(0, 0), Point(0, 0), Point(30, 0), Point(30, 0)), gaps=(Point(15, 0),))
    there = Curve((Point(60, 0), Point(60, 0), Point(94, 0), Point(94, 0)), tip)
    line = here.broken(there, 8)
    forth, back = line.pieces(), line.reversed().pieces()
    assert len(forth) == len(back) == 3
    assert [piece[0].x for piece in forth] == [0, 19, 52]
    assert [round(piece[-1].x) for piece in back] == [52, 19, 6 if tip else 0]
    assert line.reversed().tip == (Point(0, 0) if tip else None)
