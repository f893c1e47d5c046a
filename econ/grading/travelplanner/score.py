"""A plan's verdict constraint by constraint, and the official rates over many plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    delivered: bool
    applicable: int  # hard constraints that the query has
    constraints: Mapping[str, bool | None]
    hard_evaluated: bool = False
    cost: float | None = None
    malformed: str | None = None
    within_current_city_strict: bool | None = None
    sandbox: str = "reference"
    extra: Mapping[str, Any] = field(default_factory=dict)

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


def applicable(query: Query) -> int:
    """Hard constraints of a query: its budget and every local constraint that is set."""
    return 1 + sum(bool(value) for value in query["local_constraint"].values())


def score(query: Query, plan: Sequence[Any] | None, sandbox: Sandbox) -> Score:
    """Check one plan. ``query`` has the data set's fields, already read from their text."""
    nothing = dict.fromkeys([*commonsense.CONSTRAINTS, *hard.CONSTRAINTS])
    if not plan:
        return Score(query["level"], False, applicable(query), nothing, sandbox=sandbox.name)
    days = plan[: query["days"]]
    common: dict[str, bool | None] = {}
    demands: dict[str, bool | None] = {}
    cost = None
    try:
        for name, check in commonsense.CONSTRAINTS.items():
            common[name] = check(query, days, sandbox)
        strict = commonsense.within_current_city_strict(query, days, sandbox)
        evaluated = common["is_not_absent"] is True and common["is_valid_information_in_sandbox"] is True
        if evaluated:
            demands = {name: check(query, days, sandbox) for name, check in hard.CONSTRAINTS.items()}
            cost = hard.cost(query, days, sandbox)
    except _UNGUARDED as fault:
        failed = nothing | dict.fromkeys(commonsense.CONSTRAINTS, False)
        reason = f"{type(fault).__name__}: {fault}"
        return Score(query["level"], True, applicable(query), failed, malformed=reason, sandbox=sandbox.name)
    return Score(
        query["level"],
        True,
        applicable(query),
        nothing | common | demands,
        evaluated,
        cost,
        None,
        strict,
        sandbox.name,
    )


def rates(scores: Iterable[Score]) -> Json:
    """The official rates over all queries asked (an undelivered plan fails everything), and by level."""
    everything = list(scores)
    levels = sorted({s.level for s in everything}, key=["easy", "medium", "hard"].index)
    by_level = {level: _rates([s for s in everything if s.level == level]) for level in levels}
    return {**_rates(everything), "constraints": _per_constraint(everything), "levels": by_level}


def _rates(scores: Sequence[Score]) -> Json:
    n = len(scores)
    checks, asked = len(commonsense.CONSTRAINTS) * n, sum(s.applicable for s in scores)

    def share(count: int, of: int) -> float:
        return count / of if of else 0.0

    return {
        "n": n,
        "delivery_rate": share(sum(s.delivered for s in scores), n),
        "commonsense_micro": share(sum(s.commonsense_passed for s in scores), checks),
        "commonsense_macro": share(sum(s.commonsense_macro for s in scores), n),
        "hard_micro": share(sum(s.hard_passed for s in scores), asked),
        "hard_macro": share(sum(s.hard_macro for s in scores), n),
        "final_pass_rate": share(sum(s.final for s in scores), n),
        "malformed": sum(s.malformed is not None for s in scores),
    }


def _per_constraint(scores: Sequence[Score]) -> Json:
    return {
        name: {
            "true": sum(s.constraints[name] is True for s in scores),
            "false": sum(s.constraints[name] is False for s in scores),
        }
        for name in (*commonsense.CONSTRAINTS, *hard.CONSTRAINTS)
    }
