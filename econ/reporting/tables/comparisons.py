"""Rows that compare: methods with each other on the same problems, and ours with the paper's numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from statistics import fmean

from econ.reporting import show
from econ.reporting.paper import reported as paper
from econ.reporting.pool import Cell, Outcomes, Row
from econ.reporting.statistics import Paired, holm, paired

ECON = "econ-bne"
Sources = Mapping[str, str]  # problem id -> source question
ALL = "all"  # stands for every benchmark of the params, problems pooled


@dataclass(frozen=True, slots=True)
class Pair:
    """A method and its rival on one benchmark, with one agent count."""

    method: Cell
    rival: Cell

    @property
    def simulated(self) -> bool:
        return self.method.simulated or self.rival.simulated

    @property
    def recorded(self) -> str | None:
        return show.joined((self.method.recorded, self.rival.recorded))


def pairs(pooled: Sequence[Cell], method: str = ECON) -> list[Pair]:
    """The method beside every other one."""
    own = {(cell.benchmark, cell.n_agents): cell for cell in pooled if cell.method == method}
    return [
        Pair(own[rival.benchmark, rival.n_agents], rival)
        for rival in pooled
        if rival.method != method and (rival.benchmark, rival.n_agents) in own
    ]


def union(outcomes: Iterable[Outcomes]) -> Outcomes:
    """The problems of several benchmarks together."""
    return {problem: seeds for part in outcomes for problem, seeds in part.items()}


def sources(cells: Iterable[Cell]) -> Sources:
    """Source questions of several benchmarks' problems, where they are not their own."""
    return {problem: source for cell in cells for problem, source in cell.sources.items()}


def compare(ours: Outcomes, theirs: Outcomes, made_of: Sources | None = None) -> Paired:
    """Paired over problems; those that ``made_of`` one question count together."""
    clusters = [(made_of or {}).get(problem, problem) for problem in ours]
    mine, rivals = ([fmean(side[problem]) for problem in ours] for side in (ours, theirs))
    return paired(mine, rivals, clusters)


def paired_columns(ours: Outcomes, theirs: Outcomes, made_of: Sources | None = None) -> Row:
    """What a paired comparison amounts to; blank where one side has nothing to compare."""
    columns = (
        "difference", "difference_low", "difference_high", "no_worse",
        "wins", "losses", "p", "least", "detectable",
    )  # fmt: skip
    if not (ours and theirs):
        return {"n": len(ours or theirs), **dict.fromkeys(columns)}
    n, *values = astuple(compare(ours, theirs, made_of))
    found = dict(zip(columns, values, strict=True))
    return {"n": n, **found, "no_worse": "yes" if found["no_worse"] else "no"}


def paired_rows(found: Sequence[Pair]) -> list[Row]:
    """One row per benchmark, rival and agent count, then one over the benchmarks that both play on."""
    groups: dict[tuple[str, int], list[Pair]] = defaultdict(list)
    for pair in found:
        groups[pair.rival.method, pair.method.n_agents].append(pair)
    rows = [_paired_row([pair]) for pair in found]
    rows += [_paired_row(group) | {"benchmark": ALL} for group in groups.values() if len(group) > 1]
    families: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        families[row["benchmark"], row["n_agents"]].append(row)
    for family in families.values():
        for row, p in zip(family, holm([row["p"] for row in family]), strict=True):
            row["p_holm"] = p
    return rows


def _paired_row(group: Sequence[Pair]) -> Row:
    first = group[0]
    return {
        **first.method.key,
        "rival": first.rival.method,
        "simulated": any(pair.simulated for pair in group),
        "recorded": show.joined(pair.recorded for pair in group),
        **paired_columns(
            union(pair.method.outcomes for pair in group),
            union(pair.rival.outcomes for pair in group),
            sources(pair.method for pair in group),
        ),
    }


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


def paper_gain_rows(found: Sequence[Pair]) -> list[Row]:
    reported = paper.Reported()
    return [_gain_row(reported, pair.method, pair.rival) for pair in found]


def _gain_row(reported: paper.Reported, ours: Cell, rival: Cell) -> Row:
    result = compare(ours.outcomes, rival.outcomes, ours.sources)
    gains = reported.gains(ours.benchmark, ours.method, rival.method)
    points = [point for point, _ in gains]
    return {
        **ours.key, "rival": rival.method, "n": result.n, "simulated": ours.simulated or rival.simulated,
        "recorded": show.joined((ours.recorded, rival.recorded)),
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
