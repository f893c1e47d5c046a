"""The short table that a command ends with."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from econ.cli import group
from econ.reporting import outcome
from tests.reporting.synthetic import write_run

JOBS = {"benchmarks": ["svamp"], "n_agents": [3], "methods": ["cot", "debate"]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_results_are_a_row_per_job_and_say_what_is_missing(project: Path) -> None:
    write_run(project, 20, recorded="model m", **JOBS)
    Path("results/metrics/svamp/debate-n3-s0.json").unlink()
    done = CliRunner().invoke(group, ["results"])
    assert done.exit_code == 0
    mark, heads, rule, row = done.stdout.splitlines()
    assert mark == "RECORDED: model m"
    assert heads.split()[:5] == ["Benchmark", "Method", "N", "seed", "n"]
    assert "USD" not in heads  # no prices, no column
    assert row.split()[:5] == ["svamp", "cot", "3", "0", "20"]
    assert set(rule) == {"-", " "}
    assert "1 of 2 jobs; svamp/debate-n3-s0 has not been played" in done.stderr


def test_no_results_are_a_line_that_says_how_to_have_some(project: Path) -> None:
    Path("params.yaml").write_text("methods: [cot]\n")
    assert "has been played - run: snakemake" in str(CliRunner().invoke(group, ["results"]).exception)


def test_a_training_shows_its_first_and_its_last_interval() -> None:
    row = {
        "episodes": 8.0, "reward/team": 0.25, "reward/executors": 0.5, "reward/commitment": 0.0,
        "alpha/AL": 0.4, "alpha/TS": 0.4, "alpha/CC": 0.2,
        "action/policy/T_1": 1.05, "action/policy/p_1": 1.25,
        "action/policy/T_2": 0.7, "action/policy/p_2": 1.1,
    }  # fmt: skip
    heads, _, first, last = outcome.learned([row, row | {"reward/team": 0.75}], "top_p").splitlines()
    assert heads.split()[-1] == "top_p"
    assert first.split() == [
        "first",
        "interval",
        *["0.250", "0.500", "0.000", "0.40", "0.40", "0.20", "1.05", "0.70", "1.25", "1.10"],
    ]
    assert "0.750" in last
