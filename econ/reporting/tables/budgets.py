"""Equal budgets: what a method gets right and spends at its operating points, and pairs at equal tokens.

A method that draws samples or plays rounds is known at every smaller number of them from the very same calls
(``points`` of its metrics), any other as run alone. At equal tokens each of a pair stands at its largest
point within what the cheaper of the two spends as run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from econ.reporting import show
from econ.reporting.catalogue import Column, table
from econ.reporting.pool import Cell, Outcomes, Row, Run
from econ.reporting.statistics import pooled_interval
from econ.reporting.tables.columns import ACCURACY, DIFFERENCE, JOB, NO_WORSE, POWER, N
from econ.reporting.tables.comparisons import ALL, Pair, paired_columns, pairs, sources, union

Measure = Literal["total", "prompt once", "completion"]
_COUNTED: dict[Measure, tuple[str, ...]] = {
    "total": ("prompt_tokens", "completion_tokens"),
    "prompt once": ("prompt_tokens_once", "completion_tokens"),
    "completion": ("completion_tokens",),
}
_KINDS = ("prompt_tokens", "prompt_tokens_once", "completion_tokens")


@dataclass(frozen=True, slots=True)
class Point:
    """A method given ``k`` of its samples or rounds (None: as run).

    ``tokens`` are means per answer; in ``prompt_tokens_once`` every prompt counts once, however many samples
    were drawn from it.
    """

    outcomes: Outcomes
    tokens: dict[str, float]
    unit: str | None = None
    k: int | None = None

    def spent(self, measure: Measure) -> float:
        return sum(self.tokens[kind] for kind in _COUNTED[measure])

    @property
    def label(self) -> str:
        return "as run" if self.k is None else f"{self.k} {self.unit}{'s' if self.k > 1 else ''}"


def points(cell: Cell) -> list[Point]:
    """The operating points, in the order of ``k``; the last is the method as run."""
    if not all("points" in seed.metrics for seed in cell.seeds):
        return [Point(cell.outcomes, {kind: cell.per_answer(kind) for kind in _KINDS})]
    most = max(len(seed.metrics["points"]) for seed in cell.seeds)
    return [_point(cell, k) for k in range(1, most + 1)]


def _point(cell: Cell, k: int) -> Point:
    """Seeds and problems that ended before ``k`` stay as they ended."""
    rows = [(seed.metrics["points"][:k][-1], seed.metrics["n"]) for seed in cell.seeds]
    tokens = {kind: sum(row[f"{kind}_per_problem"] * n for row, n in rows) / cell.n for kind in _KINDS}
    return Point(cell.outcomes_after(k), tokens, rows[0][0]["unit"], k)


def within(known: Sequence[Point], budget: float, measure: Measure) -> Point | None:
    """The largest point that spends no more than ``budget``; None: there is none."""
    affordable = (point for point in known if point.spent(measure) <= budget)
    return max(affordable, key=lambda point: (point.spent(measure), point.k or 0), default=None)


@table(
    "Operating points",
    "Accuracy in % with 95 % interval, and mean tokens per problem, of methods given fewer of their "
    "samples or rounds: from the very same calls, the first k in their order. A problem that ended "
    "earlier counts as it ended. Once: every prompt counted once, however many samples were drawn from "
    "it. Of many samples the powers of two are shown; the CSV has all. The last point of a method is "
    "the method as run; one with a single row is known as run alone.",
    {
        **JOB,
        "at": Column("Given"),
        **N, **ACCURACY,
        "prompt_tokens": Column("Prompt", "tokens"),
        "prompt_tokens_once": Column("Once", "tokens"),
        "completion_tokens": Column("Completion", "tokens"),
        "total_tokens": Column("Total", "tokens"),
    },
    "budgets",
)  # fmt: skip
def budgets(run: Run) -> list[Row]:
    """A row per operating point. ``shown``: of many samples the powers of two, and the last."""
    return [
        _budget_row(cell, point, last=point is known[-1])
        for cell in run.cells
        for known in [points(cell)]
        for point in known
    ]


def _budget_row(cell: Cell, point: Point, last: bool) -> Row:
    low, high = pooled_interval(list(point.outcomes.values()))
    k = point.k or 0
    return {
        **cell.key, "at": point.label, "unit": point.unit, "k": point.k, "as_run": last, **cell.counts,
        "accuracy": fmean(correct for seeds in point.outcomes.values() for correct in seeds),
        "accuracy_low": low, "accuracy_high": high,
        **point.tokens, "total_tokens": point.spent("total"),
        "shown": last or point.unit != "sample" or k & (k - 1) == 0,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """A pair at equal tokens by one measure; a side is None that has no point within the budget."""

    pair: Pair
    measure: Measure
    budget: float
    ours: Point | None
    theirs: Point | None
    note: str | None

    @property
    def whole(self) -> bool:
        return self.ours is not None and self.theirs is not None


def matches(pair: Pair) -> list[Match]:
    """By all tokens; by completions, and with every prompt counted once where samples are drawn."""
    ours, theirs = points(pair.method), points(pair.rival)
    drawn = "sample" in (ours[-1].unit, theirs[-1].unit)
    measures: tuple[Measure, ...] = (
        ("total", "prompt once", "completion") if drawn else ("total", "completion")
    )
    found = [_match(pair, ours, theirs, measure) for measure in measures]
    return [match for match in found if match.whole or match.measure == "total"]


def _match(pair: Pair, ours: Sequence[Point], theirs: Sequence[Point], measure: Measure) -> Match:
    budget = min(ours[-1].spent(measure), theirs[-1].spent(measure))
    named = ((pair.method.method, ours, theirs), (pair.rival.method, theirs, ours))
    notes = [note for name, own, other in named for note in _notes(name, own, other, measure)]
    return Match(
        pair, measure, budget, within(ours, budget, measure), within(theirs, budget, measure),
        "; ".join(notes) or None,
    )  # fmt: skip


def _notes(name: str, own: Sequence[Point], other: Sequence[Point], measure: Measure) -> list[str]:
    """That a method cannot be had as cheap as the other; how many samples would spend as much as it."""
    spends, rival = own[-1].spent(measure), other[-1].spent(measure)
    least = min(point.spent(measure) for point in own)
    if least > rival:
        return [f"{name} spends {least:,.0f} at its least"]
    if own[-1].unit == "sample" and own[-1].k and 0 < spends < rival:
        return [f"{name} would spend as much with about {own[-1].k * rival / spends:.0f} samples"]
    return []


def drawn_against(pooled: Sequence[Cell], method: str) -> list[Pair]:
    """The method beside those alone that draw samples, and so can be had for any budget."""
    return [pair for pair in pairs(pooled, method) if points(pair.rival)[-1].unit == "sample"]


@table(
    "Pairs at equal tokens",
    "Differences, intervals and p as among the pairs as run, at equal tokens per problem: the cheaper "
    "method as run, the dearer one at its largest operating point that spends no more (fewer samples or "
    "rounds of the very same calls); what it leaves unspent counts against it. Count: all tokens; with "
    "every prompt counted once, where samples share it; completions alone. A dash: no such point.",
    {
        **JOB,
        "rival": Column("Rival"),
        "measure": Column("Count"),
        "method_at": Column("Method at"),
        "method_tokens": Column("Tokens", "tokens"),
        "rival_at": Column("Rival at"),
        "rival_tokens": Column("Tokens", "tokens"),
        **N, **DIFFERENCE, **NO_WORSE,
        "p": Column("p", "p"),
        **POWER,
        "note": Column("Note"),
    },
    "budgets",
)  # fmt: skip
def equal_tokens(run: Run) -> list[Row]:
    return equal_token_rows([*pairs(run.plain), *drawn_against(run.plain, "econ-baseline")])


def equal_token_rows(found: Sequence[Pair]) -> list[Row]:
    """Every pair at equal tokens, then over the problems of all benchmarks where each has a match."""
    matched = [match for pair in found for match in matches(pair)]
    groups: dict[tuple[str, str, int, str], list[Match]] = defaultdict(list)
    for match in matched:
        method, rival = match.pair.method, match.pair.rival
        groups[method.method, rival.method, method.n_agents, match.measure].append(match)
    pooled = [group for group in groups.values() if len(group) > 1 and all(match.whole for match in group)]
    return [_equal_row(group) for group in ([[match] for match in matched] + pooled)]


def _equal_row(group: Sequence[Match]) -> Row:
    """One match, or those of several benchmarks together."""
    first, method = group[0], group[0].pair.method
    ours = [match.ours for match in group if match.ours]
    theirs = [match.theirs for match in group if match.theirs]
    problems = [len(match.pair.method.outcomes) for match in group]
    return {
        **method.key,
        **({"benchmark": ALL} if len(group) > 1 else {}),
        "rival": first.pair.rival.method,
        "measure": first.measure,
        "budget": fmean([match.budget for match in group], problems),
        **_side("method", ours, first.measure, problems),
        **_side("rival", theirs, first.measure, problems),
        "simulated": any(match.pair.simulated for match in group),
        "recorded": show.joined(match.pair.recorded for match in group),
        **paired_columns(
            union(p.outcomes for p in ours),
            union(p.outcomes for p in theirs),
            sources(match.pair.method for match in group),
        ),
        "note": None if len(group) > 1 else first.note,
    }


def _side(name: str, stands: Sequence[Point], measure: Measure, problems: Sequence[int]) -> Row:
    """Where one of a pair stands, and what it spends there."""
    if not stands:
        return {f"{name}_at": None, f"{name}_tokens": None}
    labels = {point.label for point in stands}
    return {
        f"{name}_at": labels.pop() if len(labels) == 1 else "each its own",
        f"{name}_tokens": fmean([point.spent(measure) for point in stands], problems),
    }
