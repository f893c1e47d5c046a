"""Grading a bank's answers, and finding which of them say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from econ import grading
from econ.bank.schema import NO_CLASS, Row
from econ.params import Params
from econ.records import Problem, Verdict

Verdicts = dict[tuple[str, str], Verdict]  # by problem and text


def graded(
    rows: Sequence[Row], problems: Mapping[str, Problem], params: Params, known: Verdicts
) -> list[Row]:
    """The rows with verdicts and classes; ``known`` keeps verdicts from one time to the next.

    Classes are numbered by the order of the rows. A row whose problem is not here keeps its verdict.
    """
    by_problem: dict[str, list[Row]] = {}
    for row in rows:
        by_problem.setdefault(row.problem_id, []).append(row)
    out: list[Row] = []
    for name, own in by_problem.items():
        if name not in problems:
            out += own
            continue
        out += _classed(_verdicts(own, problems[name], params, known), problems[name])
    return out


def _verdicts(rows: Iterable[Row], problem: Problem, params: Params, known: Verdicts) -> list[Row]:
    out = []
    for row in rows:
        key = row.problem_id, row.text
        if key not in known:
            known[key] = grading.grade(problem, row.text or None, params)
        v = known[key]
        out.append(replace(row, answer=v.answer, correct=v.correct, invalid=v.invalid, reward=v.reward))
    return out


def _classed(rows: list[Row], problem: Problem) -> list[Row]:
    """Each row with the number of its group of equivalent answers."""
    given = list(dict.fromkeys(row.answer for row in rows if not row.invalid and row.answer is not None))
    groups = grading.grouped(problem.kind, given)
    number = {given[place]: i for i, group in enumerate(groups) for place in group}
    return [
        replace(row, group=NO_CLASS if row.invalid else number.get(row.answer or "", NO_CLASS))
        for row in rows
    ]
