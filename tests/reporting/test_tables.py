"""From jobs' files to tables: the right jobs, pooled and compared as stated, the same each time."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from econ import paths, seals
from econ.cli import group
from econ.errors import EconError
from econ.grading.rounds import marked
from econ.grading.travelplanner import Score
from econ.grading.travelplanner.commonsense import CONSTRAINTS as COMMONSENSE
from econ.grading.travelplanner.hard import CONSTRAINTS as HARD
from econ.params import BENCHMARKS, Params, load
from econ.records import Job, Json, Problem
from econ.registry import TABLES
from econ.reporting import catalogue as outputs
from econ.reporting import results, show
from econ.reporting.gather import jobs
from econ.reporting.paper import reported as paper
from econ.reporting.statistics import wilson
from econ.reporting.tables import averages, comparisons
from tests.reporting.synthetic import coin, trace, write_job, write_run

PAPER = Path(__file__).parents[2] / "data/paper"
SMALL = {"benchmarks": ["gsm8k", "svamp"], "n_agents": [3], "methods": ["econ-bne", "debate", "cot"]}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that has the paper's numbers."""
    shutil.copytree(PAPER, tmp_path / paths.PAPER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def aggregate() -> Result:
    return CliRunner().invoke(group, ["aggregate"])


def table(name: str) -> pd.DataFrame:
    return show.read(name)


def fault(result: Result) -> str:
    assert isinstance(result.exception, EconError), result.exception
    return str(result.exception)


def test_every_promised_file_is_written_and_a_second_run_writes_the_same_bytes(project: Path) -> None:
    write_run(project, 12, **SMALL)
    assert aggregate().exit_code == 0
    first = {name: Path(name).read_bytes() for name in outputs.table_files(load(project / "params.yaml"))}
    assert aggregate().exit_code == 0
    assert {
        name: Path(name).read_bytes() for name in outputs.table_files(load(project / "params.yaml"))
    } == first
    assert {str(path) for path in Path("results/tables").iterdir()} == set(first)


def test_every_result_says_that_a_dimension_was_held(project: Path) -> None:
    params, _ = write_run(project, 12, **SMALL, action={"fixed": {"repetition_penalty": 1.0}})
    for job in jobs(params):
        if job.method == "econ-bne":
            held = {"fixed": {"repetition_penalty": 1.0}}
            write_job(params, job, [replace(one, detail=held) for one in coin(job, 12)])
    assert aggregate().exit_code == 0
    for name in ("accuracy", "tokens", "paired", "scaling", "paper_accuracy", "invalid"):
        text = Path(f"results/tables/{name}.md").read_text()
        assert "ECON's repetition_penalty fixed at 1, not learned." in text, name
    rows = [line for line in Path("results/tables/accuracy.md").read_text().splitlines() if "| " in line]
    assert all(("fixed at 1" in row) == ("econ-bne" in row) for row in rows)
    assert set(table("accuracy")["fixed"].dropna()) == {"repetition_penalty fixed at 1"}


def test_accuracy_holds_the_jobs_numbers(project: Path) -> None:
    write_run(project, 12, **SMALL)
    aggregate()
    rows = table("accuracy").set_index(["benchmark", "method"])
    for (benchmark, method), row in rows.iterrows():
        metrics = orjson.loads(paths.metrics(Job(benchmark, method, 3, 0)).read_bytes())
        assert row["n"] == metrics["n"] == 12
        assert row["accuracy"] == pytest.approx(metrics["accuracy"], rel=1e-5)
        assert row["accuracy_low"] == pytest.approx(metrics["accuracy_low"], rel=1e-5)


def test_seeds_are_pooled_by_problem(project: Path) -> None:
    params, _ = write_run(project, 10, benchmarks=["svamp"], n_agents=[3], methods=["cot"], seeds=[0, 1])
    for seed, right in ((0, 10), (1, 5)):
        job = Job("svamp", "cot", 3, seed)
        write_job(params, job, [trace(job, i, correct=i < right) for i in range(10)])
    aggregate()
    [row] = table("accuracy").to_dict("records")
    assert (row["n"], row["problems"], row["seeds"], row["accuracy"]) == (20, 10, 2, 0.75)


def test_paired_rows_count_wins_and_losses_and_pool_all_benchmarks(project: Path) -> None:
    params, _ = write_run(project, 8, **SMALL | {"methods": ["econ-bne", "cot"]})
    right = {"econ-bne": {0, 1, 2, 3, 4, 5, 6}, "cot": {0, 7}}
    for benchmark in SMALL["benchmarks"]:
        for method, solved in right.items():
            job = Job(benchmark, method, 3, 0)
            write_job(params, job, [trace(job, i, correct=i in solved) for i in range(8)])
    aggregate()
    rows = table("paired").set_index("benchmark")
    one, both = rows.loc["svamp"], rows.loc["all"]
    assert (one["wins"], one["losses"], one["n"]) == (6, 1, 8)
    assert one["difference"] == pytest.approx(5 / 8)
    assert one["p"] == pytest.approx(2 * 8 / 128)
    assert (both["wins"], both["losses"], both["n"]) == (12, 2, 16)
    assert both["p"] < one["p"]


def test_the_papers_numbers_stand_beside_ours_with_their_cautions(project: Path) -> None:
    write_run(project, 6, **SMALL)
    aggregate()
    rows = table("paper_accuracy").set_index(["benchmark", "method"])
    assert rows.loc[("gsm8k", "econ-bne"), "paper_llama_70b"] == 0.967
    assert "92.70" in rows.loc[("gsm8k", "econ-bne"), "note"]
    assert rows.loc[("gsm8k", "debate"), "paper_llama_70b"] == 0.8632
    assert rows.loc[("gsm8k", "debate"), "note"] == "table 3"
    assert pd.isna(rows.loc[("svamp", "debate"), "paper_llama_70b"])
    saved = table("paper_tokens").set_index(["benchmark", "method"])["paper_saved"]
    assert saved[("gsm8k", "econ-bne")] == pytest.approx(0.161, abs=0.0005)


def test_the_papers_gains_are_recomputed_from_its_own_numbers() -> None:
    """The means over 20 cells (figures 9 to 13) and 9 cells (table 3) that its printed values amount to."""
    reported = paper.Reported()
    cot = [gain for b in BENCHMARKS for gain in reported.gains(b, "econ-bne", "cot")]
    debate = [gain for b in BENCHMARKS for gain in reported.gains(b, "econ-bne", "debate")]
    assert (len(cot), len(debate)) == (20, 9)
    assert sum(points for points, _ in cot) / 20 == pytest.approx(0.1316, abs=0.0005)
    assert sum(relative for _, relative in cot) / 20 == pytest.approx(0.2399, abs=0.0005)
    assert sum(points for points, _ in debate) / 9 == pytest.approx(0.0616, abs=0.00005)


def test_gsm_hard_with_and_without_verbatim_problems(project: Path) -> None:
    params, _ = write_run(project, 4, benchmarks=["gsm_hard"], n_agents=[3], methods=["cot"])
    job = Job("gsm_hard", "cot", 3, 0)
    parts = ["verbatim", "changed", "changed", "changed"]
    rows = [trace(job, i, correct=i < 2, detail={"subsets": [part]}) for i, part in enumerate(parts)]
    write_job(params, job, rows)
    aggregate()
    shown = table("gsm_hard").set_index("subset")
    assert shown["n"].to_dict() == {"all": 4, "changed": 3, "verbatim": 1}
    assert shown["accuracy"].to_dict() == pytest.approx(
        {"all": 0.5, "changed": 1 / 3, "verbatim": 1.0}, rel=1e-5
    )


def test_travelplanner_rates_are_the_official_ones(project: Path) -> None:
    passed = dict.fromkeys(COMMONSENSE, True) | dict.fromkeys(HARD) | {"valid_cost": True}
    good = Score("easy", 3, True, ["valid_cost"], passed, hard_evaluated=True)
    none = Score("hard", 3, False, [*HARD][:4], dict.fromkeys(passed))
    params, _ = write_run(project, 2, benchmarks=["travelplanner"], n_agents=[3], methods=["cot"])
    job = Job("travelplanner", "cot", 3, 0)
    write_job(
        params,
        job,
        [
            trace(job, 0, correct=True, detail=good.to_json()),
            trace(job, 1, correct=False, detail=none.to_json()),
        ],
    )
    aggregate()
    rows = table("travelplanner")
    ours = rows[rows["method"] == "cot"].set_index("level")
    assert (
        ours.loc["all", ["delivery_rate", "commonsense_micro", "hard_macro", "final_pass_rate"]].tolist()
        == [0.5] * 4
    )
    assert ours.loc["all", "hard_micro"] == pytest.approx(1 / 5)
    assert ours.loc["easy", "final_pass_rate"] == 1.0
    assert ours.loc["hard", "delivery_rate"] == 0.0
    assert rows.set_index("method").loc["ECON (GPT-4)*", "final_pass_rate"] == 0.129


def test_shipped_problems_do_not_claim_the_hubs_revision(project: Path) -> None:
    _params, _ = write_run(project, 2, benchmarks=["svamp"], n_agents=[3], methods=["cot"])
    job = Job("svamp", "cot", 3, 0)
    metrics = results.metrics(job)
    aggregate()
    assert table("problems")["revision"].tolist() == ["c0" * 20]
    metrics["problems"]["source"] = "shipped"
    paths.metrics(job).write_bytes(seals.document(metrics))
    aggregate()
    assert table("problems")["revision"].isna().all()


def rounds(*marks: str) -> tuple[Json, ...]:
    """Steps of a debate of three, whose answers are right (r), wrong (w) or unreadable (-) by round."""
    steps: list[Json] = [{"round": k, "answers": [GIVES[m] for m in row]} for k, row in enumerate(marks)]
    return marked(Problem("p", "svamp", "?", gold="1"), steps, Params())


GIVES = {"r": "1", "w": "2", "-": None}


def test_convergence_counts_who_is_right_and_who_turned(project: Path) -> None:
    params, _ = write_run(project, 2, benchmarks=["svamp"], n_agents=[3], methods=["sparse-debate", "cot"])
    job = Job("svamp", "sparse-debate", 3, 0)
    games = [rounds("rw-", "rrw", "rrr"), rounds("rrr")]
    write_job(params, job, [trace(job, p, correct=True, steps=game) for p, game in enumerate(games)])
    aggregate()
    rows = table("convergence")
    assert set(rows["method"]) == {"sparse-debate"}
    assert rows["round"].tolist() == [1, 2, 3]
    assert rows["played"].tolist() == [2, 1, 1]
    assert rows["n"].tolist() == [2, 2, 2]
    assert rows["right"].tolist() == pytest.approx([(1 / 3 + 1) / 2, (2 / 3 + 1) / 2, 1], rel=1e-5)
    assert rows["distinct"].tolist() == [1.5, 1.5, 1]
    assert rows["gained"].tolist()[1:] == [1, 1]
    assert rows["lost"].tolist()[1:] == [0, 0]
    assert pd.isna(rows["gained"][0])


def test_how_games_ended_is_listed_with_what_was_dropped(project: Path) -> None:
    params, _ = write_run(project, 3, benchmarks=["svamp"], n_agents=[3], methods=["mad", "cot"])
    job = Job("svamp", "mad", 3, 0)
    favoured = [{"favoured": side, "dropped_exchanges": 1} for side in ("negative", "negative", None)]
    rows = [
        trace(job, p, correct=True, detail=d, stop="judge" if p else "moderator")
        for p, d in enumerate(favoured)
    ]
    write_job(params, job, rows)
    aggregate()
    row = table("endings").set_index("method").loc["mad"]
    assert (row["stops"], row["dropped"]) == ("judge: 2; moderator: 1", 3)
    assert row["favoured"] == "negative: 2; neither: 1"


@pytest.mark.parametrize(
    ("mark", "how"), [("SIMULATED", {"simulated": True}), ("RECORDED", {"recorded": "model (engine, day)"})]
)
def test_where_answers_come_from_stands_in_every_table(project: Path, mark: str, how: dict[str, Any]) -> None:
    write_run(project, 4, **how, **SMALL)
    assert mark in aggregate().output
    for name in (
        "accuracy",
        "tokens",
        "paired",
        "scaling",
        "paper_accuracy",
        "paper_gains",
        "invalid",
        "problems",
    ):
        for ending in ("md", "tex"):
            text = (paths.TABLES / f"{name}.{ending}").read_text()
            assert mark in text, name
            assert how.get("recorded", "") in text
        assert table(name)[mark.lower()].all()


def test_n_stands_in_every_caption(project: Path) -> None:
    write_run(project, 7, **SMALL)
    aggregate()
    for name in TABLES:
        text = (paths.TABLES / f"{name}.md").read_text()
        assert "n = 7" in text or "n = 14" in text or "Nothing of these params" in text, name


def test_a_missing_job_is_named_with_the_command_that_makes_it(project: Path) -> None:
    write_run(project, 4, **SMALL)
    paths.metrics(Job("svamp", "econ-bne", 3, 0)).unlink()
    said = fault(aggregate())
    assert "results/metrics/svamp/econ-bne-n3-s0.json does not exist" in said
    assert "econ evaluate --benchmark svamp --method econ-bne --n-agents 3 --seed 0" in said
    assert not paths.TABLES.exists()


def test_results_of_other_params_are_not_mixed_in(project: Path) -> None:
    _, file = write_run(project, 4, **SMALL)
    file.write_text(file.read_text() + "llm: {coordinator: another}\n")
    said = fault(aggregate())
    assert "made with other params (llm.coordinator)" in said


def test_jobs_on_other_problems_are_not_compared(project: Path) -> None:
    params, _ = write_run(project, 4, **SMALL)
    job = Job("gsm8k", "cot", 3, 0)
    write_job(params, job, coin(job, 5))
    assert "on other problems" in fault(aggregate())


def test_metrics_and_traces_must_belong_together(project: Path) -> None:
    write_run(project, 4, **SMALL)
    path = paths.trace(Job("gsm8k", "cot", 3, 0))
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:-1]) + b"\n")
    assert f"{path} is damaged or from another run" in fault(aggregate())
    path.write_bytes(b'{"problem_id": \n')
    assert f"{path} line 1 is not JSON" in fault(aggregate())


def test_long_tables_run_over_latex_pages_and_short_ones_fit_their_width(project: Path) -> None:
    write_run(project, 2, **SMALL | {"n_agents": list(range(3, 13))})
    aggregate()
    long, short = ((paths.TABLES / f"{name}.tex").read_text() for name in ("accuracy", "problems"))
    assert long.count(r"\begin{longtable}") == long.count(r"\end{longtable}") == 1
    assert short.count(r"\resizebox") == short.count(r"\end{tabular}}") == 1
    for text in (long, short):
        assert text.count("{") == text.count("}")


def test_latex_is_escaped() -> None:
    assert show._tex("5 % of a_b & c") == r"5 \% of a\_b \& c"


def test_problems_made_of_one_question_count_together(project: Path) -> None:
    """Ten GSM8K problems and ten made of them, each answered alike: no more is known than from ten."""
    ids = [f"gsm8k/{i}" for i in range(10)]
    own = {f"gsm8k/{one}": [i < 7] for i, one in enumerate(ids)}
    made = {f"gsm_hard/gsm_hard/{i}": [i < 7] for i in range(10)}
    made_of = {f"gsm_hard/gsm_hard/{i}": f"gsm8k/{one}" for i, one in enumerate(ids)}
    both, none = own | made, {name: [False] for name in own | made}
    together, apart = comparisons.compare(both, none, made_of), comparisons.compare(both, none)
    alone = comparisons.compare(own, none)
    assert together.p == pytest.approx(alone.p)
    assert together.low == pytest.approx(alone.low)
    assert apart.p < alone.p / 50


def test_the_mean_over_five_benchmarks_counts_each_alike_and_stands_beside_the_papers(project: Path) -> None:
    methods = ["econ-bne", "cot", "greedy-search"]
    params, _ = write_run(
        project, 10, benchmarks=[*averages.FIVE, "travelplanner"], n_agents=[3], methods=methods
    )
    for k, benchmark in enumerate(averages.FIVE):
        job = Job(benchmark, "cot", 3, 0)
        write_job(params, job, [trace(job, i, correct=i <= k) for i in range(10)])
    aggregate()
    rows = table("averages").set_index("method")
    assert list(rows.index) == ["econ-bne", "cot"]
    assert rows.loc["cot", ["accuracy", "benchmarks", "n"]].tolist() == pytest.approx([0.3, 5, 50])
    assert rows.loc["econ-bne", "paper_llama_70b"] == pytest.approx(0.8276, abs=5e-5)
    write_run(project, 10, benchmarks=["svamp", "gsm8k"], n_agents=[3], methods=["cot"])
    aggregate()
    [row] = table("averages").to_dict("records")
    assert row["benchmarks"] == 2
    assert pd.isna(row["paper_llama_70b"])


def test_the_interval_of_a_mean_of_shares_narrows_with_their_number_and_stays_within_bounds() -> None:
    one = (0.5, wilson(10, 20))
    low, high = averages.mean_of_intervals([one])
    assert (low, high) == pytest.approx(one[1])
    narrow_low, narrow_high = averages.mean_of_intervals([one] * 4)
    assert narrow_high - narrow_low == pytest.approx((high - low) / 2)
    low, high = averages.mean_of_intervals([(0.0, wilson(0, 9)), (1.0, wilson(9, 9))])
    assert 0 < low < 0.5 < high < 1
