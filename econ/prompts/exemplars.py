"""Worked examples of this project's own writing for few-shot chain of thought (Wei et al. 2022).

One file per kind of answer: 8 word problems for GSM8K, GSM-Hard and SVAMP, 6 yes/no questions, 4 for MATH
(the numbers of examples that are usual for these benchmarks), and one plan from the training problems that
this project ships. None is a problem of a benchmark. The tests pin the files' hashes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

from econ.grading.kinds import own

Kind = str  # of answers: Problem.kind
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Exemplar:
    """``answer`` reasons and ends in the final form that the prompts ask for."""

    question: str
    answer: str


@cache
def exemplars(kind: Kind) -> tuple[Exemplar, ...]:
    """The worked examples of a kind of answer, in the order in which a model reads them."""
    if mine := own(kind):
        return tuple(Exemplar(question, answer) for question, answer in mine.examples)
    return tuple(Exemplar(**orjson.loads(line)) for line in _file(kind).splitlines())


@dataclass(frozen=True, slots=True)
class Decomposed:
    """A problem as sub-questions with their answers, each of which ends with "The answer is X."; the last
    sub-question is the problem's own. ``useless`` would not help; ``rephrased`` says the problem again."""

    question: str
    steps: tuple[tuple[str, str], ...]
    useless: str
    rephrased: str


@cache
def decomposed(kind: Kind) -> tuple[Decomposed, ...]:
    """Four of the kind's worked examples, solved by sub-questions; none for plans and own kinds."""
    if own(kind):
        return ()
    rows = map(orjson.loads, _file(kind, "sub_questions").splitlines())
    return tuple(Decomposed(**{**row, "steps": tuple((q, a) for q, a in row["steps"])}) for row in rows)


def digest(kind: Kind, folder: str = "few_shot") -> str:
    """SHA-256 of the kind's file of examples."""
    return hashlib.sha256(_file(kind, folder)).hexdigest()


def _file(kind: Kind, folder: str = "few_shot") -> bytes:
    return (_HERE / folder / f"{kind}.jsonl").read_bytes()
