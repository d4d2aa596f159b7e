"""What is told of a contest: who succeeded how often at which gap, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import mean, median, stdev

from ..pages.plot import Series, share_plot
from ..pages.theme import ON_PAGES
from .contest import CONTENDERS, RATES, SEARCH, SEARCHED
from .intervals import out_of, wilson
from .published import published_table
from .study import Result, Section, Table
from .tasks import TASKS

LOOKS = {
    "RNN": Series((), colour=ON_PAGES["series1"], marker="square"),
    "RNN, orthogonal": Series((), colour=ON_PAGES["series1"], marker="square", dashes="6 3"),
    "RNN, relu from the identity": Series((), colour=ON_PAGES["series3"], marker="square", dashes="2 2"),
    "LSTM, forget bias 0": Series((), colour=ON_PAGES["series0"], marker="circle", dashes="2 2"),
    "LSTM, forget bias 1": Series((), colour=ON_PAGES["series0"], marker="circle", dashes="6 3"),
    "LSTM, forget bias 3": Series((), colour=ON_PAGES["series0"], marker="circle"),
    "GRU": Series((), colour=ON_PAGES["series2"], marker="circle", dashes="9 3 2 3"),
}
"""What the line of each contender looks like: one can do without the colour."""

APART = 1.025
"""By how much the lines stand beside each other, as a factor of the gap; chosen: equal shares would hide one."""


def report(results: list[Result]) -> list[Section]:
    """Return the sections of a contest's report: successes, sequences, settings, and what papers print."""
    if not results:
        return []
    task = results[0].row["task"]
    gaps = sorted({each.row["gap"] for each in results})
    names = [name for name in CONTENDERS if any(each.row["contender"] == name for each in results)]
    found = {(each.row["contender"], each.row["gap"]): each for each in results}
    sections = [_successes(found, names, gaps), _speed(found, names, gaps), _settings(task, results)]
    papers = published_table(task, lambda name, gap: _beside(name, gap, found.get((name, gap))))
    if papers:
        prose = "What papers print of the task, and in what our runs differ. What is not checked is from memory."
        sections.append(Section("Published figures beside ours", prose, table=papers))
    return sections


Found = dict[tuple[str, int], Result]


def solved(result: Result) -> int:
    """Return how many of a run's networks solved the task."""
    return sum(seen is not None for seen in result.values["sequences"])


def _successes(found: Found, names: Sequence[str], gaps: Sequence[int]) -> Section:
    rows = [[name, *(_share(found.get((name, gap))) for gap in gaps)] for name in names]
    table = Table(["solved by", *(_gap(gap) for gap in gaps)], rows)
    if len(gaps) == 1:
        return Section("Who solved it", " ".join(_reach(found, names, gaps)), table=table)
    lines = []
    for k, name in enumerate(names):
        there = [(gap, found[name, gap]) for gap in gaps if (name, gap) in found]
        points = [(gap * APART ** (k - len(names) // 2), solved(each) / _tries(each)) for gap, each in there]
        spreads = [wilson(solved(each), _tries(each)) for _, each in there]
        lines.append(replace(LOOKS[name], points=points, spreads=spreads, name=name))
    plot = share_plot(
        lines,
        title="As the gap grows",
        across="gap, in steps",
        upwards="networks that solved it",
        label=f"The share of networks that solved the task at gaps of {', '.join(map(str, gaps))}: "
        + "; ".join(f"{row[0]} {', '.join(row[1:])}" for row in rows),
        places=gaps,
        size=(640, 420),
        standalone=False,
    )
    prose = (
        "Each point is the share of networks, which differ in their seed alone, that solved the task within the "
        "budget; its line is where the true share lies with 95 % confidence (Wilson). Points of one gap stand beside "
        "each other so that all can be seen.\n\n" + " ".join(_reach(found, names, gaps))
    )
    return Section("Success against gap", prose, plot, table)


def _reach(found: Found, names: Sequence[str], gaps: Sequence[int]) -> list[str]:
    """Return in words who of those that were run solved it, always, sometimes or never."""
    said = []
    for gap in gaps:
        there = [(name, found[name, gap]) for name in names if (name, gap) in found]
        kinds: dict[str, list[str]] = {"all": [], "some": [], "none": []}
        for name, each in there:
            count = solved(each)
            kinds["all" if count == _tries(each) else "some" if count else "none"].append(name)
        words = [f"{how} networks of {_and(kind)}" for how, kind in kinds.items() if kind]
        line = f"solved by {'; '.join(words).replace('none networks', 'no networks')}."
        said.append(f"{f'At {gap} steps it' if gap else 'It'} was {line}")
    return said


def _and(names: Sequence[str]) -> str:
    if len(names) == len(CONTENDERS):
        return "every kind"
    *others, last = (f"“{name}”" for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def _speed(found: Found, names: Sequence[str], gaps: Sequence[int]) -> Section:
    rows = [[name, *(_sequences(found.get((name, gap))) for gap in gaps)] for name in names]
    table = Table(["sequences to success", *(_gap(gap) for gap in gaps)], rows)
    prose = (
        "The median, the fewest and the most sequences that the networks which solved it had seen, and the learning "
        "rate, which was chosen for each kind and gap by other seeds."
    )
    return Section("How soon", prose, table=table)


def _settings(task: str, results: Sequence[Result]) -> Section:
    first = results[0].row
    rule = TASKS[task](max(first["gap"], 10))
    enough = f"{100 * rule.enough:g} % right" if rule.counts == "right" else f"squared error {rule.enough:g} or less"
    rows = []
    for gap in sorted({each.row["gap"] for each in results}):
        there = [result for result in results if result.row["gap"] == gap]
        budgets = sorted({result.row["budget"] for result in there})
        seconds = sum(result.seconds for result in there)
        rows.append([_gap(gap), " or ".join(f"{budget:,}" for budget in budgets), len(there), f"{seconds:,.0f}"])
    each = "sequence" if first["batch"] == 1 else "sequences"
    prose = (
        f"H = {first['hidden']}, {first['batch']} fresh {each} an update, Adam, gradients clipped at norm "
        f"{first['clip']:g}, each network by itself. Solved: over the last {rule.window:,} sequences, each judged "
        f"before it was learned from, {enough}.\n\nFor each kind and gap the learning rate is one of "
        f"{', '.join(f'{rate:g}' for rate in RATES)}: by which most of {len(SEARCHED)} networks of other seeds "
        f"succeed within {100 * SEARCH:g} % of the budget, then the soonest. {first['seeds']} networks of seeds fixed "
        "beforehand are then trained with it. Recurrent weights begin as in PyTorch where nothing else is said; only "
        "the RNN is tried with others, orthogonal and the identity, so that its best is shown. The norm at which "
        "gradients are clipped is not searched for. A rate that serves three networks can fail others: where a kind "
        "does better at a longer gap than at a shorter one, see the rates."
    )
    return Section("Settings", prose, table=Table(["", "budget, sequences", "runs", "seconds"], rows, "lrrr"))


def _gap(gap: int) -> str:
    return f"gap {gap}" if gap else ""


def _tries(result: Result) -> int:
    return len(result.values["sequences"])


def _share(result: Result | None) -> str:
    if result is None:
        return "not run"
    return out_of(solved(result), _tries(result))


def _beside(name: str, gap: int, result: Result | None) -> str:
    """Return what a contender did, as papers print it: how many succeeded, and the mean and spread of sequences."""
    what = f"{name}, {_gap(gap)}" if gap else name
    if result is None:
        return f"{what}: not run"
    seen = [each for each in result.values["sequences"] if each is not None]
    spread = f", ± {stdev(seen):,.0f}" if len(seen) > 1 else ""
    took = f", {mean(seen):,.0f} sequences on average{spread}" if seen else ""
    return f"{what}: {len(seen)} of {_tries(result)}{took}"


def _sequences(result: Result | None) -> str:
    if result is None:
        return "not run"
    seen = [each for each in result.values["sequences"] if each is not None]
    rate = f"at {result.values['rate']:g}"
    return f"{median(seen):,.0f} ({min(seen):,}–{max(seen):,}) {rate}" if seen else f"— {rate}"
