"""The real benchmarks, where a mirror of them is at hand: what their authors' own answers are graded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from econ.benchmarks.travelplanner import literal, query_of
from econ.grading import gold_form, grade_text, score_plan
from econ.grading.forms import last_boxed
from econ.params import Data, Params


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.open(encoding="utf-8")]


@pytest.mark.parametrize("scorer", ["database", "reference"])
def test_the_annotated_plans_pass_as_the_official_evaluator_would_have_it(mirror: Path, scorer: str) -> None:
    """All 45 with the full tables. One visits a city that its own reference information does not have."""
    params = Params(data=Data.model_validate({"mirror": mirror, "scorer": scorer}))
    scores = [
        score_plan(query_of(row), literal(row["annotated_plan"])[1], params)
        for row in rows(mirror / "travelplanner" / "train.jsonl")
    ]
    assert len(scores) == 45
    failed = [score for score in scores if not score.final]
    if scorer == "database":
        assert failed == []
        commonsense = [name for name in scores[0].constraints if not name.startswith("valid_")]
        assert sum(bool(score.constraints[name]) for score in scores for name in commonsense) == 360
        hard = [value for s in scores for name, value in s.constraints.items() if name.startswith("valid_")]
        assert (hard.count(True), hard.count(False)) == (105, 0)
    else:
        [score] = failed
        assert [n for n, v in score.constraints.items() if v is False] == ["is_valid_information_in_sandbox"]


NAMED = {"Restaurants": "Name", "Attractions": "Name", "Accommodations": "NAME", "Flight": "Flight Number"}


def test_the_text_of_the_reference_information_reads_back_to_the_authors_tables(mirror: Path) -> None:
    folder, checked = mirror / "travelplanner", 0
    for row, tables in zip(rows(folder / "train.jsonl"), rows(folder / "train_ref_info.jsonl"), strict=True):
        read = query_of(row)["reference_tables"]
        assert list(read) == list(tables)
        for heading, content in tables.items():
            if isinstance(content, list):
                name = NAMED[heading.split()[0]]
                assert [r[name] for r in read[heading]] == [r[name].strip() for r in content]
                checked += len(content)
    assert checked > 5000


def test_math_500_agrees_with_the_answers_in_its_solutions(mirror: Path) -> None:
    problems = rows(mirror / "math" / "test.jsonl")
    golds = [gold_form("math", problem["answer"]) or "" for problem in problems]
    whole = [grade_text("math", g, p["solution"]).strict for g, p in zip(golds, problems, strict=True)]
    assert whole.count(True) == 500
    boxes = [f"\\boxed{{{last_boxed(problem['solution'])}}}" for problem in problems]
    assert all(grade_text("math", gold, box).strict for gold, box in zip(golds, boxes, strict=True))
