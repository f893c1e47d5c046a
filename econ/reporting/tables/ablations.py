"""Rows of the ablations: each variant beside its method, on the same problems, and beside the paper's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from statistics import fmean
from typing import Any

from econ.params import parse_method
from econ.reporting import show
from econ.reporting.catalogue import Column, table
from econ.reporting.gather import differing
from econ.reporting.paper import ablations as paper_ablations
from econ.reporting.paper import reported as paper
from econ.reporting.pool import Cell, Row, Run
from econ.reporting.statistics import holm, pooled_interval
from econ.reporting.tables.columns import ACCURACY, DIFFERENCE, JOB, N
from econ.reporting.tables.comparisons import ALL, ECON, Pair, paired_columns, sources, union

_MODELS = {paper_ablations.EIGHT: "paper_llama_8b"} | {
    model: column for model, column in paper.MODELS.items() if column != "paper_llama_405b"
}


@table(
    "Variants beside their method",
    "Accuracy in % with 95 % interval; the change in points against the method as it is (its row comes "
    "first), on the same problems, with interval and p as among the pairs; Holm: "
    "adjusted for the variants of this method, benchmark and N; tokens per problem and their change in "
    "%. What changes learning was trained anew. * = as the paper reports it, found by what is changed: "
    "LLaMA3.1 8B and 70B (in table 2 the coordinator), the mean change over its models [lowest, highest] "
    "against ECON in the same table, and of tokens.",
    {
        **JOB,
        "change": Column("Changed"),
        **N, **ACCURACY, **DIFFERENCE,
        "p": Column("p", "p"),
        "p_holm": Column("Holm", "p"),
        "total_tokens": Column("Tokens", "tokens"),
        "tokens_change": Column("Tokens, change", "points"),
        "paper_llama_8b": Column("8B*", "percent"),
        "paper_llama_70b": Column("70B*", "percent"),
        "paper_points": Column("Points*", "points", "paper_points_low", "paper_points_high"),
        "paper_tokens_change": Column("Tokens, change*", "points"),
        "paper_source": Column("Where*"),
    },
    "variants",
)  # fmt: skip
def ablations(run: Run) -> list[Row]:
    """Each method that has variants, then these: per benchmark and agent count, then over all benchmarks."""
    groups = list(_groups(run.cells))
    rows = [
        row for group in groups for row in _adjusted([_row([pair]) | _paper_columns(pair) for pair in group])
    ]
    if len({pair.method.benchmark for group in groups for pair in group}) < 2:
        return rows
    overall: dict[tuple[str, int], list[list[Pair]]] = defaultdict(list)
    for group in groups:
        overall[group[0].rival.method, group[0].rival.n_agents].append(group)
    for parts in overall.values():
        rows += _adjusted([_row(pairs) | {"benchmark": ALL} for pairs in zip(*parts, strict=True)])
    return rows


def _groups(pooled: Sequence[Cell]) -> Iterator[list[Pair]]:
    """Each method that has variants with itself, then each variant with its method."""
    cells: dict[tuple[str, str, int], list[Cell]] = defaultdict(list)
    for cell in pooled:
        cells[cell.benchmark, parse_method(cell.method)[0], cell.n_agents].append(cell)
    for group in cells.values():
        own = next(cell for cell in group if cell.variant is None)
        if len(group) > 1:
            yield [Pair(own, own), *(Pair(cell, own) for cell in group if cell is not own)]


def _adjusted(rows: list[Row]) -> list[Row]:
    """With p adjusted for the number of variants; the first row is the method itself."""
    adjusted = [None, *holm([row["p"] for row in rows[1:]])]
    return [row | {"p_holm": p} for row, p in zip(rows, adjusted, strict=True)]


def _row(group: Sequence[Pair]) -> Row:
    """One variant (or the method itself, with nothing to compare) over its benchmarks."""
    pair, cells = group[0], [pair.method for pair in group]
    outcomes = union(cell.outcomes for cell in cells)
    answers = [correct for seeds in outcomes.values() for correct in seeds]
    low, high = pooled_interval(list(outcomes.values()))
    theirs = {} if pair.method is pair.rival else union(pair.rival.outcomes for pair in group)
    spent, theirs_spent = (
        sum(cell.sum("total_tokens") for cell in side) / len(answers)
        for side in (cells, [pair.rival for pair in group])
    )
    return {
        **pair.method.key,
        "change": _change(pair),
        **paired_columns(outcomes, theirs, sources(cells)),
        "n": len(answers), "problems": len(outcomes), "seeds": len(pair.method.seeds),
        "simulated": any(pair.simulated for pair in group),
        "recorded": show.joined(pair.recorded for pair in group), "models": pair.method.models,
        "accuracy": fmean(answers), "accuracy_low": low, "accuracy_high": high,
        "total_tokens": spent,
        "tokens_change": spent / theirs_spent - 1 if theirs and theirs_spent else None,
    }  # fmt: skip


def _differences(pair: Pair) -> Iterator[tuple[str, Any, Any]]:
    mine, own = (cell.seeds[0].metrics["setting"] for cell in (pair.method, pair.rival))
    return differing(own, mine)


def _change(pair: Pair) -> str | None:
    """What is changed, in the params' own words: ``team.strategy: none``."""
    return "; ".join(f"{key}: {_shown(value)}" for key, _, value in sorted(_differences(pair))) or None


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return PurePath(value).name if isinstance(value, str) else str(value).lower()


def _paper_columns(pair: Pair) -> Row:
    cell, found = pair.method, None
    if pair.rival.method == ECON:
        changes = {key: value for key, _, value in _differences(pair)}
        coordinator = cell.seeds[0].metrics["setting"]["llm"]["coordinator"]
        found = paper_ablations.find(cell.benchmark, changes, cell.n_agents, coordinator)
    found = found or paper_ablations.Ablation("")
    points, tokens = list(found.points.values()), list(found.tokens.values())
    return {
        **{column: found.accuracy.get(model) for model, column in _MODELS.items()},
        "paper_points": fmean(points) if points else None,
        "paper_points_low": min(points) if len(points) > 1 else None,
        "paper_points_high": max(points) if len(points) > 1 else None,
        "paper_tokens_change": fmean(tokens) if tokens else None,
        "paper_models": len(points),
        "paper_source": "; ".join(filter(None, (found.source, found.note))) or None,
    }  # fmt: skip
