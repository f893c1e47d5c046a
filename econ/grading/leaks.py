"""Has a text given a problem's answer away? By its own words alone, or by the gold where that is known."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from econ.grading import latex, number, yesno
from econ.grading.forms import forms
from econ.grading.kinds import grader, own
from econ.grading.text import first_sentence

SMALL = 20  # whole numbers below count steps and things: met by chance, they are no answer given away
_ECHOES = {"x", "n", "answer", "your answer", "yes or no", "result", "..."}  # of a form without its answer
# "The answer is 66", not "the answer is the sum of what steps 2 and 3 give"
_OPENS = re.compile(r"(?:\W*[A-Za-z]+){0,3}\W*\d")
_CONDITION = re.compile(r"\W*\w+\W+(?:if|when|unless|only|provided|or|otherwise|depending)\b", re.IGNORECASE)
_VERDICT = re.compile(r"\W*(?:yes|no|true|false)\b[\"'*_`)]*\s*(?:[.,:;!\n–—-]|$)", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?]\s+|\n")


@lru_cache(maxsize=64)
def statement(kind: str, text: str) -> int | None:
    """Where the first sentence begins that states an answer in an explicit final form; None: none does.

    Knows no gold. It leans to the side of caution: who is told of a statement loses one sentence.
    """
    if kind == "plan":
        start = re.search(r"\[\s*\{\s*\"", text)
        return start.start() if start else None
    stated = [f.start for f in forms(text) if _is_answer(kind, text[f.start : f.start + 6], f.content)]
    if kind == "yesno" and _VERDICT.match(text):
        return 0
    return _sentence_start(text, min(stated)) if stated else None


def tells(kind: str, gold: str, text: str, problem: str) -> bool:
    """Does ``text`` state the gold as an answer, or else hold it where the problem's text does not?

    Whole numbers below :data:`SMALL` and verdicts count only in an explicit final form; so does a form that
    names both verdicts.
    """
    if kind == "plan":
        return any(_squeeze(json.dumps(day)) in _squeeze(text) for day in json.loads(gold))
    stated = {said for form in forms(text) if (said := grader(kind).find(form.content)) is not None}
    if kind == "yesno":
        return stated == {gold} or (
            not stated and _VERDICT.match(text) is not None and yesno.find(text) == gold
        )
    if any(_same(kind, gold, said) for said in stated):
        return True
    value = number.read(gold)
    if value is None:
        return len(_squeeze(gold)) > 3 and _squeeze(gold) in _squeeze(text) and gold not in problem
    [plain, *_] = value.readings
    if plain.value.denominator == 1 and abs(plain.value) < SMALL:
        return False
    return plain.value in number.values(text) - number.values(problem)


def _is_answer(kind: str, opening: str, content: str) -> bool:
    """Does the form hold an answer, and not the name of one ("the answer is the total", ``\\boxed{X}``)?"""
    if content.strip(" .\"'").lower() in _ECHOES or grader(kind).find(content) is None:
        return False
    if kind == "yesno":
        return _CONDITION.match(content) is None
    said, signs = first_sentence(content), r"=|\\[a-z]" if kind == "math" else r"=\D*\d"
    explicit = opening.startswith(("\\boxed", "\\fbox", "####"))
    return explicit or _OPENS.match(said) is not None or re.search(signs, said) is not None


def _sentence_start(text: str, at: int) -> int:
    ends = [match.end() for match in _SENTENCE.finditer(text, 0, at)]
    return ends[-1] if ends else 0


def _same(kind: str, gold: str, said: str) -> bool:
    if kind == "number":
        return number.matches(gold, said)
    return bool(mine.equal(gold, said)) if (mine := own(kind)) else latex.equal(gold, said)


def _squeeze(latex: str) -> str:
    return re.sub(r"\\(?:left|right)(?![A-Za-z])|\\[dt](?=frac)|\s+", "", latex)
