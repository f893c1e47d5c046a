"""The problems that ship with the project: each gold has a second way to it, no problem is another's copy.

``derivations/`` has a line per problem: ``derivation`` is a program for the gold; a yes/no problem has its
``reason`` in words as well. SVAMP's own field ``Equation`` is its program. A question without an id of its
own is named by its text's digest, so a changed question needs its derivation looked at again.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from econ.benchmarks import download, load, spec
from econ.benchmarks.sources import SHIPPED
from econ.benchmarks.store import check_golds
from econ.grading import grade
from econ.params import Data, Params
from econ.records import Problem

NAMES = ("gsm8k", "gsm_hard", "math", "svamp", "strategyqa")
PARAMS = Params(data=Data(source="shipped", train_problems=None, test_problems=None))
RUN = 10  # words in a row that two problems written apart do not share
ALIKE = 0.5  # share of common word pairs from which two problems are one with other numbers


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def shipped(name: str) -> list[dict[str, Any]]:
    return [row for file in sorted((SHIPPED / name).glob("*.jsonl")) for row in rows(file)]


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[Problem]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        for name in NAMES:
            download(name, PARAMS)
        return {
            name: {"train": load(name, "train", PARAMS), "test": load(name, "test", PARAMS)} for name in NAMES
        }


@cache
def derivations(name: str) -> dict[str, dict[str, str]]:
    if name == "svamp":
        return {f"shipped/svamp/{row['ID']}": {"derivation": row["Equation"]} for row in shipped("svamp")}
    return {line["id"]: line for line in rows(Path(__file__).parent / "derivations" / f"{name}.jsonl")}


def number(program: str) -> str:
    """An exact value as a decimal with as many digits as a float has."""
    import sympy

    value = sympy.sympify(program, rational=True)
    return str(value) if value.is_Integer else format(float(value), ".17g")


def math(program: str) -> str:
    import sympy

    known: dict[str, Any] = {}
    exec("from sympy import *\nfrom itertools import combinations, permutations, product", known)  # noqa: S102
    known |= {name: sympy.Symbol(name) for name in "kxy"}
    known["minimum"] = sympy.calculus.util.minimum
    return f"\\boxed{{{sympy.latex(sympy.sympify(eval(program, known)))}}}"  # noqa: S307


def yesno(program: str) -> str:
    return "yes" if eval(program) else "no"  # noqa: S307


DERIVE: dict[str, Callable[[str], str]] = {"number": number, "math": math, "yesno": yesno}


def check(problem: Problem) -> str | None:
    """What is wrong with a problem's gold, by its derivation; None: nothing."""
    derived = DERIVE[spec(problem.benchmark, PARAMS).kind](
        derivations(problem.benchmark)[problem.id]["derivation"]
    )
    right = grade(problem, f"Final answer: {derived}", PARAMS).strict
    return None if right else f"{problem.id}: gold {problem.gold}, derived {derived}"


@pytest.mark.parametrize("name", NAMES)
def test_every_gold_is_what_its_derivation_gives(name: str, problems: dict[str, Any]) -> None:
    both = problems[name]["train"] + problems[name]["test"]
    assert {problem.id for problem in both} == set(derivations(name))
    assert [fault for problem in both if (fault := check(problem))] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_gold_that_is_not_what_its_derivation_gives_is_found(name: str, problems: dict[str, Any]) -> None:
    kind = spec(name, PARAMS).kind
    for problem in problems[name]["test"][:6]:
        other = {"yes": "no", "no": "yes"}[problem.gold] if kind == "yesno" else "271828"
        wrong = Problem(problem.id, name, problem.prompt, other, problem.meta)
        assert check(wrong) is not None


@pytest.mark.parametrize("name", NAMES)
def test_there_are_enough_problems_and_their_golds_grade_right(name: str, problems: dict[str, Any]) -> None:
    for split, least in (("test", 44), ("train", 24)):
        found = problems[name][split]
        assert len(found) >= least
        assert len({problem.id for problem in found}) == len(found)
        assert check_golds(found, PARAMS)["golds_failing"] == {}


def test_programs_and_calculations_of_the_rows_themselves_are_right() -> None:
    for row in shipped("gsm_hard"):
        known: dict[str, Any] = {}
        exec(row["code"], known)  # noqa: S102
        assert known["solution"]() == pytest.approx(row["target"], rel=1e-9, abs=0), row["input"]
    for row in shipped("gsm8k"):
        for sum_, value in re.findall(r"<<(.+?)=(.+?)>>", row["answer"]):
            assert eval(sum_) == pytest.approx(float(value)), row["question"]  # noqa: S307
    for row in shipped("math"):
        assert f"\\boxed{{{row['answer']}}}" in row["solution"]
    for row in shipped("svamp"):
        assert row["question_concat"] == f"{row['Body']} {row['Question']}"


@pytest.mark.parametrize("split", ["train", "test"])
def test_answers_cannot_be_guessed_from_how_often_they_are_right(
    split: str, problems: dict[str, Any]
) -> None:
    said = Counter(problem.gold for problem in problems["strategyqa"][split])
    assert said["yes"] == said["no"]
    for name in NAMES[:4]:
        golds = Counter(problem.gold for problem in problems[name][split])
        assert golds.most_common(1)[0][1] <= 0.1 * golds.total()


@pytest.mark.parametrize("split", ["train", "test"])
def test_math_has_all_seven_subjects_and_five_levels(split: str) -> None:
    found = rows(SHIPPED / "math" / f"{split}.jsonl")
    assert len({row["subject"] for row in found}) == 7
    assert {row["level"] for row in found} == {1, 2, 3, 4, 5}


def test_every_yes_or_no_is_reasoned_twice() -> None:
    for row in shipped("strategyqa"):
        assert row["facts"].count(".") >= 1
        assert len(row["decomposition"]) >= 2
        reason = derivations("strategyqa")[f"shipped/strategyqa/{row['qid']}"]["reason"]
        assert reason not in row["facts"]


def words(text: str) -> list[str]:
    return re.findall(r"\\?[a-z]+", text.lower())


def pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(itertools.pairwise(words(text)))


def alike(one: list[Problem], other: list[Problem]) -> list[tuple[float, str, str]]:
    """Pairs of problems that are the same but for their numbers and a few words."""
    others = [(pairs(problem.prompt), problem.prompt) for problem in other]
    found = []
    for problem in one:
        mine = pairs(problem.prompt)
        for theirs, prompt in others:
            if len(mine | theirs) > 8 and (share := len(mine & theirs) / len(mine | theirs)) >= ALIKE:
                found.append((share, problem.prompt, prompt))
    return found


def test_no_training_problem_is_a_test_problem_with_other_numbers(problems: dict[str, Any]) -> None:
    """GSM-Hard has GSM8K's stories, as the real one does, but none of the other side's."""
    assert alike(problems["gsm8k"]["test"], problems["gsm_hard"]["test"])
    stories = ("gsm8k", "gsm_hard", "svamp")
    train = [problem for name in stories for problem in problems[name]["train"]]
    test = [problem for name in stories for problem in problems[name]["test"]]
    assert alike(train, test) == []
    for name in ("math", "strategyqa"):
        assert alike(problems[name]["train"], problems[name]["test"]) == []


def runs(text: str) -> Iterator[tuple[str, ...]]:
    plain = re.findall(r"[a-z0-9]+", text.lower())
    yield from zip(*(plain[i:] for i in range(RUN)), strict=False)


def test_no_problem_shares_a_long_run_of_words_with_the_real_benchmarks(
    mirror: Path, problems: dict[str, Any]
) -> None:
    mine: dict[tuple[str, ...], str] = {}
    for name in NAMES:
        for problem in problems[name]["train"] + problems[name]["test"]:
            mine |= dict.fromkeys(runs(problem.prompt), problem.prompt)
    fields = ("question", "input", "problem", "question_concat")
    known = (
        row[field]
        for name in NAMES
        for file in (mirror / name).glob("*.jsonl")
        for row in rows(file)
        for field in fields
        if field in row
    )
    assert {mine[run] for text in known for run in runs(text) if run in mine} == set()
