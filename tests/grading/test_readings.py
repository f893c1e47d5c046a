"""Readings by kind: what models, servers and prompts make of an answer (``docs/readings.md``).

``readings.json`` has per kind the grader, the gold, the text, and what is right: true, false, null (INVALID).
The pairs under 15 say the same, or do not, both ways round.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from econ.grading import equivalent, extract, grade_text
from econ.grading.text import parts, readable
from econ.messages import CAPPED

TABLE = json.loads(Path(__file__).with_name("readings.json").read_text(encoding="utf-8"))
PAIRS = {kind: rows for kind, rows in TABLE.items() if kind.startswith("15")}
CASES = [(kind, *row) for kind, rows in TABLE.items() if kind not in PAIRS for row in rows]
NO_FORM = "no form"


@pytest.mark.parametrize(("kind", "grader", "gold", "text", "right"), CASES)
def test_reading(kind: str, grader: str, gold: str, text: str, right: bool | None) -> None:
    verdict = grade_text(grader, gold, text)
    assert verdict.flexible is right
    assert verdict.strict in ((None,) if kind == NO_FORM else (right, None))


@pytest.mark.parametrize("kind", PAIRS)
def test_pairs(kind: str) -> None:
    same = kind.endswith(" the same") and "not" not in kind
    assert [
        p for p in PAIRS[kind] if {equivalent("math", *p), equivalent("math", *reversed(p))} != {same}
    ] == []


def test_every_kind_has_its_inputs() -> None:
    assert {kind: len(rows) for kind, rows in TABLE.items() if len(rows) < 7} == {}


def test_thinking_that_reached_its_cap_is_named() -> None:
    assert grade_text("number", "72", "<think>So 72").reason == CAPPED
    assert grade_text("number", "72", "<think>So 72</think>").reason == "no answer after its thinking"


def test_thinking_and_answer_are_told_apart_once_and_for_all() -> None:
    told = parts("<think>a 1</think>\nIt is 2.<|im_end|>")
    assert (told.thinking, told.answer.strip(), told.closed) == ("a 1", "It is 2.", True)
    assert parts(told.answer).answer == told.answer
    assert readable("<think>a") == ""


@pytest.mark.parametrize(
    "answer",
    ["{" * 300 + "2" + "}" * 300, "x" + "^x" * 300, "x" + "^{x" * 50 + "}" * 50, "(1+i)^{9999}",
     "(x+1)^{5000}", "\\sqrt{" * 40 + "2" + "}" * 40, "1" + "+\\frac{1}{1" * 60 + "}" * 60, "3!!!!!!",
     "\\mathbf{" * 300 + "2" + "}" * 300,
     "2^{2^{2^{2^2}}}", "\\left(" * 200 + "2" + "\\right)" * 200, "|" * 300 + "2" + "|" * 300],
    ids=lambda answer: answer[:14],
)  # fmt: skip
def test_what_takes_long_is_given_up_quickly(answer: str) -> None:
    before = time.perf_counter()
    grade_text("math", "\\frac{14}{3}", f"\\boxed{{{answer}}}")
    extract("number", answer)
    assert time.perf_counter() - before < 2.5
