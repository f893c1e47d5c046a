"""The mean over five benchmarks, as in figure 3 of the paper."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean

from econ.reporting import show
from econ.reporting.catalogue import Column, table
from econ.reporting.paper import reported as paper
from econ.reporting.pool import Cell, Row, Run
from econ.reporting.statistics import Interval
from econ.reporting.tables.columns import ACCURACY, PAPER_MODELS, N

FIVE = ("gsm8k", "gsm_hard", "math", "svamp", "strategyqa")  # of figure 3


@table(
    "Mean over the benchmarks of figure 3",
    "Accuracy in % as the mean over GSM8K, GSM-Hard, MATH, SVAMP and StrategyQA, each counted alike, with a "
    "95 % interval from the benchmarks' Wilson intervals (Zou & Donner 2008). Benchmarks: how many of the "
    "five these params have; beside fewer than five the paper's means are left out. * = the means of the "
    "paper's figures 9 to 13, which its figure 3 shows cut to one decimal.",
    {
        "method": Column("Method"), "n_agents": Column("N", "count"),
        "benchmarks": Column("Benchmarks", "count"),
        **N, **ACCURACY, **PAPER_MODELS,
    },
    "accuracy",
)  # fmt: skip
def averages(run: Run) -> Iterator[Row]:
    """A row per method and agent count that was played on all of the five that the params have."""
    groups: dict[tuple[str, int], list[Cell]] = defaultdict(list)
    for cell in run.plain:
        if cell.benchmark in FIVE:
            groups[cell.method, cell.n_agents].append(cell)
    most = max(map(len, groups.values()), default=0)
    reported = paper.Reported() if most == len(FIVE) else None
    for (method, _), cells in groups.items():
        if len(cells) == most:
            yield _row(cells) | _beside(reported, method)


def _row(cells: Sequence[Cell]) -> Row:
    columns = [cell.accuracy_columns() for cell in cells]
    mean = fmean(part["accuracy"] for part in columns)
    low, high = mean_of_intervals([(c["accuracy"], (c["accuracy_low"], c["accuracy_high"])) for c in columns])
    first = cells[0]
    return {
        "method": first.method, "n_agents": first.n_agents, "fixed": first.fixed,
        "benchmarks": len(cells), "n": sum(cell.n for cell in cells),
        "simulated": any(cell.simulated for cell in cells),
        "recorded": show.joined(cell.recorded for cell in cells), "models": first.models,
        "accuracy": mean, "accuracy_low": low, "accuracy_high": high,
    }  # fmt: skip


def mean_of_intervals(parts: Sequence[tuple[float, Interval]]) -> Interval:
    """95 % interval of the mean of independent shares from their own intervals (MOVER, Zou & Donner 2008).

    Args:
        parts: of each share its value and its interval.
    """
    k = len(parts)
    mean = fmean(share for share, _ in parts)
    below = math.sqrt(sum((share - low) ** 2 for share, (low, _) in parts)) / k
    above = math.sqrt(sum((high - share) ** 2 for share, (_, high) in parts)) / k
    return mean - below, mean + above


def _beside(reported: paper.Reported | None, method: str) -> Row:
    """The paper's means of the five, by model; blank where it lacks one of them."""
    found: Row = dict.fromkeys(PAPER_MODELS)
    if reported is None:
        return found
    shares = [reported.accuracy(benchmark, method) for benchmark in FIVE]
    for model, column in paper.MODELS.items():
        if all(model in part for part in shares):
            found[column] = fmean(part[model] for part in shares)
    return found
