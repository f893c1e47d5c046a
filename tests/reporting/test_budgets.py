"""Operating points and equal tokens, on answers and spendings that are known beforehand."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from econ import paths
from econ.cli import group
from econ.errors import EconError
from econ.params import Params
from econ.records import Job, Trace
from econ.reporting.gather import Result
from econ.reporting.metrics import summarise
from econ.reporting.pool import Cell, Row, Run, cells
from econ.reporting.tables.budgets import budgets, drawn_against, equal_token_rows, points
from econ.reporting.tables.comparisons import pairs
from tests.reporting.synthetic import MANIFEST, call, firsts, trace, write_run

PAPER = Path(__file__).parents[2] / "data/paper"
Marks = Sequence[Sequence[bool]]  # by problem: right after 1, 2, ... samples or rounds
RIGHT, WRONG = True, False


def played(method: str, marks: Marks, *, each: int = 120, benchmark: str = "svamp", seed: int = 0) -> Result:
    """A job whose every sample or round costs ``each`` tokens, 20 of them a completion."""
    job = Job(benchmark, method, 3, seed)
    traces = [
        trace(
            job, problem, correct=right[-1], detail=firsts(job, right),
            calls=[
                call(sample=k, round=k if method != "self-consistency" else 0, prompt=each - 20)
                for k in range(len(right))
            ],
        )
        for problem, right in enumerate(marks)
    ]  # fmt: skip
    return result(job, traces)


def result(job: Job, traces: Sequence[Trace]) -> Result:
    outcomes = {one.problem_id: one.correct for one in traces}
    known = {t.problem_id: t.detail["first_k"]["correct"] for t in traces if "first_k" in t.detail}
    return Result(job, summarise(traces, MANIFEST, Params()), outcomes, known)


def once(method: str, right: Sequence[bool], spent: int, benchmark: str = "svamp") -> Result:
    """A job of one call a problem, known as run alone."""
    job = Job(benchmark, method, 3, 0)
    calls = [call(prompt=spent - 20)] if spent else []
    return result(job, [trace(job, p, correct=r, calls=calls) for p, r in enumerate(right)])


def equal(*results: Result, method: str = "econ-bne") -> dict[str, Row]:
    """By measure, of one rival."""
    return {row["measure"]: row for row in equal_token_rows(pairs(cells(results), method))}


def cell(*results: Result) -> Cell:
    [one] = cells(results)
    return one


def test_points_are_the_first_samples_and_what_they_cost() -> None:
    marks = [[WRONG, RIGHT, RIGHT], [WRONG, WRONG, RIGHT]]
    one, two, three = points(cell(played("self-consistency", marks)))
    assert [[*map(list, p.outcomes.values())] for p in (one, two, three)] == [
        [[WRONG], [WRONG]], [[RIGHT], [WRONG]], [[RIGHT], [RIGHT]],
    ]  # fmt: skip
    assert [p.spent("total") for p in (one, two, three)] == [120, 240, 360]
    assert [p.spent("completion") for p in (one, two, three)] == [20, 40, 60]
    assert [p.spent("prompt once") for p in (one, two, three)] == [120, 140, 160]
    assert [p.label for p in (one, two, three)] == ["1 sample", "2 samples", "3 samples"]


def test_a_method_without_points_is_known_as_run_alone() -> None:
    [point] = points(cell(once("cot", [RIGHT, WRONG], 80)))
    assert (point.label, point.spent("total"), point.k) == ("as run", 80, None)


def test_problems_and_seeds_that_ended_early_stay_as_they_ended() -> None:
    short = played("sparse-debate", [[RIGHT], [WRONG]], seed=0)
    longer = played("sparse-debate", [[RIGHT], [WRONG, WRONG, RIGHT]], seed=1)
    known = points(cell(short, longer))
    assert [p.spent("total") for p in known] == [120, 150, 180]
    assert known[-1].outcomes == {"svamp/p0": [RIGHT, RIGHT], "svamp/p1": [WRONG, RIGHT]}
    assert known[0].outcomes == {"svamp/p0": [RIGHT, RIGHT], "svamp/p1": [WRONG, WRONG]}


def test_of_many_samples_powers_of_two_and_the_last_are_shown() -> None:
    rows = budgets.rows(Run((played("self-consistency", [[RIGHT] * 11]),)))
    assert [row["k"] for row in rows] == list(range(1, 12))
    assert [row["k"] for row in rows if row["shown"]] == [1, 2, 4, 8, 11]
    assert [row["k"] for row in rows if row["as_run"]] == [11]


def test_self_consistency_is_cut_to_econs_spending() -> None:
    """ECON spends 300; three samples of 120 would be too many, so two stand against it."""
    ours = played("econ-bne", [[RIGHT], [RIGHT], [WRONG]], each=300)
    theirs = played("self-consistency", [[WRONG, WRONG, RIGHT], [RIGHT] * 3, [WRONG, RIGHT, RIGHT]])
    rows = equal(ours, theirs)
    total = rows["total"]
    assert (total["method_at"], total["rival_at"]) == ("1 round", "2 samples")
    assert (total["budget"], total["method_tokens"], total["rival_tokens"]) == (300, 300, 240)
    assert (total["difference"], total["wins"], total["losses"], total["n"]) == (0, 1, 1, 3)
    assert total["note"] is None
    # By completions ECON's 20 tokens buy one sample.
    assert (rows["completion"]["rival_at"], rows["completion"]["difference"]) == (
        "1 sample",
        pytest.approx(1 / 3),
    )


def test_a_shared_prompt_counted_once_buys_more_samples() -> None:
    rows = equal(played("econ-bne", [[RIGHT]], each=145), played("self-consistency", [[WRONG, RIGHT, WRONG]]))
    bought = {measure: (row["rival_at"], row["rival_tokens"]) for measure, row in rows.items()}
    assert bought == {
        "total": ("1 sample", 120),
        "prompt once": ("2 samples", 140),
        "completion": ("1 sample", 20),
    }


def test_too_few_samples_are_said_with_how_many_it_takes() -> None:
    ours = played("econ-bne", [[WRONG, RIGHT]], each=600)
    rows = equal(ours, played("self-consistency", [[RIGHT, RIGHT]]))
    assert "completion" in rows
    assert rows["total"]["difference"] is None
    assert rows["total"]["note"] == (
        "econ-bne spends 600 at its least; self-consistency would spend as much with about 10 samples"
    )


def test_the_dearer_one_is_cut_whichever_it_is() -> None:
    ours = played("econ-bne", [[WRONG, RIGHT], [RIGHT, RIGHT]], each=100)
    row = equal(ours, once("cot", [RIGHT, RIGHT], 150))["total"]
    assert (row["method_at"], row["rival_at"], row["difference"]) == ("1 round", "as run", -0.5)


@pytest.mark.parametrize("spent", [80, 0])
def test_a_pair_without_equal_tokens_says_so(spent: int) -> None:
    rows = equal(played("econ-bne", [[RIGHT]]), once("greedy-search", [RIGHT], spent))
    assert rows["total"]["note"] == "econ-bne spends 120 at its least"
    assert rows["total"]["method_at"] is None
    assert rows["total"]["rival_tokens"] == spent
    assert rows["total"]["p"] is None


def test_every_form_of_econ_is_set_against_samples() -> None:
    results = [
        played("econ-bne", [[WRONG, RIGHT]]), played("econ-baseline", [[WRONG]]),
        once("cot", [RIGHT], 90), played("self-consistency", [[RIGHT, WRONG]]),
    ]  # fmt: skip
    pairs = drawn_against(cells(results), "econ-baseline")
    assert [(pair.method.method, pair.rival.method) for pair in pairs] == [
        ("econ-baseline", "self-consistency")
    ]
    total, *_ = equal_token_rows(pairs)
    assert (total["method_at"], total["rival_at"], total["losses"]) == ("1 round", "1 sample", 1)


def test_equal_spending_needs_no_cut() -> None:
    row = equal(once("debate", [RIGHT, WRONG], 90), once("cot", [WRONG, WRONG], 90), method="debate")["total"]
    assert (row["method_at"], row["rival_at"], row["difference"]) == ("as run", "as run", 0.5)


def test_benchmarks_are_pooled_each_at_its_own_match() -> None:
    results = []
    for benchmark, each in (("svamp", 240), ("gsm8k", 360)):
        results.append(played("econ-bne", [[RIGHT]] * 8, each=each, benchmark=benchmark))
        results.append(played("self-consistency", [[WRONG, WRONG, RIGHT]] * 8, benchmark=benchmark))
    rows = equal_token_rows(pairs(cells(results)))
    [both] = [row for row in rows if row["benchmark"] == "all" and row["measure"] == "total"]
    assert (both["rival_at"], both["rival_tokens"], both["n"]) == ("each its own", 300, 16)
    assert (both["wins"], both["losses"]) == (8, 0)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(PAPER, tmp_path / paths.PAPER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compare(*arguments: str) -> Any:
    return CliRunner().invoke(group, ["compare", *arguments])


def test_any_pair_is_compared_on_request_and_nothing_is_written(project: Path) -> None:
    methods = ["econ-bne", "debate", "cot", "self-consistency"]
    write_run(project, 12, benchmarks=["svamp"], n_agents=[3], methods=methods)
    paths.metrics(Job("svamp", "econ-bne", 3, 0)).unlink()  # not among those that are named
    said = compare("debate", "self-consistency", "cot")
    assert said.exit_code == 0, said.exception
    assert said.output.count("| svamp") == 2 + 3 + 1
    assert not paths.TABLES.exists()


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (("debate", "rap"), "'rap' is not among the params' methods"),
        (("debate", "debate"), "named twice"),
        (("debate", "cot"), "results/metrics/svamp/cot-n3-s0.json does not exist"),
    ],
)
def test_a_pair_that_cannot_be_compared_is_one_line(project: Path, named: tuple[str, ...], said: str) -> None:
    write_run(project, 2, benchmarks=["svamp"], n_agents=[3], methods=["debate", "cot"])
    paths.metrics(Job("svamp", "cot", 3, 0)).unlink()
    fault = compare(*named).exception
    assert isinstance(fault, EconError)
    assert said in str(fault)


def test_a_power_that_cannot_be_had_is_not_made_up() -> None:
    row = equal(played("econ-bne", [[RIGHT]]), once("cot", [WRONG], 120))["total"]
    assert math.isnan(row["least"])
    assert math.isnan(row["detectable"])
