"""Methods compared with each other on the same problems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from statistics import fmean

from econ.reporting import show, statistics
from econ.reporting.catalogue import Column, table
from econ.reporting.pool import Cell, Outcomes, Row, Run
from econ.reporting.statistics import Paired, holm
from econ.reporting.tables.columns import DIFFERENCE, JOB, NO_WORSE, POWER, N

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
    return statistics.paired(mine, rivals, clusters)


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


@table(
    "Pairs on the same problems",
    "Difference in accuracy in points (method minus rival) with a 95 % paired interval over problems "
    "(Student's, widened by one answer's difference, so that it covers with few problems too). No "
    "worse: the interval lies above -2 points. p: exact McNemar over the n problems; with several seeds "
    "a sign-flip test of the mean difference over problems. Problems of two benchmarks that were made of "
    "one question count together. Holm: adjusted for the rivals of this benchmark and N. Least: the "
    "smallest difference that can reach p = 0.05 at this n. Detectable: the smallest true difference "
    "found with 80 % power at this n and spread; a smaller one could not have been shown. Any other "
    "pair: econ compare.",
    {
        **JOB,
        "rival": Column("Rival"),
        **N, **DIFFERENCE, **NO_WORSE,
        "wins": Column("Wins", "count"),
        "losses": Column("Losses", "count"),
        "p": Column("p", "p"),
        "p_holm": Column("Holm", "p"),
        **POWER,
    },
    "rivals",
)  # fmt: skip
def paired(run: Run) -> list[Row]:
    return paired_rows(pairs(run.plain))


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
