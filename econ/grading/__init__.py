"""Graders: what a text answers, strictly and flexibly, and whether that is right.

*Strict*: the answer stands in an explicit final form (``####``, ``\\boxed{}``, "the (final) answer is",
"Answer:"), the last readable one of which counts. *Flexible*: as strict where such a form is there, else
the last number, the last mathematical expression, or the last clear yes or no. Nothing readable: INVALID
(None).
"""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from econ.errors import EconError
from econ.grading import latex, number
from econ.grading.forms import Form, own_words
from econ.grading.forms import forms as final_forms
from econ.grading.kinds import grader, own
from econ.grading.said import UNCLEAR, Said
from econ.grading.text import parts, readable
from econ.messages import CAPPED
from econ.records import Problem, Verdict

if TYPE_CHECKING:
    from econ.grading.travelplanner import Plan, Sandbox, Score
    from econ.params import Params


def gradable(problem: Problem) -> bool:
    """Is there something to grade by? A question of the user's own has neither gold nor constraints."""
    return bool(problem.meta) if problem.kind == "plan" else problem.gold is not None


def grade(problem: Problem, text: str | None, params: Params) -> Verdict:
    """Grade a text as the answer to a problem. ``text`` None: no answer could be had (INVALID).

    Raises:
        EconError: its kind is unknown, or the problem has no gold to grade by.
    """
    if problem.kind == "plan":
        return _grade_plan(problem, text, params)
    if problem.gold is None:
        raise EconError(f"{problem.id} has no gold answer to grade by")
    return grade_text(problem.kind, problem.gold, text)


def grade_text(kind: str, gold: str, text: str | None) -> Verdict:
    """Grade by kind (number, math, yesno) and a gold in normal form (:func:`gold_form`)."""
    strict, flexible = _answers(kind, text or "")
    if flexible is None:
        return Verdict(None, None, None, 0.0, _why_none(text, "no readable answer"))
    right = matches(kind, gold, flexible)
    strictly = right if strict is not None else None
    return Verdict(flexible, strictly, right, float(right))


def extract(kind: str, text: str | None) -> str | None:
    """The answer that a text gives (flexible form), in normal form; a plan as JSON. None: INVALID."""
    if not text:
        return None
    if kind == "plan":
        plan, _ = _read_plan(readable(text))
        return _plan_text(plan) if plan else None
    return _answers(kind, text)[1]


def stated(kind: str, text: str | None) -> str | None:
    """The answer that stands in a text's explicit final form (strict form), in normal form; no plans."""
    return _answers(kind, text or "")[0]


def _answers(kind: str, text: str) -> tuple[str | None, str | None]:
    """Strict and flexible form: the explicit final forms' answer is both, where there are such forms.

    Of the forms counts the last that opens with a value, else the last that has one; what states two values
    and chooses none ends the search.
    """
    mine, text = grader(kind), own_words(readable(text))
    weak, stated = None, False
    for form in final_forms(text):
        stated = True
        if form.is_cut:
            return None, None
        found = _said(mine, form)
        if found == UNCLEAR or (
            found.answer is not None and (found.firm or (form.is_label and kind != "math"))
        ):
            return found.answer, found.answer
        weak = weak or found.answer
    return (weak, weak) if stated else (None, cast("str | None", mine.find_last(text)))


def _said(mine: Any, form: Form) -> Said:
    """What a form says; a grader of one's own only finds."""
    if mine is latex:
        return latex.said(form.content, is_box=form.is_box, is_label=form.is_label)
    if hasattr(mine, "said"):
        return cast("Said", mine.said(form.content))
    found = mine.find(form.content)
    return Said(found, firm=found is not None)


def _why_none(text: str | None, otherwise: str) -> str:
    if not text:
        return "no answer"
    told = parts(text)
    if not told.closed:
        return CAPPED
    return (
        otherwise if told.answer.strip() else "no answer after its thinking" if told.thinking else "no answer"
    )


def gold_form(kind: str, answer: Any) -> str | None:
    """A data set's answer in normal form; None: its grader cannot read it."""
    return cast("str | None", grader(kind).gold_form(answer))


def matches(kind: str, gold: str, answer: str) -> bool:
    """Is ``answer`` right? Both in normal form. Numbers may be rounded answers of an exact gold."""
    if kind == "number":
        return number.matches(gold, answer)
    return bool(mine.matches(gold, answer)) if (mine := own(kind)) else equivalent(kind, gold, answer)


def equivalent(kind: str, a: str, b: str) -> bool:
    """Do two answers say the same? Groups votes; neither is taken for the truth."""
    if kind == "number":
        return number.equal(a, b)
    if kind == "math":
        return latex.equal(a, b)
    if kind == "words":  # what a search says on its way
        return a == b
    return bool(mine.equal(a, b)) if (mine := own(kind)) else a == b


def majority(kind: str, answers: Sequence[str | None]) -> int | None:
    """The vote over answers in normal form: index of the winner's earliest sample; None: no votes.

    The largest group of equivalent answers wins; of equal groups the one with the earliest
    sample. Votes without an answer are dropped. Plans: the one whose cells agree best with the
    others', ties to the earliest; no constraint is looked at.
    """
    winners = majorities(kind, answers)
    return winners[-1] if winners else None


def majorities(kind: str, answers: Sequence[str | None]) -> list[int | None]:
    """The vote over the first 1, 2, … of the answers: what :func:`majority` gives for each of these."""
    if kind == "plan":
        return _most_agreed(answers)
    groups = grouped(kind, answers)
    winners = []
    for count in range(1, len(answers) + 1):
        voted = [group[: bisect_left(group, count)] for group in groups if group[0] < count]
        best = min(voted, key=lambda group: (-len(group), group[0]), default=None)
        winners.append(best[0] if best else None)
    return winners


def grouped(kind: str, answers: Sequence[str | None]) -> list[list[int]]:
    """The places of equivalent answers, by earliest place; what is no answer is in no group."""
    groups: list[list[int]] = []
    for place, answer in enumerate(answers):
        if answer is None:
            continue
        for group in groups:
            if equivalent(kind, cast("str", answers[group[0]]), answer):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups


def score_plan(query: Mapping[str, Any], plan: Plan | None, params: Params) -> Score:
    """Check a plan against the query's sandbox (``data.scorer``)."""
    from econ.grading.travelplanner import score

    return score(query, plan, sandbox_of(query, params))


def sandbox_of(query: Mapping[str, Any], params: Params) -> Sandbox:
    """The tables to check against: the query's own reference information, or the mirror's database.

    A mirror's list of cities and states is used by both.
    """
    from econ.grading import travelplanner

    mirror = params.data.mirror or os.environ.get("ECON_DATA_MIRROR")
    folder = Path(mirror) / "travelplanner" / "sandbox" if mirror else None
    if params.data.scorer == "reference":
        listed = folder is not None and (folder / travelplanner.STATES).is_file()
        states = travelplanner.read_states(folder) if folder and listed else None
        return travelplanner.from_reference(query["reference_tables"], states)
    if folder is None:
        raise EconError(
            "data.scorer is database but no mirror is named", "set data.mirror or ECON_DATA_MIRROR"
        )
    return travelplanner.from_database(folder)


def _grade_plan(problem: Problem, text: str | None, params: Params) -> Verdict:
    """Strict: the plan is JSON. Flexible: or the ``Day N:`` layout. Reward: share of the constraints met."""
    plan, is_json = _read_plan(readable(text or ""))
    outcome = score_plan(problem.meta, plan, params)
    detail = outcome.to_json()
    if not plan:
        return Verdict(None, None, None, 0.0, _why_none(text, "no readable plan"), detail)
    strict = outcome.final if is_json else None
    return Verdict(_plan_text(plan), strict, outcome.final, outcome.share, outcome.malformed, detail)


def _read_plan(text: str) -> tuple[Plan | None, bool]:
    from econ.grading.travelplanner import from_json, from_layout

    plan = from_json(text)
    return (plan, True) if plan else (from_layout(text), False)


def _plan_text(plan: Plan) -> str:
    return json.dumps(plan, ensure_ascii=False)


def _most_agreed(answers: Sequence[str | None]) -> list[int | None]:
    """The plan that agrees best with the others, among the first 1, 2, … of them."""
    from econ.grading.travelplanner import agreement

    plans: dict[int, Plan] = {}
    total: dict[int, float] = {}  # agreement, summed over the others
    winners: list[int | None] = []
    for place, answer in enumerate(answers):
        if answer is not None:
            plan = json.loads(answer)
            with_others = {other: agreement(plan, [plans[other]]) for other in plans}
            for other, share in with_others.items():
                total[other] += share
            plans[place], total[place] = plan, sum(with_others.values())
        winners.append(max(total, key=lambda place: (total[place], -place), default=None))
    return winners
