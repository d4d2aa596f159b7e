"""What is told of chorales: the losses of each contender beside those of papers, and how they came down."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev

from ..pages.plot import Series, log_plot
from ..pages.theme import ON_PAGES
from .published import published_table
from .rolls import MUSIC21
from .study import Result, Section, Table

SPLIT_2018 = "file b82beeb0"
"""What the rolls are called that Bai et al. 2018 learned from, in their split."""

LATE = 0.95
"""The share of the epochs after which a best one is no end; chosen: of 80 epochs, the last four."""

LOOKS = {"RNN": ("series1", "square"), "LSTM": ("series0", "circle"), "GRU": ("series2", "circle")}


def report(results: list[Result]) -> list[Section]:
    """Return the sections: for each data set the losses and how they came down; settings; what papers print."""
    if not results:
        return []
    sections = []
    for data in dict.fromkeys(each.row["data"] for each in results):
        sections.append(_losses(data, [each for each in results if each.row["data"] == data]))
    sections.append(_settings(results))
    theirs = {each.row["contender"]: each for each in results if each.row["data"] == SPLIT_2018}
    table = published_table("jsb", lambda contender, _: _beside(contender, theirs.get(contender)))
    if table:
        prose = "In nats for each step. Ours are those of the split of Bai et al.; on other data they say nothing here."
        sections.append(Section("Published figures beside ours", prose, table=table))
    return sections


def _losses(data: str, results: Sequence[Result]) -> Section:
    first = results[0].values
    rows = [["how often each key sounds", "", f"{first['marginal']:.2f}", "", "", "", ""]]
    for each in results:
        found = each.values
        rows.append(
            [
                each.row["contender"],
                f"{found['parameters']:,}",
                f"{mean(found['test']):.2f}",
                f"{stdev(found['test']):.2f}" if len(found["test"]) > 1 else "—",
                f"{min(found['test']):.2f}–{max(found['test']):.2f}",
                f"{mean(found['valid']):.2f}",
                f"{mean(found['epoch']):.0f}",
            ]
        )
    head = ["", "parameters", "test loss", "±", "least and most", "validation", "best epoch"]
    lines = [
        Series(
            [(epoch, loss) for epoch, loss in enumerate(each.values["curve"], 1)],
            each.row["contender"],
            ON_PAGES[LOOKS[each.row["contender"]][0]],
            marker=LOOKS[each.row["contender"]][1],  # type: ignore[arg-type]
        )
        for each in results
    ]
    figure = log_plot(
        lines,
        title="How the validation loss comes down",
        across="epoch",
        upwards="nats for each step",
        label="The validation loss after each epoch, on average over the networks: "
        + "; ".join(f"{line.name} from {line.points[0][1]:.1f} to {line.points[-1][1]:.1f}" for line in lines),
        log_across=False,
        log_upwards=False,
        size=(680, 380),
        standalone=False,
    )
    train, valid, test = first["steps"]
    prose = (
        f"{_what(data)} {train:,} steps to learn from, {valid:,} to choose by and {test:,} to judge by. The loss is "
        "the cross-entropy of the 88 keys, summed over them, for each step, in nats. Each network is judged as it was "
        "when its validation loss was smallest; ± is the standard deviation over networks, which differ in their seed."
        f"\n\n{_seen(results)}"
    )
    return Section(_title(data), prose, figure, Table(head, rows, "lrrrrrr"))


def _seen(results: Sequence[Result]) -> str:
    """Return in words who lost least, what that is beside what all have learned, and who was not at its end yet."""
    ordered = sorted((mean(each.values["test"]), each.row["contender"]) for each in results)
    (least, best), (most, last) = ordered[0], ordered[-1]
    said = f"From the least: {', '.join(f'{name} {loss:.2f}' for loss, name in ordered)}."
    if best != last:
        said += (
            f" What lies between {best} and {last} is {most - least:.2f} nats; what {last} has gained over saying how "
            f"often each key sounds, {results[0].values['marginal'] - most:.2f}. Nobody built a gap into this music: "
            "which cell it is decides less than in the tasks made for it, where one learns all and another nothing."
        )
    falling = [each.row["contender"] for each in results if mean(each.values["epoch"]) > LATE * each.row["epochs"]]
    return said + "".join(f" {name} was still getting better as its epochs ended." for name in falling)


def _title(data: str) -> str:
    return {MUSIC21: "Chorales of music21", SPLIT_2018: "The JSB chorales"}.get(data, f"The rolls of {data}")


def _what(data: str) -> str:
    if data == MUSIC21:
        return (
            "All pieces in four parts by Bach that music21 comes with, a step a quarter note. It is a split of its "
            "own, by tune, and not transposed: its losses are not to be set beside those that papers print."
        )
    if data == SPLIT_2018:
        return "The rolls of Boulanger-Lewandowski et al. (2012) in the split of Bai et al. (2018)."
    return f"The rolls of a file, whose contents have the digest {data.removeprefix('file ')}."


def _settings(results: Sequence[Result]) -> Section:
    first = results[0]
    rows = [
        [
            _title(each.row["data"]),
            each.row["contender"],
            each.row["seeds"],
            each.row["epochs"],
            *(_tried(each, name) for name in first.values["search"]),
            f"{each.seconds:,.0f}",
        ]
        for each in results
    ]
    prose = (
        f"H = {first.row['hidden']}, one layer, {first.row['batch']} whole pieces an update, Adam in single "
        "precision, no dropout. Every contender has the same search: the learning rate and the norm at which "
        "gradients are clipped, by the validation loss of one network of another seed, over as many epochs. "
        "Networks of seeds fixed beforehand are then trained, all on the pieces in the same order. An LSTM of as "
        "many units has three times the parameters of an RNN."
    )
    searched = list(first.values["search"])
    head = ["data", "contender", "networks", "epochs", *searched, "seconds"]
    return Section("Settings", prose, table=Table(head, rows, "llrr" + "r" * len(searched) + "r"))


def _tried(result: Result, name: str) -> str:
    """Return the validation loss of a rate and a norm to clip at, and whether it was chosen."""
    search = result.values["search"]
    return f"{search[name]:.2f}{', chosen' if search[name] == min(search.values()) else ''}"


def _beside(contender: str, result: Result | None) -> str:
    """Return the test loss of a contender as papers print it, and its spread."""
    if result is None:
        return f"{contender}: not run on their split"
    test = result.values["test"]
    return f"{contender} {mean(test):.2f}" + (f" ± {stdev(test):.2f}, {len(test)} networks" if len(test) > 1 else "")
