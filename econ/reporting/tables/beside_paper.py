"""Ours beside the paper's numbers: accuracy, ECON's gain over each rival, tokens."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from econ.reporting.catalogue import Column, table
from econ.reporting.paper import reported as paper
from econ.reporting.pool import Cell, Row, Run
from econ.reporting.tables.columns import ACCURACY, JOB, PAPER_MODELS, PAPER_TOKENS, STARRED, N
from econ.reporting.tables.comparisons import Pair, compare, pairs


@table(
    "Accuracy beside the paper's",
    f"Accuracy in % with 95 % interval. {STARRED}. The paper states neither sample sizes, seeds nor "
    "spread; its debate rows are of table 3, all others of figures 9 to 13.",
    {
        **JOB, **N, **ACCURACY,
        "paper_method": Column("Paper's name*"), **PAPER_MODELS,
        "note": Column("Note"),
    },
    "paper",
)  # fmt: skip
def paper_accuracy(run: Run) -> Iterator[Row]:
    reported = paper.Reported()
    for cell in run.plain:
        values = reported.accuracy(cell.benchmark, cell.method)
        yield {
            **cell.key, **cell.counts, **cell.accuracy_columns(),
            "paper_method": paper.name_of(cell.method) if values else None,
            **{column: values.get(model) for model, column in paper.MODELS.items()},
            "note": paper.note_for(cell.benchmark, cell.method) if values else None,
        }  # fmt: skip


@table(
    "ECON's gain over each rival, beside the paper's",
    "Gain in points, then as a share of the rival's accuracy (relative). Paper*: mean over the models "
    "that the paper reports for this benchmark and rival, points with the lowest and highest model. "
    "The paper's headline percentages (10.9, 11.2 ...) are of no single statistic and are not used.",
    {
        **JOB,
        "rival": Column("Rival"),
        **N,
        "gain": Column("Points", "points", "gain_low", "gain_high"),
        "relative_gain": Column("Relative", "points"),
        "paper_gain": Column("Points*", "points", "paper_gain_low", "paper_gain_high"),
        "paper_relative_gain": Column("Relative*", "points"),
        "paper_models": Column("Models*", "count"),
    },
    "paper",
)
def paper_gains(run: Run) -> Iterator[Row]:
    reported = paper.Reported()
    for pair in pairs(run.plain):
        yield _gain_row(reported, pair)


def _gain_row(reported: paper.Reported, pair: Pair) -> Row:
    ours, rival = pair.method, pair.rival
    result = compare(ours.outcomes, rival.outcomes, ours.sources)
    gains = reported.gains(ours.benchmark, ours.method, rival.method)
    points = [point for point, _ in gains]
    return {
        **ours.key, "rival": rival.method, "n": result.n,
        "simulated": pair.simulated, "recorded": pair.recorded,
        "gain": result.difference, "gain_low": result.low, "gain_high": result.high,
        "relative_gain": ours.accuracy / rival.accuracy - 1 if rival.accuracy else None,
        "paper_gain": fmean(points) if points else None,
        "paper_gain_low": min(points, default=None),
        "paper_gain_high": max(points, default=None),
        "paper_relative_gain": fmean(relative for _, relative in gains) if gains else None,
        "paper_models": len(gains),
    }  # fmt: skip


@table(
    "Tokens per problem beside the paper's",
    "Mean tokens per problem over n answers. Saved: tokens fewer than debate's on the same benchmark "
    f"and N, in %, on the total and on completions alone. {STARRED}, table 3; its unit is not defined "
    "and fits completions best. Saved*: mean over its models (the paper's 21.4 % is none of its "
    "table's means).",
    {
        **JOB, **N,
        "completion_tokens": Column("Completion", "tokens"),
        "total_tokens": Column("Total", "tokens"),
        "saved_total": Column("Saved, total", "points"),
        "saved_completion": Column("Saved, compl.", "points"),
        **PAPER_TOKENS,
        "paper_saved": Column("Saved*", "points"),
    },
    "paper",
)  # fmt: skip
def paper_tokens(run: Run) -> Iterator[Row]:
    reported = paper.Reported()
    debates = {(cell.benchmark, cell.n_agents): cell for cell in run.plain if cell.method == "debate"}
    for cell in run.plain:
        yield _token_row(reported, cell, debates.get((cell.benchmark, cell.n_agents)))


def _token_row(reported: paper.Reported, cell: Cell, debate: Cell | None) -> Row:
    values = reported.tokens(cell.benchmark, cell.method)
    rival = None if cell.method == "debate" else debate

    def saved(name: str) -> float | None:
        spent = rival.per_answer(name) if rival else 0.0
        return 1 - cell.per_answer(name) / spent if spent else None

    return {
        **cell.key, **cell.counts,
        "prompt_tokens": cell.per_answer("prompt_tokens"),
        "completion_tokens": cell.per_answer("completion_tokens"),
        "total_tokens": cell.per_answer("total_tokens"),
        "saved_total": saved("total_tokens"),
        "saved_completion": saved("completion_tokens"),
        **{column: values.get(model) for model, column in paper.MODELS.items() if column in PAPER_TOKENS},
        "paper_saved": reported.saving(cell.benchmark, cell.method) if rival else None,
    }  # fmt: skip
