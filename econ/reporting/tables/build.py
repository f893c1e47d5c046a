"""The tables: pure functions from the jobs' results to one data frame each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from statistics import fmean
from typing import TYPE_CHECKING

from econ.reporting.catalogue import STRATEGY_FACTS, TABLES
from econ.reporting.convergence import convergence_rows
from econ.reporting.gather import Result
from econ.reporting.paper import reported as paper
from econ.reporting.pool import Cell, Row, cells
from econ.reporting.statistics import pooled_interval
from econ.reporting.tables.ablations import ablation_rows
from econ.reporting.tables.budgets import budget_rows, drawn_against, equal_token_rows
from econ.reporting.tables.comparisons import (
    paired_rows,
    pairs,
    paper_accuracy_rows,
    paper_gain_rows,
    paper_token_rows,
)

if TYPE_CHECKING:
    import pandas as pd


def build(results: Sequence[Result]) -> dict[str, pd.DataFrame]:
    """Every table of :data:`~econ.reporting.catalogue.TABLES`, empty ones with their columns."""
    pooled = cells(results)
    plain = [cell for cell in pooled if cell.variant is None]
    found = pairs(plain)
    makers: dict[str, Callable[[], list[Row]]] = {
        "accuracy": lambda: [accuracy_row(cell) for cell in pooled],
        "tokens": lambda: [tokens_row(cell) for cell in pooled],
        "paired": lambda: paired_rows(found),
        "budgets": lambda: budget_rows(pooled),
        "equal_tokens": lambda: equal_token_rows([*found, *drawn_against(plain, "econ-baseline")]),
        "ablations": lambda: ablation_rows(pooled),
        "scaling": lambda: scaling_rows(pooled),
        "paper_accuracy": lambda: paper_accuracy_rows(plain),
        "paper_gains": lambda: paper_gain_rows(found),
        "paper_tokens": lambda: paper_token_rows(plain),
        "travelplanner": lambda: travelplanner_rows(pooled),
        "gsm_hard": lambda: subset_rows(pooled),
        "convergence": lambda: convergence_rows(pooled),
        "endings": lambda: [ending_row(cell) for cell in pooled],
        "invalid": lambda: [invalid_row(cell) for cell in pooled],
        "strategies": lambda: strategy_rows(pooled),
        "problems": lambda: problem_rows(results),
    }
    return {name: framed(name, makers[name]()) for name in TABLES}


def framed(name: str, rows: list[Row]) -> pd.DataFrame:
    """Columns in the order they appear; those that are shown, where a table has no rows."""
    import pandas as pd

    bounds = [b for c in TABLES[name].columns.values() for b in (c.low, c.high) if b]
    columns = dict.fromkeys(key for row in rows for key in row) or [
        *TABLES[name].columns,
        *bounds,
        "simulated",
        "recorded",
    ]
    return pd.DataFrame(rows, columns=list(columns))


def accuracy_row(cell: Cell) -> Row:
    return {
        **cell.key, **cell.counts, **cell.accuracy_columns(),
        "accuracy_strict": cell.mean("accuracy_strict"),
        "parse_rate": cell.mean("parse_rate"),
        "parse_rate_strict": cell.mean("parse_rate_strict"),
        "invalid": int(cell.sum("invalid")),
    }  # fmt: skip


def tokens_row(cell: Cell) -> Row:
    prices = [result.metrics["usd"] for result in cell.seeds]
    return {
        **cell.key, **cell.counts,
        "calls": cell.per_answer("calls"),
        "prompt_tokens": cell.per_answer("prompt_tokens"),
        "completion_tokens": cell.per_answer("completion_tokens"),
        "total_tokens": cell.per_answer("total_tokens"),
        "rounds": cell.mean("mean_rounds"),
        "usd": None if None in prices else sum(prices) / cell.n,
    }  # fmt: skip


def ending_row(cell: Cell) -> Row:
    return {
        **cell.key, **cell.counts,
        "rounds": cell.mean("mean_rounds"),
        "stops": _listed(cell.merged("stop_reasons")),
        "dropped": sum(seed.metrics.get("dropped_exchanges", 0) for seed in cell.seeds),
        "favoured": _listed(cell.merged("favoured")),
    }  # fmt: skip


def invalid_row(cell: Cell) -> Row:
    return {
        **cell.key, **cell.counts,
        "invalid": int(cell.sum("invalid")),
        "reasons": _listed(cell.merged("invalid_reasons")),
        "calls": int(cell.sum("calls")),
        "failed_calls": int(cell.sum("failed_calls")),
        "truncated_calls": int(cell.sum("truncated_calls")),
    }  # fmt: skip


def _listed(counts: dict[str, int]) -> str | None:
    return "; ".join(f"{reason}: {count}" for reason, count in counts.items()) or None


def scaling_rows(pooled: Sequence[Cell]) -> list[Row]:
    fewest: dict[tuple[str, str], Cell] = {}
    for cell in pooled:
        kept = fewest.setdefault((cell.benchmark, cell.method), cell)
        if cell.n_agents < kept.n_agents:
            fewest[cell.benchmark, cell.method] = cell
    return [
        {
            **cell.key, **cell.counts, **cell.accuracy_columns(),
            "change": cell.accuracy - fewest[cell.benchmark, cell.method].accuracy,
            "total_tokens": cell.per_answer("total_tokens"),
        }
        for cell in pooled
    ]  # fmt: skip


def travelplanner_rows(pooled: Sequence[Cell]) -> list[Row]:
    """The official rates by level, then the paper's rows."""
    rows = [
        {
            **cell.key,
            "seeds": len(cell.seeds),
            "simulated": cell.simulated,
            "recorded": cell.recorded,
            "level": level,
            **rates,
        }
        for cell in pooled
        for level, rates in _pooled_rates(cell).items()
    ]
    if not rows:
        return []
    blank = {
        "benchmark": "travelplanner",
        "n_agents": None,
        "seeds": None,
        "simulated": False,
        "recorded": None,
        "level": "all",
    }
    return [*rows, *({**blank, **row} for row in paper.travelplanner())]


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


def subset_rows(pooled: Sequence[Cell]) -> list[Row]:
    return [
        _subset_row(cell, subset)
        for cell in pooled
        if cell.subsets
        for subset in ("all", *sorted(set(chain.from_iterable(cell.subsets.values()))))
    ]


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


def strategy_rows(pooled: Sequence[Cell]) -> list[Row]:
    return [
        {
            **cell.key, **cell.counts,
            **{fact: sum(seed.metrics["strategies"][fact] for seed in cell.seeds) for fact in STRATEGY_FACTS},
        }
        for cell in pooled
        if all("strategies" in seed.metrics for seed in cell.seeds)
    ]  # fmt: skip


def problem_rows(results: Sequence[Result]) -> list[Row]:
    first: dict[str, Result] = {}
    for result in results:
        first.setdefault(result.job.benchmark, result)
    return [_problem_row(result) for result in first.values()]


def _problem_row(result: Result) -> Row:
    info = result.metrics["problems"]
    test = info["splits"]["test"]
    shipped = info["source"] == "shipped"
    return {
        "benchmark": result.job.benchmark,
        "split": "test",
        "source": info["source"],
        "hub": None if shipped else test["hub"],
        "revision": None if shipped else test["revision"],
        "checked": "yes" if test["revision_checked"] else "no",
        "n": result.metrics["n"],
        "rows": test["rows"],
        "licence": info["licence"],
        "sha256": test["sha256"],
        "simulated": result.metrics["simulated"],
        "recorded": result.metrics.get("recorded") or None,
    }
