"""The majority vote over answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.errors import EconError
from econ.grading import grade_text, majorities, majority


@pytest.mark.parametrize(
    ("kind", "answers", "winner"),
    [
        ("number", ["5", "6", None, "6.0", "5", "6"], 1),
        ("number", ["3", "1/2", "0.5"], 1),
        ("number", ["5", "6", "6.0", "5"], 0),  # equal counts: the earliest sample
        ("number", [None, None], None),
        ("number", [], None),
        ("yesno", ["no", "yes", "yes"], 1),
        ("math", ["\\frac12", "7", "0.5"], 0),
        ("math", ["2\\sqrt{2}", "3", "\\sqrt{8}"], 0),
    ],
)
def test_the_largest_group_wins(kind: str, answers: list[str | None], winner: int | None) -> None:
    assert majority(kind, answers) == winner


@given(answers=st.lists(st.sampled_from(["1", "1.0", "2", None]), max_size=12))
def test_the_votes_over_the_first_answers_are_votes_over_them_alone(answers: list[str | None]) -> None:
    assert majorities("number", answers) == [
        majority("number", answers[:k]) for k in range(1, len(answers) + 1)
    ]


def test_an_unknown_grader_is_named() -> None:
    with pytest.raises(EconError, match="unknown kind of answer 'essay' - known: number"):
        grade_text("essay", "x", "Answer: x")
