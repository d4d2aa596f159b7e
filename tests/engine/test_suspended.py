"""Who is suspended changes nothing for others: generators, coroutines, threads and tasks, however they end."""

import asyncio
import contextlib
import gc
import itertools
import threading
import warnings

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.engine import scope

CONTEXTS = {
    "no_grad": (tl.no_grad, lambda x: not x.requires_grad),
    "scope": (lambda: tl.scope("part"), lambda x: x.scope == ("part",)),
    "time_step": (lambda: tl.time_step(3), lambda x: x.time == 3),
    "detect_nan": (tl.detect_nan, lambda x: x.context.detecting_nan),
}

every_context = pytest.mark.parametrize(("enter", "is_inside"), CONTEXTS.values(), ids=CONTEXTS)


def made():
    return tl.tensor(1.0, requires_grad=True) * 2


def facts():
    """What is recorded of a node that is made now."""
    return made().context._replace(frames=())


NOTHING = scope.Context()


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    yield
    assert facts() == NOTHING
    assert scope.INNERMOST.get() == scope.Entered()
    assert not scope._of_generators


def inside(enter):
    """Yield what is made in a context, again and again."""
    with enter():
        while True:
            yield made()


@every_context
def test_a_suspended_generator_changes_nothing_for_others(enter, is_inside):
    generator = inside(enter)
    for _ in range(3):
        assert is_inside(next(generator))
        assert facts() == NOTHING
    generator.close()


@pytest.mark.parametrize("names", list(itertools.permutations(CONTEXTS, 2)))
@pytest.mark.parametrize("first_closed", [0, 1])
def test_generators_may_run_in_turns_and_end_in_any_order(names, first_closed):
    """Each keeps what it entered, sees nothing of the other's, and leaves nothing."""
    (enter, is_inside), (enter_other, is_inside_other) = (CONTEXTS[name] for name in names)
    pair = [inside(enter), inside(enter_other)]
    for _ in range(2):
        one, other = map(next, pair)
        assert is_inside(one)
        assert not is_inside(other)
        assert is_inside_other(other)
        assert not is_inside_other(one)
        assert facts() == NOTHING
    pair.pop(first_closed).close()
    assert facts() == NOTHING
    assert (is_inside, is_inside_other)[1 - first_closed](next(pair[0]))


@every_context
def test_a_generator_is_dropped_collected_or_fails_without_a_trace(enter, is_inside):
    dropped = inside(enter)
    assert is_inside(next(dropped))
    del dropped
    assert not scope._of_generators
    cyclic = inside(enter)
    assert is_inside(next(cyclic))
    loop = [cyclic]
    loop.append(loop)
    del cyclic, loop
    gc.collect()
    assert not scope._of_generators
    failing = inside(enter)
    next(failing)
    with pytest.raises(KeyError):
        failing.throw(KeyError())
    assert facts() == NOTHING


def test_what_runs_through_a_generator_is_in_its_contexts_and_in_those_of_who_runs_it():
    def layers():
        with tl.scope("inner"), tl.time_step(1):
            yield from steps()

    def steps():
        with tl.scope("innermost"):
            while True:
                yield made()

    generator = layers()
    with tl.scope("early"):
        assert next(generator).scope == ("early", "inner", "innermost")
    with tl.scope("late"), tl.time_step(5), tl.no_grad():
        x = next(generator)
        assert (x.scope, x.time, x.requires_grad) == (("late", "inner", "innermost"), 1, False)
    assert (next(generator).scope, facts()) == (("inner", "innermost"), NOTHING)
    generator.close()


def test_a_module_may_be_run_by_a_generator_and_may_run_one():
    class Streaming(tl.nn.Module):
        def __init__(self):
            self.head = tl.Linear(1, 1, rng=0)

        def stream(self):
            for t in itertools.count():
                with tl.time_step(t):
                    yield self.head(tl.tensor([1.0]))

        def forward(self, stream):
            with tl.scope("own"):
                return next(stream), made()

    class Outer(tl.nn.Module):
        def __init__(self):
            self.streaming = Streaming()

        def forward(self, stream):
            return self.streaming(stream)

    outer = Outer()
    stream = outer.streaming.stream()
    for t in range(3):
        streamed, own = outer(stream)
        assert (streamed.scope, streamed.time) == (("streaming", "own", "head"), t)
        assert (own.scope, own.time) == (("streaming", "own"), None)
        assert facts() == NOTHING
    stream.close()


@every_context
def test_a_context_manager_written_as_a_generator_is_for_its_block(enter, is_inside):
    @contextlib.contextmanager
    def wrapped():
        with enter():
            yield

    with wrapped():
        assert is_inside(made())
    with contextlib.ExitStack() as stack:
        stack.enter_context(wrapped())
        assert is_inside(made())
    generator = inside(wrapped)
    assert is_inside(next(generator))
    assert facts() == NOTHING
    generator.close()

    @enter()
    def decorated():
        return made()

    assert is_inside(decorated())
    assert is_inside(decorated())


@pytest.mark.parametrize("names", list(itertools.permutations(CONTEXTS, 3)))
def test_contexts_may_be_left_in_another_order_than_entered(names):
    """Leaving one takes away that one, and keeps the rest."""
    open_ones = {name: CONTEXTS[name][0]() for name in names}
    for manager in open_ones.values():
        manager.__enter__()
    for name in sorted(names):
        open_ones.pop(name).__exit__(None, None, None)
        x = made()
        assert {name for name, (_, is_inside) in CONTEXTS.items() if is_inside(x)} == set(open_ones)


def test_what_was_entered_outside_of_a_module_may_be_left_inside_of_it():
    manager = tl.no_grad()

    class Leaving(tl.nn.Module):
        def forward(self):
            manager.__exit__(None, None, None)

    manager.__enter__()
    Leaving()()
    assert made().requires_grad


@every_context
def test_one_manager_may_be_entered_again(enter, is_inside):
    manager = enter()
    for _ in range(2):
        with manager:
            assert is_inside(made())
            with manager:
                made()
            assert is_inside(made())
        assert facts() == NOTHING


@every_context
def test_a_generator_may_move_to_another_thread(enter, is_inside):
    generator, seen = inside(enter), []
    assert is_inside(next(generator))

    def elsewhere():
        seen.extend((facts(), next(generator), facts()))
        generator.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(10)
    assert [seen[0], seen[2], facts()] == [NOTHING] * 3
    assert is_inside(seen[1])


@every_context
def test_tasks_see_nothing_of_each_other_and_inherit(enter, is_inside):
    async def working(turns):
        with enter():
            for _ in range(turns):
                assert is_inside(made())
                await asyncio.sleep(0)

    async def looking(turns):
        for _ in range(turns):
            assert facts() == NOTHING
            await asyncio.sleep(0)

    async def child():
        await asyncio.sleep(0)
        return is_inside(made())

    async def main():
        await asyncio.gather(working(2), looking(9), working(5), working(3))
        with enter():
            tasks = [asyncio.create_task(child()) for _ in range(2)]
            assert all(await asyncio.gather(child(), tasks[0]))
        assert await tasks[1]
        assert not await child()

    asyncio.run(main())


@every_context
def test_asynchronous_generators_are_generators(enter, is_inside):
    async def streaming():
        with enter():
            while True:
                await asyncio.sleep(0)
                yield made()

    @contextlib.asynccontextmanager
    async def wrapped():
        with enter():
            yield

    async def main():
        pair = [streaming(), streaming()]
        for _ in range(2):
            for stream in pair:
                assert is_inside(await anext(stream))
                assert facts() == NOTHING
        await pair[0].aclose()
        async with wrapped():
            assert is_inside(made())
        assert facts() == NOTHING
        assert is_inside(await anext(pair[1]))  # which is not closed: the event loop does that, in another task

    asyncio.run(main())


@every_context
def test_coroutines_may_be_run_by_hand_in_turns(enter, is_inside):
    class Turn:
        def __await__(self):
            yield

    async def working():
        with enter():
            await Turn()
            assert is_inside(made())
            await Turn()

    @contextlib.asynccontextmanager
    async def wrapped():
        with enter():
            yield

    async def wrapping():
        async with wrapped():
            await Turn()
            assert is_inside(made())

    tasks = [working(), wrapping(), working()]
    for task in (*tasks, *tasks):
        with contextlib.suppress(StopIteration):
            task.send(None)
        assert facts() == NOTHING
    for task in tasks:
        task.close()


def test_numpy_warns_again_whenever_a_search_for_nans_is_suspended():
    x = tl.tensor(0.0, requires_grad=True)
    y = tl.sqrt(x) * 2

    def searching():
        with tl.detect_nan():
            tl.log(tl.tensor(1e-300)), tl.exp(tl.tensor(-800.0))
            yield from tl.backprop(y, 0.0)

    with np.errstate(all="raise"):
        search = searching()
        next(search)
        with pytest.raises(FloatingPointError, match="divide by zero"):
            np.float64(1.0) / np.float64(0.0)
        with pytest.raises(FloatingPointError, match="sqrt"):
            list(search)
    with warnings.catch_warnings(action="error"), tl.detect_nan(), pytest.raises(FloatingPointError, match="log made"):
        tl.log(tl.tensor(-1.0))


def generates():
    yield 1


async def awaits():
    return 1


async def generates_for_others():
    yield 1


@pytest.mark.parametrize("later", [generates, awaits, generates_for_others])
def test_a_decorated_function_that_runs_later_than_it_is_called_is_refused(later):
    words = rf"{later.__name__} runs later than it is called: enter within it, by a with statement"
    with pytest.raises(TypeError, match=words):
        tl.no_grad()(later)
