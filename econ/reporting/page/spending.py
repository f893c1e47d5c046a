"""What a run was estimated to take at most, beside what it took: one row per stage, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from econ.costs import coverage
from econ.costs.estimate import Stage, estimate, group_of
from econ.costs.usage import Amount, Needs, merged, total, usd
from econ.params import Params
from econ.records import Tokens
from econ.reporting import results
from econ.reporting.catalogue import Kind
from econ.reporting.show import number

HEADINGS: dict[str, Kind] = {
    "Stage": "text",
    "Jobs": "count",
    "Calls, at most": "count",
    "Calls": "count",
    "Tokens, at most": "count",
    "Tokens": "count",
    "of the estimate, %": "percent",
    "USD, at most": "usd",
    "USD": "usd",
}
CAPTION = (
    "At most: `econ estimate` for these params, every answer at its cap, every refinement made, prompts by a "
    "rule that gives more than tokenizers do; attempts that fail come on top. Beside it what the metrics "
    "count; for training, which writes none, what it has paid for by the call cache (a dash: the cache is "
    "not here). A call that several jobs make is in each of them, and paid for once."
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What jobs took; None: not known."""

    amount: Amount | None
    usd: float | None

    def __add__(self, other: Spent) -> Spent:
        both = None if self.amount is None or other.amount is None else self.amount + other.amount
        return Spent(both, None if self.usd is None or other.usd is None else self.usd + other.usd)


def spending(params: Params) -> list[list[str]]:
    """The rows under :data:`HEADINGS`: stages in the pipeline's order, then all of them.

    Raises:
        EconError: a benchmark's problems are not here.
    """
    stages = estimate(params, look=False)
    spent = [_spent(stage, params) for stage in stages]
    groups: dict[str, list[int]] = {}
    for index, stage in enumerate(stages):
        groups.setdefault(group_of(stage), []).append(index)
    chosen = [*groups.items(), ("in all", list(range(len(stages))))]
    return [_row(name, [stages[i] for i in some], [spent[i] for i in some], params) for name, some in chosen]


def _spent(stage: Stage, params: Params) -> Spent:
    if stage.job is None:
        paid = coverage.paid(stage.name, params)
        return Spent(total(paid), usd(paid, params)) if paid else Spent(None, None)
    metrics = results.metrics(stage.job)
    tokens = Tokens(metrics["prompt_tokens"], metrics["completion_tokens"])
    return Spent(Amount(metrics["calls"], tokens), metrics["usd"])


def _row(name: str, stages: Sequence[Stage], spent: Sequence[Spent], params: Params) -> list[str]:
    needs: Needs = merged(stage.needs for stage in stages)
    most, took = total(needs), sum(spent[1:], spent[0])
    taken, at_most = took.amount, most.tokens.total
    values: list[Any] = [
        name, len(stages), most.calls, taken and taken.calls, at_most, taken and taken.tokens.total,
        taken.tokens.total / at_most if taken and at_most else None, usd(needs, params), took.usd,
    ]  # fmt: skip
    return [number(value, kind) for value, kind in zip(values, HEADINGS.values(), strict=True)]
