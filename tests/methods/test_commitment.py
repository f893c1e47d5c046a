"""Commitments and verdicts as models write them: read as meant, or not at all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.grading import extract, gold_form, grade_text, objects
from econ.grading.forms import last_boxed
from econ.methods import commitment
from econ.methods.debate import mad
from econ.prompts import Kind
from econ.records import Call, Sampling
from perf.commitments import READERS, WAYS

MORE: list[list[list[Any]]] = list(
    json.loads(Path(__file__).with_name("commitments.json").read_text(encoding="utf-8")).values()
)
REST = '"confidence": 0.9, "reasoning": "It is 3 of 4."'


def read(reply: str, kind: Kind = "number") -> commitment.Commitment:
    sampling = Sampling(0.0, 1.0, 1.0, 400)
    return commitment.read(
        Call("coordinator", 0, 0, "m", (), sampling, 0, 0, reply, 1, 1, False, None, "stop"), kind
    )


LATEX = [  # kind 1: the answer as it stands between the quotes, what is meant
    (r"\frac{1}{2}", r"\frac{1}{2}"),
    (r"\\frac{1}{2}", r"\frac{1}{2}"),
    (r"\\\\frac{1}{2}", r"\frac{1}{2}"),
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"\\boxed{\\frac{1}{2}}", r"\frac{1}{2}"),
    (r"$\frac{1}{2}$", r"\frac{1}{2}"),
    (r"\sqrt{13}", r"\sqrt{13}"),
    (r"2\pi", r"2\pi"),
    (r"\left( 3, \frac{\pi}{2} \right)", r"\left( 3, \frac{\pi}{2} \right)"),
    (r"\tan x", r"\tan x"),
    (r"\theta", r"\theta"),
    (r"3\times 4", "12"),
    (r"\nu", r"\nu"),
    (r"\rho", r"\rho"),
    (r"\binom{5}{2}", "10"),
    (r"\text{yes}", r"\text{yes}"),
    (r"90^\circ", "90"),
    (r"\{1, 2\}", r"\{1, 2\}"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    (r"\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    (r"\underline{7}", r"\underline{7}"),
    (r"x \neq 3", r"x \neq 3"),
    (r"50\%", r"50\%"),
]


@pytest.mark.parametrize(("written", "meant"), [*LATEX, *MORE[0]])
def test_latex_in_json_is_mathematics(written: str, meant: str) -> None:
    gold = gold_form("math", meant) or ""
    assert grade_text("math", gold, read(f'{{"final_answer": "{written}", {REST}}}', "math").text).correct
    verdict = mad.read(f'{{"preference": "yes", "answer": "{written}"}}', "math")
    assert grade_text("math", gold, verdict.text).correct


LOOSE: list[tuple[str, str | None]] = [  # kinds 2 and 3: the reply, the number that is meant (None: none)
    (f'{{"final_answer": 1/2, {REST}}}', "1/2"),
    (f'{{"final_answer": "1/2", {REST}}}', "1/2"),
    ("{'final_answer': 12, 'confidence': 0.9}", "12"),
    ("{'final_answer': '12', 'reasoning': 'it's Tom's', 'confidence': 0.9}", "12"),
    ('{"Final_Answer": 12}', "12"),
    ('{"FINAL ANSWER": 12}', "12"),
    ('{"finalAnswer": 12}', "12"),
    ("{final_answer: 12, confidence: 0.9}", "12"),
    ("{“final_answer”: “12”, “confidence”: 0.9}", "12"),
    ('{"final_answer": 12,}', "12"),
    ('{"final_answer": 12 "confidence": 0.9}', "12"),
    ('{"final_answer": "12"\n"confidence": 0.9}', "12"),
    ('{"final_answer": +12, "confidence": .9}', "12"),
    ('{"final_answer": 1,234, "confidence": 0.9}', "1234"),
    ('{"final_answer": 12, // dollars\n"confidence": 0.9}', "12"),
    ('{"final_answer": /* dollars */ 12, "confidence": 0.9}', "12"),
    ('{"final_answer": $12, "confidence": 0.9}', "12"),
    ('{"final_answer": "12", "reasoning": "he said "no", then 7", "confidence": 0.9}', "12"),
    ('{"final_answer": "12", "reasoning": "two\nlines", "confidence": 0.9}', "12"),
    ('{"final_answer": [12], "confidence": 0.9}', "12"),
    ('{"final_answer": {"value": 12, "unit": "km"}, "confidence": 0.9}', "12"),
    ('{"commitment": {"final_answer": 12}, "confidence": 0.9}', "12"),
    ('{"final_answer": 123456789012345678901, "confidence": 0.9}', "123456789012345678901"),
    ("We get \\boxed{12} at first. {\"final_answer\": 7}", "7"),
    ('The set {3, 4}: {"final_answer": 7}', "7"),
    ('The pair {"a", "b"}: {"final_answer": 7}', "7"),
    ('Draft: {"final_answer": 5}. Better: {"final_answer": 7, "confidence": 1}', "7"),
    ('{"final_answer": 5}{"final_answer": 7}', "7"),
    ('{"final_answer": 7} where {x} is 3 and {"y": 4}', "7"),
    ('{"final_answer": 7, "draft": {"final_answer": 5}}', "7"),
    ('<think>{"final_answer": 5}</think>{"final_answer": 7}', "7"),
    ('```json\n{"final_answer": 7, "confidence": 0.9}\n```', "7"),
    ('{"final_answer": 7, "confidence": 0.9, "reasoning": "cut he', "7"),
    ('{"final_answer": 7, "conf', "7"),
    ('{"final_answer": 7, "confidence"', "7"),
    ('{"final_answer": 7,', "7"),
    ('{"final_answer": 5} {"final_answer": 7, "reasoning": "cut he', "5"),
    ("The final answer is 7.", "7"),
    ('{"final_answer": oops "confidence" 0.9', None),
    ('{"final_answer": 1', None),
    ('{"final_answer": "1', None),
    ('{"final_answer": null, "confidence": 0.9}', None),
    ('{"final_answer": "", "confidence": 0.9}', None),
    ('{"confidence": 0.9, "steps": 3}', None),
    ('{"final_answer" 7, "confidence": 0.9}', None),
    ('{"confidence": 0.9, "final_ans', None),
    ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "meant"), [*LOOSE, *MORE[1]])
def test_a_loose_or_late_object_is_read_and_no_number_out_of_an_unread_one(
    reply: str, meant: str | None
) -> None:
    read_ = read(reply)
    answer = extract("number", read_.text) if read_.ok else None
    assert answer == (None if meant is None else gold_form("number", meant))


@pytest.mark.parametrize(("reply", "verdict"), MORE[2])
def test_a_verdict_is_read_and_two_are_none(reply: str, verdict: str | None) -> None:
    found = read(reply, "yesno")
    assert (extract("yesno", found.text) if found.ok else None) == verdict


@pytest.mark.parametrize("value", ["3*4", "2^10", "12 or 13", "7:30"])
def test_an_expression_is_no_part_of_itself(value: str) -> None:
    assert objects.find(f'{{"final_answer": {value}, {REST}}}', "final_answer") is not None
    assert read(f'{{"final_answer": {value}, {REST}}}').text == f"Final answer: {value}"


def test_a_commitment_that_is_as_asked_for_is_valid_and_a_loose_one_is_not() -> None:
    asked = {"final_answer": 7, "confidence": 0.25, "reasoning": "r", "checklist": ["c"]}
    as_asked, loose = read(json.dumps(asked)), read(str(asked))
    assert (as_asked.valid, loose.valid) == (True, False)
    assert (as_asked.confidence, loose.confidence) == (0.25, 0.25)


def test_a_sample_of_the_right_math_answers_is_right_in_five_ways_of_writing(mirror: Path) -> None:
    lines = (mirror / "math" / "test.jsonl").read_text("utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    golds = [gold_form("math", row.get("answer") or last_boxed(row["solution"])) or "" for row in rows[::12]]
    for name, reader in READERS.items():
        for way, write in WAYS.items():
            right = [grade_text("math", gold, reader(write, gold)).correct for gold in golds]
            assert sum(right) / len(golds) >= 0.99, (name, way)


PIECES = [
    *'{}[]":,\'\\\n#/`“”', "{'", '{"', '"}', "{a:", '"a": ', '{"final_answer": ', "\\frac", "\\u12", "\ud800",
    "12",     "</think>", "/*", "//", "  ", "null", "\x00", "\\boxed{", "{{{{{{{{", '{"a": "', '"\n\n\n', "(",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60)


@settings(max_examples=300, deadline=2000)
@given(TEXT, st.sampled_from([1, 1, 1, 1000]))
def test_any_reply_is_read_without_an_exception_in_time(text: str, times: int) -> None:
    started = time.process_time()
    for kind in ("number", "plan"):
        read(text * times, kind).text.encode("utf-8", "replace")
    mad.read(text * times, "plan")
    assert time.process_time() - started < 2.0
