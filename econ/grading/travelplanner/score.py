"""A plan's verdict constraint by constraint, and the official rates over many plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from econ.grading.travelplanner import commonsense, hard
from econ.grading.travelplanner.commonsense import Query
from econ.grading.travelplanner.sandbox import Sandbox
from econ.records import Json

_UNGUARDED = (KeyError, TypeError, IndexError, ValueError, AttributeError)  # what the official code raises


@dataclass(frozen=True, slots=True)
class Score:
    """What the evaluator says of one plan.

    ``constraints`` has the 13 official names: True, False, or None for "not applicable", "not evaluated" (the
    hard ones of a plan that is not complete or leaves the sandbox) and everything of an undelivered plan.
    ``malformed`` names why the official evaluator stops at this plan; then all commonsense checks fail.
    """

    level: str
    days: int
    delivered: bool
    asked: Sequence[str]  # the hard constraints that the query has
    constraints: Mapping[str, bool | None]
    hard_evaluated: bool = False
    cost: float | None = None
    malformed: str | None = None
    within_current_city_strict: bool | None = None
    sandbox: str = "reference"

    def to_json(self) -> Json:
        return {**asdict(self), "final": self.final}

    @property
    def applicable(self) -> int:
        """Hard constraints that count in the denominator, evaluated or not."""
        return len(self.asked)

    @property
    def commonsense_passed(self) -> int:
        return sum(self.constraints[name] is True for name in commonsense.CONSTRAINTS)

    @property
    def hard_passed(self) -> int:
        return sum(self.constraints[name] is True for name in hard.CONSTRAINTS)

    @property
    def commonsense_macro(self) -> bool:
        return self.commonsense_passed == len(commonsense.CONSTRAINTS)

    @property
    def hard_macro(self) -> bool:
        return self.hard_evaluated and self.hard_passed == self.applicable

    @property
    def final(self) -> bool:
        return self.commonsense_macro and self.hard_macro

    @property
    def share(self) -> float:
        """Share of the constraints met: the task reward TS of a plan."""
        return (self.commonsense_passed + self.hard_passed) / (len(commonsense.CONSTRAINTS) + self.applicable)


def asked(query: Query) -> tuple[str, ...]:
    """Hard constraints of a query: its budget and every local constraint that is set."""
    return ("valid_cost", *(hard.LOCAL[key] for key, value in query["local_constraint"].items() if value))


def score(query: Query, plan: Sequence[Any] | None, sandbox: Sandbox) -> Score:
    """Check one plan. ``query`` has the data set's fields, already read from their text."""
    nothing = dict.fromkeys([*commonsense.CONSTRAINTS, *hard.CONSTRAINTS])
    fail = Score(query["level"], query["days"], bool(plan), asked(query), nothing, sandbox=sandbox.name)
    if not plan:
        return fail
    days = plan[: query["days"]]
    try:
        common = {name: check(query, days, sandbox) for name, check in commonsense.CONSTRAINTS.items()}
        strict = commonsense.within_current_city_strict(query, days, sandbox)
        evaluated = common["is_not_absent"] and common["is_valid_information_in_sandbox"]
        demands, cost = _hard(query, days, sandbox) if evaluated else ({}, None)
    except _UNGUARDED as fault:
        failed = nothing | dict.fromkeys(commonsense.CONSTRAINTS, False)
        return replace(fail, constraints=failed, malformed=f"{type(fault).__name__}: {fault}")
    return replace(
        fail,
        constraints=nothing | common | demands,
        hard_evaluated=evaluated,
        cost=cost,
        within_current_city_strict=strict,
    )


def _hard(query: Query, days: Sequence[Any], sandbox: Sandbox) -> tuple[dict[str, bool | None], float]:
    verdicts = {name: check(query, days, sandbox) for name, check in hard.CONSTRAINTS.items()}
    return verdicts, hard.cost(query, days, sandbox)


def rates(scores: Iterable[Score]) -> Json:
    """The official rates over all queries asked (an undelivered plan fails everything).

    ``levels`` has them by level; ``constraints`` counts each constraint's true and false verdicts and the
    queries that have it, ``cells`` does so by level and days.
    """
    everything = list(scores)
    levels = sorted({s.level for s in everything}, key=["easy", "medium", "hard"].index)
    cells = sorted({(levels.index(s.level), s.days) for s in everything})
    return {
        **_rates(everything),
        "constraints": _per_constraint(everything),
        "levels": {level: _rates([s for s in everything if s.level == level]) for level in levels},
        "cells": {
            f"{levels[level]}-{days}": _per_constraint(
                [s for s in everything if (s.level, s.days) == (levels[level], days)]
            )
            for level, days in cells
        },
    }


def _rates(scores: Sequence[Score]) -> Json:
    n = len(scores)

    def share(count: int, of: int = n) -> float:
        return count / of if of else 0.0

    return {
        "n": n,
        "delivery_rate": share(sum(s.delivered for s in scores)),
        "commonsense_micro": share(
            sum(s.commonsense_passed for s in scores), len(commonsense.CONSTRAINTS) * n
        ),
        "commonsense_macro": share(sum(s.commonsense_macro for s in scores)),
        "hard_micro": share(sum(s.hard_passed for s in scores), sum(s.applicable for s in scores)),
        "hard_macro": share(sum(s.hard_macro for s in scores)),
        "final_pass_rate": share(sum(s.final for s in scores)),
        "malformed": sum(s.malformed is not None for s in scores),
    }


def _per_constraint(scores: Sequence[Score]) -> Json:
    return {
        name: {
            "true": sum(s.constraints[name] is True for s in scores),
            "false": sum(s.constraints[name] is False for s in scores),
            "total": sum(name in commonsense.CONSTRAINTS or name in s.asked for s in scores),
        }
        for name in (*commonsense.CONSTRAINTS, *hard.CONSTRAINTS)
    }
