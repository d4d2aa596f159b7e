"""Time in a graph: at which step each operation belongs, and which modules are the recurrent cells."""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

from ..engine import ops
from ..engine.graph import Graph
from ..engine.primitive import Kind
from ..engine.scope import Frame
from ..engine.tensor import Tensor

BEFORE, AFTER = -1 << 60, 1 << 60
"""Where operations stand that belong to no step: before and after any step there can be."""

Module = tuple[Any, ...]
"""What identifies a module: a number, or for a scope its path."""

Calls = tuple[tuple[Frame, Module], ...]


class Timeline:
    """When each operation ran, and in which cell.

    Time steps are those that were recorded. In a program that says none, a module that is called again on what its own
    last call made is a recurrent one, and its calls are the steps.
    """

    def __init__(self, graph: Graph) -> None:
        self.operations = [node for node in graph.nodes if node.primitive is not None]
        self._uses = [(x, node, slot) for node in self.operations for slot, x in enumerate(node.inputs)]
        self.users: dict[Tensor, list[Tensor]] = defaultdict(list)
        for x, node, _ in self._uses:
            self.users[x].append(node)
        shared: dict[tuple[Frame, ...], Calls] = {}  # nodes made in the same calls share what is said of them
        self._calls = {
            node: shared.get(frames) or shared.setdefault(frames, tuple(_calls(frames)))
            for node in self.operations
            for frames in (node.context.frames,)
        }
        self.of = {node: node.time for node in self.operations if node.time is not None}
        if not self.of:
            self.of = self._inferred()
        self.steps = sorted(set(self.of.values()))
        self._span = self._spanning_calls()
        self._levels: dict[Tensor, list[tuple[Frame, Module]]] = {}
        self.cells, self.free = self._recurrent()
        self._columns = self._all_columns()
        self.phases = self._named_phases()  # what the program calls each step's part of time
        self.fold = self._folded()  # for each operation a key that it shares with what it is in other steps

    def column(self, node: Tensor) -> float:
        """Return the step an operation belongs to, or BEFORE or AFTER; between two steps, half of one more."""
        return self._columns[node]

    def crosses(self, x: Tensor, node: Tensor) -> bool:
        """Tell whether a use leads from one step to another, be it through what only moves numbers."""
        x = self.moved(x)
        return x in self.of and node in self.of and self.of[x] != self.of[node]

    def levels(self, node: Tensor) -> list[tuple[Frame, Module]]:
        """Return the calls an operation was made in, outermost first, that lie within one time step."""
        if node not in self._levels:
            calls = self._calls[node]
            self._levels[node] = [(frame, module) for frame, module in calls if frame.call not in self._span]
        return self._levels[node]

    @cached_property
    def initial_states(self) -> dict[tuple[Tensor, int], int]:
        """Return where the first step takes given numbers for what later steps get from their neighbour.

        Maps the operation and its input slot to +1 if the state comes from the left, from the step before, and to −1 if
        it comes from the right. Of a single step only the names tell: h0 for what becomes h.
        """
        carried_states = self.carried_states
        found = dict.fromkeys(self._named_initial_states(), 1) if len(self.steps) == 1 else {}
        for x, node, slot in self._uses:
            if x.primitive is None and node in self.of and (self.fold[node], slot) in carried_states:
                state, user = carried_states[self.fold[node], slot]
                found[node, slot] = 1 if self.of[state] < self.of[user] else -1
            elif x in self.cuts and self.of.get(node) == self.cuts[x]:
                found[node, slot] = 1
        for (first, slot), side in list(found.items()):
            x = first.inputs[slot]
            for node in self.users[x]:  # what else the step does with it, as to keep it where a sequence is over
                if self.of.get(node) == self.of.get(first):
                    found.update(
                        ((node, i), side) for i, y in enumerate(node.inputs) if y is x and (node, i) not in found
                    )
        return found

    @cached_property
    def cuts(self) -> dict[Tensor, int]:
        """Return the detached leaves with which a step begins that comes after what made them, and that step."""
        found: dict[Tensor, int] = {}
        for x, node, slot in self._uses if any(x.detached for x in self.users) else ():
            begins, leaf = self.of.get(node), self.moved(x)
            if begins is None or not leaf.detached:
                continue
            over = leaf.context.offset is not None and leaf.context.offset <= begins
            if over or (self.fold[node], slot) in self.carried_states:
                found[leaf] = min(found.get(leaf, AFTER), begins)
        return found

    @cached_property
    def carried_states(self) -> dict[tuple[object, int], tuple[Tensor, Tensor]]:
        """Return, for each place in a step that takes a state of a neighbour, an example: the state and its user."""
        uses = self._uses
        return {(self.fold[node], slot): (self.moved(x), node) for x, node, slot in uses if self.crosses(x, node)}

    @cached_property
    def states(self) -> dict[object, tuple[Tensor, Tensor]]:
        """Return, by what their steps share, the states that steps hand on, each with an example, and its user."""
        made = ((self.state(x), user) for x, user in self.carried_states.values())
        return {self.fold[state]: (state, user) for state, user in made}

    def state(self, x: Tensor) -> Tensor:
        """Return the state that is handed on by a tensor: what a step has made, be it moved, or behind a mask.

        A mask keeps, where a sequence is over, what the step before has handed on.
        """
        x = self.moved(x)
        while x in self.of and self.fold[x] in self._masks:
            made = self.moved(x.inputs[self._masks[self.fold[x]]])
            if self.of.get(made) != self.of[x]:
                break
            x = made
        return x

    @cached_property
    def _masks(self) -> dict[object, int]:
        """Return which choices keep, in places, what comes from another step, and the slot of what they take else."""
        found: dict[object, int] = {}
        for node in self.of:
            if node.primitive is ops.where:
                kept = [slot for slot in (1, 2) if self.crosses(node.inputs[slot], node)]
                if len(kept) == 1:
                    found[self.fold[node]] = 3 - kept[0]
        return found

    @cached_property
    def looping(self) -> set[object]:
        """Return, by what their steps share, the operations that within a step lead to a state that is handed on."""
        queue = [state for state, _ in self.carried_states.values()]
        seen = set(queue)
        for node in queue:
            for x in node.inputs:
                if x not in seen and self.of.get(x) == self.of[node]:
                    seen.add(x)
                    queue.append(x)
        return {self.fold[node] for node in seen}

    def moved(self, x: Tensor) -> Tensor:
        """Return what a tensor without a time is but the numbers of, as a state handed from call to call."""
        while x not in self.of and x.primitive and x.primitive.kind is Kind.movement and len(x.inputs) == 1:
            x = x.inputs[0]
        return x

    @cached_property
    def weights(self) -> set[Tensor]:
        """Return the leaves that belong to the network rather than to its input.

        They are learned; or, where nothing is, multiply from the right, or are added to such a product. What is an
        initial state is none of them, learned or not.
        """
        found = set()
        for x, node, slot in self._uses:
            if x.is_leaf and (x.requires_grad or self._looks_learned(x, node, slot)):
                found.add(x)
        return found - {node.inputs[slot] for node, slot in self.initial_states}

    def _looks_learned(self, x: Tensor, node: Tensor, slot: int) -> bool:
        made, other = node.primitive, node.inputs[slot - 1].primitive
        assert made is not None
        right = made.kind is Kind.product and slot == 1 and x.ndim == 2
        summed = other is not None and (other.kind is Kind.product or other.combines == "sum")
        return right or (made.combines == "sum" and x.ndim == 1 and summed)

    def _folded(self) -> dict[Tensor, tuple[object, ...]]:
        """Return a key for each operation that its counterparts in other steps share.

        Weights tell apart what would otherwise only be counted: the first step may leave out what the others do. Where
        steps do not have as many, so do names, and the modules that they take something of.
        """
        used_at: dict[Tensor, set[int | None]] = defaultdict(set)
        for x, node, _ in self._uses:
            if x.primitive is None and x.requires_grad:
                used_at[x].add(self.of.get(node))
        lasting = {x for x, times in used_at.items() if len(times) > 1}  # what is learned of one step is its state
        alike: dict[tuple[object, ...], dict[float, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
        for node in self.operations:
            assert node.primitive is not None
            modules = tuple(module for _, module in self._calls[node])
            learned = tuple(x.serial for x in node.inputs if x in lasting)
            column = self._columns[node]
            in_step = node in self.of or BEFORE < column < AFTER
            weights = learned if len(learned) < len(node.inputs) or node.attrs else ()  # rows picked are an input
            alike[in_step, modules, node.primitive.name, weights][column].append(node)
        keys: dict[Tensor, tuple[object, ...]] = {}
        shared: dict[tuple[object, ...], tuple[object, ...]] = {}
        for base, columns in alike.items():
            as_many = len({len(nodes) for nodes in columns.values()}) == 1
            for nodes in columns.values():
                count: Counter[object] = Counter()
                for node in nodes:
                    apart = None if as_many else (node.name, self._takes_of(node))
                    key = (*base, apart, count[apart])
                    keys[node] = shared.setdefault(key, key)
                    count[apart] += 1
        return {node: keys[node] for node in self.operations}

    def _takes_of(self, node: Tensor) -> frozenset[Module]:
        """Return the modules that made, within the same step, what an operation takes."""
        made = (self._calls[x] for x in node.inputs if x in self.of and self.of[x] == self.of.get(node))
        return frozenset(calls[-1][1] for calls in made if calls)

    def _inferred(self) -> dict[Tensor, int]:
        chained: dict[Module, set[int]] = defaultdict(set)
        carried_states: dict[Module, set[tuple[int, int]]] = defaultdict(set)
        resumed = set()  # calls that are given a detached state
        for x, node, _ in self._uses:
            if x.detached:
                resumed |= {frame.call for frame, _ in self._calls[node]}
            if x in self._calls and (repeated := _repeated(self._calls[x], self._calls[node])):
                (earlier, module), (later, _) = repeated[0]
                chained[module] |= {earlier.call, later.call}
                carried_states[module].add((earlier.call, later.call))
        steps = {
            module: {call: t for t, call in enumerate(sorted(calls))}
            for module, calls in chained.items()
            if all(  # a tree is not a sequence
                pair in carried_states[module] or pair[1] in resumed for pair in pairwise(sorted(calls))
            )
        }
        begin = dict.fromkeys(steps, 0)
        ran: dict[Tensor, tuple[Module, int]] = {}
        behind: dict[Tensor, int] = {}  # the last step behind what has no time of its own
        first = {(module, min(calls)) for module, calls in steps.items()}
        slots = self._state_slots(steps)
        position: Counter[int] = Counter()
        for node, calls in self._calls.items():
            found = next(((frame, module) for frame, module in calls if frame.call in steps.get(module, ())), None)
            if found is None:
                behind[node] = max((behind.get(x, BEFORE) for x in node.inputs), default=BEFORE)
                continue
            (frame, module), place = found, position[found[0].call]
            position[frame.call] += 1
            if (module, frame.call) in first:
                given = (behind.get(node.inputs[slot], BEFORE) for slot in slots[module].get(place, ()))
                begin[module] = max(begin[module], max(given, default=BEFORE) + 1)
            ran[node] = module, steps[module][frame.call]
            behind[node] = begin[module] + steps[module][frame.call]
        return {node: begin[module] + step for node, (module, step) in ran.items()} or self._only_step()

    def _state_slots(self, steps: dict[Module, dict[int, int]]) -> dict[Module, dict[int, set[int]]]:
        """Return where calls of a module take what its last call made: which of their operations, and which inputs."""
        found: dict[Module, dict[int, set[int]]] = {module: defaultdict(set) for module in steps}
        position: Counter[int] = Counter()
        for node, calls in self._calls.items():
            for frame, module in calls:
                if frame.call in steps.get(module, ()):
                    for slot, x in enumerate(node.inputs):
                        if any(theirs[1] == module for theirs, _ in _repeated(self._calls.get(x, ()), calls)):
                            found[module][position[frame.call]].add(slot)
                    position[frame.call] += 1
                    break
        return found

    def _only_step(self) -> dict[Tensor, int]:
        """Put a cell that was called once, on an initial state, at its step 0."""
        calls = {self._calls[node][0][0].call for node, _ in self._named_initial_states() if self._calls[node]}
        return {node: 0 for node, found in self._calls.items() if found and found[0][0].call in calls}

    def _named_initial_states(self) -> Iterator[tuple[Tensor, int]]:
        """Yield where an h0 comes in, and an h comes out: all that tells a state when there is but one step."""
        names = {f"{node.name}0" for node in self.operations if node.name}
        for x, node, slot in self._uses:
            if x.is_leaf and x.name in names:
                yield node, slot

    def _spanning_calls(self) -> set[int]:
        """Find calls that reach over more than one step, such as that of a layer that unrolls a cell."""
        times: dict[int, set[int | None]] = defaultdict(set)
        for node, calls in self._calls.items():
            for frame, _ in calls:
                times[frame.call].add(self.of.get(node))
        return {call for call, found in times.items() if len(found) > 1} if self.of else set()

    def _recurrent(self) -> tuple[set[Module], bool]:
        """Return the recurrent cells, and whether operations outside of any module take the place of one.

        Cells say that they are. Another module is one if its calls hand something on to their next, and no cell is on
        the way, as in an attention or a norm that the state goes through; but not a linear layer, which is a product.
        What is handed on may pass others, as in h = module(x, h) + x: what takes the state first is the cell.
        """
        cells = ([module for frame, module in calls if frame.recurrent] for calls in self._calls.values())
        declared = {outermost for outermost, *_ in filter(None, cells)}
        found: set[Module] = set()
        free = False
        behind: dict[Tensor, list[Tensor]] = {}
        for x, node, _ in self._uses:
            if not self.crosses(x, node):
                continue
            x = self.moved(x)
            if x not in behind:
                behind[x] = self._within_step(x, lambda node: node.inputs)
            if any(module in declared for maker in behind[x] for _, module in self._calls[maker]):
                continue
            common = self._handing_on(x, node) - self._linear
            found |= common
            free |= not common and not self.levels(x)
        if len(self.steps) == 1 and not declared:
            depths = [self.levels(node) for node, _ in self._named_initial_states()]
            if depths and (shallowest := min(depths, key=len)):
                found.add(shallowest[-1][1])
        return declared | found, free and not declared | found

    def _handing_on(self, x: Tensor, node: Tensor) -> set[Module]:
        """Return the innermost modules that both make a state and take it first: calls of theirs do, in two steps."""
        found: set[Module] = set()
        for taker in self._within_step(node, lambda node: self.users[node], stop=lambda _: True):
            outer = self.levels(taker)[0][1]
            for maker in self._within_step(x, lambda node: node.inputs, stop=partial(self._is_in, outer)):
                found.update(pair[0][1] for pair in _repeated(self._calls[maker], self._calls[taker])[-1:])
        return found

    def _is_in(self, module: Module, node: Tensor) -> bool:
        """Tell whether an operation ran in a call of a module, the outermost within its step."""
        return self.levels(node)[0][1] == module

    @cached_property
    def _linear(self) -> set[Module]:
        """Return the modules that are linear layers: a product each time, and what is added to it."""
        other: set[Module] = set()
        products: Counter[tuple[Module, int]] = Counter()
        for node in self.operations:
            assert node.primitive is not None
            for frame, module in self._calls[node]:
                products[module, frame.call] += node.primitive.kind is Kind.product
                if node.primitive.combines not in ("product", "sum") and node.primitive.kind is not Kind.movement:
                    other.add(module)
        return {module for (module, _), number in products.items() if number == 1} - other

    def _within_step(
        self,
        node: Tensor,
        following: Callable[[Tensor], Iterable[Tensor]],
        stop: Callable[[Tensor], bool] = lambda node: False,
    ) -> list[Tensor]:
        """Return operations in modules that a node leads to within its step, on each way as far as where it stops.

        Of each call there is one: they differ in nothing that matters here.
        """
        found: dict[Calls, Tensor] = {}
        seen, queue = {node}, [node]
        while queue:
            here = queue.pop()
            if self.levels(here):
                found.setdefault(self._calls[here], here)
                if stop(here):
                    continue
            for there in following(here):
                if there not in seen and there in self.of and self.of[there] == self.of[node]:
                    seen.add(there)
                    queue.append(there)
        return list(found.values())

    def _named_phases(self) -> dict[int, str]:
        names: dict[int, dict[str, None]] = defaultdict(dict)
        for node, t in self.of.items():
            if node.context.phase:
                names[t][node.context.phase] = None
        return {t: ", ".join(found) for t, found in names.items()}

    def _between(self) -> dict[Tensor, float]:
        """Return where what has no time of its own stands among the steps: in one, or half of one later.

        What one step made for others is between them. In a step is what it made for itself, and what was made for it of
        given things when the step before was over, as xs[t : t + 1] is.
        """
        latest: dict[Tensor, int] = dict(self.of)
        for node in self.operations:
            if node not in self.of:
                given = [x.context.offset - 1 for x in node.inputs if x.is_leaf and x.context.offset]
                if found := [latest[x] for x in node.inputs if x in latest] + given:
                    latest[node] = max(found)
        soonest: dict[Tensor, int] = {}
        for node in reversed(self.operations):
            then = self.of.get(node, soonest.get(node, AFTER))
            for x in node.inputs:
                soonest[x] = min(then, soonest.get(x, AFTER))
        over = {t: node.serial for node, t in self.of.items()}  # when each step was: its last operation
        between: dict[Tensor, float] = {}
        for node in self.operations:
            then, made = soonest.get(node, AFTER), bisect(self.steps, latest.get(node, BEFORE))
            place = bisect_left(self.steps, then)
            if node in self.of or then == AFTER or not place >= made - 1 >= -1:
                continue
            if made:
                t = self.steps[made - 1]
                between[node] = t if t == then else t + 0.5
            elif place and node.serial > over[self.steps[place - 1]]:
                between[node] = then
        like = {(node.primitive, node.inputs) for node in between}  # of one sequence, the first is picked before all
        for node in self.operations:
            if node not in latest and (node.primitive, node.inputs) in like and soonest.get(node) == self.steps[0]:
                between[node] = self.steps[0]
        return between

    def _all_columns(self) -> dict[Tensor, float]:
        """Find where each operation stands; one without a time last if it came last or used what a step made."""
        columns: dict[Tensor, float] = {}
        between = self._between()
        last = max((node.serial for node in self.of), default=-1)
        for node in self.operations:
            if node in self.of:
                columns[node] = self.of[node]
            elif node in between:
                columns[node] = between[node]
            elif self.of and (node.serial > last or any(columns.get(x, BEFORE) != BEFORE for x in node.inputs)):
                columns[node] = AFTER
            else:
                columns[node] = BEFORE
        return columns


def _calls(frames: tuple[Frame, ...]) -> Iterator[tuple[Frame, Module]]:
    """Yield calls, each with what identifies its module: a number, or for a scope its path."""
    path: tuple[str, ...] = ()
    for frame in frames:
        path = (*path, frame.name or "")
        yield frame, (frame.module,) if frame.module else path


def _repeated(earlier: Calls, later: Calls) -> list[Calls]:
    """Return the calls of modules that two nodes share, where they are different calls, outermost first."""
    pairs = zip(earlier, later, strict=False)
    return [(mine, theirs) for mine, theirs in pairs if mine[1] == theirs[1] and mine[0].call != theirs[0].call]
