"""How a game went, told by the gold after it: who was right in each round, who turned right or wrong."""

from __future__ import annotations

from collections.abc import Sequence

from econ import grading
from econ.params import Params
from econ.records import Json, Problem


def marked(problem: Problem, steps: Sequence[Json], params: Params) -> tuple[Json, ...]:
    """The steps of a game, each one with ``answers`` told what became of these.

    Added are ``distinct``, the number of different answers; ``correct``, which of them are right (null: there
    is no answer); and, where the step before holds as many, ``gained`` and ``lost``: how many participants
    turned from not right to right, and from right to not right. Without a gold only ``distinct`` is added.
    """
    graded = grading.gradable(problem)
    verdicts: dict[str, bool] = {}
    told: list[Json] = []
    before: list[bool | None] = []
    for step in steps:
        answers: list[str | None] | None = step.get("answers")
        if answers is None:
            told.append(step)
            continue
        step = {**step, "distinct": len(grading.grouped(problem.kind, answers))}
        if graded:
            for answer in answers:
                if answer is not None and answer not in verdicts:
                    verdicts[answer] = _right(problem, answer, params)
            correct = [None if answer is None else verdicts[answer] for answer in answers]
            step |= {"correct": correct, **_turns(before, correct)}
            before = correct
        told.append(step)
    return tuple(told)


def _right(problem: Problem, answer: str, params: Params) -> bool:
    if problem.kind != "plan" and problem.gold is not None:
        return grading.matches(problem.kind, problem.gold, answer)
    return grading.grade(problem, answer, params).correct


def _turns(before: Sequence[bool | None], now: Sequence[bool | None]) -> Json:
    if len(before) != len(now):
        return {}
    pairs = [(bool(old), bool(new)) for old, new in zip(before, now, strict=True)]
    return {"gained": pairs.count((False, True)), "lost": pairs.count((True, False))}
