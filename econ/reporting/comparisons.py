"""Rows that compare: ECON with its rivals on the same problems, and ours with the paper's numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from econ.reporting import paper
from econ.reporting.pool import Cell, Row
from econ.reporting.statistics import Paired, paired

ECON = "econ-bne"
ALL = "all"  # stands for every benchmark of the params, problems pooled


def _pairs(pooled: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    """ECON beside each rival on the same benchmark and agent count."""
    by_key = {(cell.benchmark, cell.method, cell.n_agents): cell for cell in pooled}
    return [
        (by_key[rival.benchmark, ECON, rival.n_agents], rival)
        for rival in pooled
        if rival.method != ECON and (rival.benchmark, ECON, rival.n_agents) in by_key
    ]


def _compare(ours: dict[str, list[bool]], theirs: dict[str, list[bool]]) -> Paired:
    return paired([fmean(ours[problem]) for problem in ours], [fmean(theirs[problem]) for problem in ours])


def paired_rows(pooled: Sequence[Cell]) -> list[Row]:
    """One row per benchmark, rival and agent count, then one over the problems of all benchmarks."""
    pairs = _pairs(pooled)
    rows = [
        _paired_row(ours.key, rival.method, ours.outcomes, rival.outcomes, ours.simulated or rival.simulated)
        for ours, rival in pairs
    ]
    if len({ours.benchmark for ours, _ in pairs}) < 2:
        return rows
    groups: dict[tuple[str, int], list[tuple[Cell, Cell]]] = defaultdict(list)
    for ours, rival in pairs:
        groups[rival.method, ours.n_agents].append((ours, rival))
    for (method, n_agents), group in groups.items():
        key = {"benchmark": ALL, "method": ECON, "n_agents": n_agents}
        ours_all = {p: seeds for ours, _ in group for p, seeds in ours.outcomes.items()}
        theirs_all = {p: seeds for _, rival in group for p, seeds in rival.outcomes.items()}
        simulated = any(cell.simulated for pair in group for cell in pair)
        rows.append(_paired_row(key, method, ours_all, theirs_all, simulated))
    return rows


def _paired_row(
    key: Row, rival: str, ours: dict[str, list[bool]], theirs: dict[str, list[bool]], simulated: bool
) -> Row:
    result = _compare(ours, theirs)
    return {
        **key, "rival": rival, "n": result.n, "simulated": simulated,
        "difference": result.difference, "difference_low": result.low, "difference_high": result.high,
        "wins": result.wins, "losses": result.losses, "p": result.p,
        "least": result.least, "detectable": result.detectable,
    }  # fmt: skip


def paper_accuracy_rows(pooled: Sequence[Cell]) -> list[Row]:
    reported = paper.Reported()
    rows = []
    for cell in pooled:
        values = reported.accuracy(cell.benchmark, cell.method)
        rows.append(
            {
                **cell.key, **cell.counts, **cell.accuracy_columns(),
                "paper_method": paper.name_of(cell.method) if values else None,
                **{column: values.get(model) for model, column in paper.MODELS.items()},
                "note": paper.note_for(cell.benchmark, cell.method) if values else None,
            }
        )  # fmt: skip
    return rows


def paper_gain_rows(pooled: Sequence[Cell]) -> list[Row]:
    reported = paper.Reported()
    return [_gain_row(reported, ours, rival) for ours, rival in _pairs(pooled)]


def _gain_row(reported: paper.Reported, ours: Cell, rival: Cell) -> Row:
    result = _compare(ours.outcomes, rival.outcomes)
    gains = reported.gains(ours.benchmark, ours.method, rival.method)
    points = [point for point, _ in gains]
    return {
        **ours.key, "rival": rival.method, "n": result.n, "simulated": ours.simulated or rival.simulated,
        "gain": result.difference, "gain_low": result.low, "gain_high": result.high,
        "relative_gain": ours.accuracy / rival.accuracy - 1 if rival.accuracy else None,
        "paper_gain": fmean(points) if points else None,
        "paper_gain_low": min(points, default=None),
        "paper_gain_high": max(points, default=None),
        "paper_relative_gain": fmean(relative for _, relative in gains) if gains else None,
        "paper_models": len(gains),
    }  # fmt: skip


def paper_token_rows(pooled: Sequence[Cell]) -> list[Row]:
    reported = paper.Reported()
    debates = {(cell.benchmark, cell.n_agents): cell for cell in pooled if cell.method == "debate"}
    return [_token_row(reported, cell, debates.get((cell.benchmark, cell.n_agents))) for cell in pooled]


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
        **{column: values.get(model) for model, column in paper.MODELS.items() if model != "LLaMA3.1-405B"},
        "paper_saved": reported.saving(cell.benchmark, cell.method) if rival else None,
    }  # fmt: skip
