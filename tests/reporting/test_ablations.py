"""Variants beside their method and the paper's ablations, found by what is changed."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from econ import paths
from econ.cli import group
from econ.params import load
from econ.params.file import read
from econ.records import Job
from econ.reporting import catalogue, show
from econ.reporting.figures import build as figures
from econ.reporting.paper import ablations as paper_ablations
from tests.reporting.synthetic import call, trace, write_job, write_run

ROOT = Path(__file__).parents[2]
NO_STRATEGY = {"team": {"strategy": "none"}}
SMALL: dict[str, Any] = {
    "benchmarks": ["math", "svamp"],
    "n_agents": [3],
    "methods": ["econ-bne", "econ-bne+no-strategy", "cot"],
    "variants": {"no-strategy": NO_STRATEGY},
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "data/paper", tmp_path / paths.PAPER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def aggregated() -> pd.DataFrame:
    done = CliRunner().invoke(group, ["aggregate"])
    assert done.exit_code == 0, done.exception
    return show.read("ablations")


def test_a_variant_is_compared_with_its_method_on_the_same_problems(project: Path) -> None:
    params, _ = write_run(project, 8, **SMALL)
    solved = {"econ-bne": {0, 1, 2, 3, 4, 5}, "econ-bne+no-strategy": {0, 6}}
    for benchmark in SMALL["benchmarks"]:
        for method, right in solved.items():
            job, calls = Job(benchmark, method, 3, 0), [call()] * (2 if "+" in method else 4)
            write_job(params, job, [trace(job, i, correct=i in right, calls=calls) for i in range(8)])
    rows = aggregated().set_index(["benchmark", "method"])
    assert set(rows.index.get_level_values("method")) == set(solved)
    own, variant = rows.loc[("math", "econ-bne")], rows.loc[("math", "econ-bne+no-strategy")]
    assert own["accuracy"] == 0.75
    assert pd.isna(own["difference"])
    assert pd.isna(own["change"])
    assert variant["change"] == "team.strategy: none"
    assert (variant["wins"], variant["losses"]) == (1, 5)
    assert variant["difference"] == -0.5
    assert variant["tokens_change"] == -0.5
    assert variant["paper_llama_70b"] == 0.7135
    assert variant["paper_points"] == pytest.approx(-0.1012)
    assert pd.isna(rows.loc[("svamp", "econ-bne+no-strategy"), "paper_points"])
    assert rows.loc[("all", "econ-bne+no-strategy"), "n"] == 16
    assert rows.loc[("all", "econ-bne+no-strategy"), "p"] < variant["p"]


def test_variants_stand_in_their_own_table_and_not_among_the_rivals(project: Path) -> None:
    write_run(project, 4, **SMALL)
    aggregated()
    assert set(show.read("paired")["rival"]) == {"cot"}
    assert set(show.read("paper_accuracy")["method"]) == {"econ-bne", "cot"}
    assert "econ-bne+no-strategy" in set(show.read("accuracy")["method"])


def test_without_variants_the_table_says_so(project: Path) -> None:
    write_run(project, 4, benchmarks=["svamp"], n_agents=[3], methods=["econ-bne", "cot"])
    assert aggregated().empty
    assert "Nothing of these params" in (paths.TABLES / "ablations.md").read_text()


def test_the_papers_set_finds_every_ablation_that_the_paper_reports(project: Path) -> None:
    write_run(project, 2, **read(ROOT / "params/ablations.yaml"))
    rows = aggregated()
    rows = rows[rows["benchmark"] != "all"]
    found = list(zip(rows["benchmark"], rows["paper_source"].fillna(""), strict=True))
    names = {"GSM8K": "gsm8k", "GSM-Hard": "gsm_hard", "MATH": "math"}
    with Path("data/paper/reported_ablations.csv").open() as lines:
        expected = {
            (names[row["benchmark"]], f"table {row['table']}: {row['setting']}")
            for row in csv.DictReader(lines)
            if row["setting"]
            not in {"S2 (detailed strategy)", "S3 (ECON default)"}  # table 3; ECON's own row
        }
    with Path("data/paper/reported_heterogeneous.csv").open() as lines:
        teams = [row["configuration"] for row in csv.DictReader(lines) if row["group"] != "baseline"]
    expected |= {(name, f"table 2: {team}") for name in ("gsm_hard", "math") for team in teams}
    expected |= {(name, "table 4") for name in names.values()}
    expected |= {(name, "table 3: ECON (with detailed strategy)") for name in names.values()}
    for name, source in expected:
        assert any(benchmark == name and text.startswith(source) for benchmark, text in found), (name, source)
    by_key = rows.set_index(["benchmark", "method"])
    assert by_key.loc[("math", "econ-bne+weak-mix"), "paper_points"] == pytest.approx(0.7424 - 0.8147)
    assert by_key.loc[("gsm8k", "econ-bne+no-belief-encoder"), "paper_llama_8b"] == 0.841
    assert by_key.loc[("gsm8k", "econ-bne+complete-information"), "paper_tokens_change"] == pytest.approx(
        0.3915
    )
    assert by_key.loc[("gsm8k", "econ-bne"), "paper_llama_70b"] == 0.967


@pytest.mark.parametrize(
    ("changes", "n_agents"),
    [
        ({"team.strategy": "none", "reward.source": "random"}, 3),
        ({"team.strategy": "short"}, 3),
        ({"reward.components": ["TS", "CC"]}, 3),
        ({"reward.alpha": [1.0, 0.0, 0.0]}, 3),
        ({"llm.executors": ["Meta-Llama-3.1-8B"]}, 4),
        ({"llm.executors": ["Meta-Llama-3.1-8B", "Meta-Llama-3.1-8B", "Mixtral-8x22B"]}, 3),
    ],
)
def test_no_number_of_the_paper_stands_beside_what_it_has_not_run(
    changes: dict[str, Any], n_agents: int
) -> None:
    assert paper_ablations.find("math", changes, n_agents, "Meta-Llama-3.1-70B") is None


def test_a_team_of_the_paper_is_known_in_any_order_and_under_its_coordinator_alone() -> None:
    team = {"llm.executors": ["mistral:7b", "llama3.1:8b", "llama3:8b"]}
    found = paper_ablations.find("math", team, 3, "llama3.1:70b")
    assert found is not None
    assert found.accuracy == {"LLaMA3.1-70B": 0.7424}
    assert paper_ablations.find("math", team, 3, "llama3.1:8b") is None


def test_variants_are_drawn_in_their_own_figure_and_over_several_agent_counts(project: Path) -> None:
    write_run(project, 6, **SMALL | {"n_agents": [3, 4]}, simulated=True)
    aggregated()
    params = load(project / "params.yaml")
    found = catalogue.drawn(params)
    frames = figures.read(params, found)
    shown = {name: figures.chart(figure, params, frames) for name, figure in found.items()}
    assert shown["ablations"].simulated
    assert shown["ablations"].panels[0].y.ticks == ("econ-bne+no-strategy",)
    labels = {name: {key.label for key in chart.keys} for name, chart in shown.items()}
    assert labels["scaling"] >= {"econ-bne+no-strategy"}
    assert "econ-bne+no-strategy" not in labels["tradeoff"]
