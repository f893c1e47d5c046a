"""Models say anything: no text may stop a grader, and what is read has a form that reads as itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.grading import equivalent, extract, grade_text

PIECES = [
    "####",
    "\\boxed{",
    "}",
    "{",
    "$",
    "$$",
    "\\(",
    "\\)",
    "\\[",
    "answer is",
    "Answer:",
    "\n",
    " ",
    ".",
    ",",
    "-",
    "−",
    "=",
    "\\frac",
    "12",
    "3,456",
    "1/0",
    "7/2",
    "e9",
    "%",
    "million",
    "10^",
    "yes",
    "no",
    "true",
    "Day 1:",
    "Lunch: x",
    "[",
    "]",
    '[{"days": 1}]',
    "\\text{",
    "x",
    "\\\\",
    "not",
    "é",
    "٣",
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=60)


@settings(max_examples=300, deadline=None)
@given(TEXT)
@pytest.mark.parametrize("kind", ["number", "math", "yesno", "plan"])
def test_any_text_can_be_read(kind: str, text: str) -> None:
    answer = extract(kind, text)
    if answer is not None and kind != "plan":
        assert equivalent(kind, answer, answer)
    if kind in ("number", "yesno"):
        verdict = grade_text(kind, {"number": "12", "yesno": "yes"}[kind], text)
        assert verdict.flexible is not None or verdict.strict is None
        assert verdict.answer == answer


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_a_number_in_normal_form_reads_as_itself(text: str) -> None:
    answer = extract("number", text)
    assert answer is None or extract("number", f"#### {answer}") == answer


@pytest.mark.parametrize("before", ["", '{"final_answer": ', "[{'days': ", '[{"days": 1, "lunch": '])
@pytest.mark.parametrize("kind", ["number", "math", "yesno", "plan"])
def test_a_long_run_of_digits_stops_no_reader(kind: str, before: str) -> None:
    extract(kind, before + "9" * 50_000)
    extract(kind, before + "9" * 5_000 + "}]")


def test_a_long_run_of_digits_is_no_answer() -> None:
    assert extract("number", "#### " + "9" * 5_000) is None


@pytest.mark.parametrize(
    "piece", ["9", "1,", "1/", "1 ", " ", "\n", "\\boxed{", "\\(", "$", ". ", '"', "answer is "]
)
@pytest.mark.parametrize("kind", ["number", "math", "yesno", "plan"])
def test_a_model_that_repeats_itself_does_not_stall_a_grader(kind: str, piece: str) -> None:
    extract(kind, piece * 20_000)  # a reading that took quadratic time would not come back within a test run


@pytest.mark.parametrize(
    "piece",
    ["a", "ab ", "1a ", "a.", "\\a", "1 a", "or 1 ", "%", "a/", "[", "(a", "(1", "{", "= ", "and 1 ", "(a)("],
)
@pytest.mark.parametrize("kind", ["number", "math", "yesno"])
def test_what_follows_an_answer_does_not_stall_a_grader(kind: str, piece: str) -> None:
    extract(kind, "Final answer: 1 " + piece * 6_000)
