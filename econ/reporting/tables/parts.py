"""Benchmarks that are told in parts: TravelPlanner by level, GSM-Hard by where its problems come from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from statistics import fmean

from econ.reporting.catalogue import Column, table
from econ.reporting.paper import reported as paper
from econ.reporting.pool import Cell, Row, Run
from econ.reporting.statistics import pooled_interval
from econ.reporting.tables.columns import ACCURACY, JOB, N

RATES = {
    "delivery_rate": Column("Delivery", "percent"),
    "commonsense_micro": Column("Common. micro", "percent"),
    "commonsense_macro": Column("Common. macro", "percent"),
    "hard_micro": Column("Hard micro", "percent"),
    "hard_macro": Column("Hard macro", "percent"),
    "final_pass_rate": Column("Final", "percent"),
}


@table(
    "TravelPlanner",
    "Official rates in % (sole-planning, micro rates over the constraints that apply), by level. Rows "
    "of the paper* are its table 1 with GPT-4 on the 180 validation queries, of which two of its "
    "rates are no multiple of 1/180. n: plans asked for; one not delivered fails everything.",
    {**JOB, "level": Column("Level"), **N, **RATES},
    "benchmarks",
)
def travelplanner(run: Run) -> Iterator[Row]:
    """The official rates by level, then the paper's rows."""
    found = [(cell, level, rates) for cell in run.cells for level, rates in _pooled_rates(cell).items()]
    for cell, level, rates in found:
        said = {"simulated": cell.simulated, "recorded": cell.recorded}
        yield {**cell.key, "seeds": len(cell.seeds), **said, "level": level, **rates}
    if found:
        blank = {"n_agents": None, "seeds": None, "simulated": False, "recorded": None, "level": "all"}
        for row in paper.travelplanner():
            yield {"benchmark": "travelplanner", **blank, **row}


def _pooled_rates(cell: Cell) -> dict[str, Row]:
    """Rates by level. Every seed asks for the same plans, so the mean over seeds is the rate of all."""
    per_seed = [result.metrics["travelplanner"] for result in cell.seeds if "travelplanner" in result.metrics]
    if not per_seed:
        return {}
    by_level = {"all": per_seed} | {
        level: [seed["levels"][level] for seed in per_seed] for level in per_seed[0]["levels"]
    }
    return {
        level: {"n": sum(seed["n"] for seed in seeds)}
        | {name: fmean(seed[name] for seed in seeds) for name in paper.RATES}
        for level, seeds in by_level.items()
    }


@table(
    "GSM-Hard with and without its GSM8K problems",
    "Accuracy in % with 95 % interval on all problems, on those whose numbers were changed, and on "
    "those that are verbatim GSM8K questions.",
    {**JOB, "subset": Column("Problems"), **N, **ACCURACY},
    "benchmarks",
)
def gsm_hard(run: Run) -> Iterator[Row]:
    for cell in run.cells:
        if cell.subsets:
            for subset in ("all", *sorted(set(chain.from_iterable(cell.subsets.values())))):
                yield _subset_row(cell, subset)


def _subset_row(cell: Cell, subset: str) -> Row:
    """Accuracy on all problems, or on those in one part of the benchmark."""
    outcomes = [
        seeds
        for problem, seeds in cell.outcomes.items()
        if subset == "all" or subset in cell.subsets.get(problem, ())
    ]
    answers = [correct for seeds in outcomes for correct in seeds]
    low, high = pooled_interval(outcomes) if outcomes else (None, None)
    return {
        **cell.key, "subset": subset, "n": len(answers), "problems": len(outcomes),
        "simulated": cell.simulated, "recorded": cell.recorded,
        "accuracy": fmean(answers) if answers else None, "accuracy_low": low, "accuracy_high": high,
    }  # fmt: skip
