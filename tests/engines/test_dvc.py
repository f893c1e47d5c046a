"""What a user of DVC sees: everything made by `dvc repro` alone, and the two engines of one mind after it."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from tests.engines.conftest import Project

NOTHING = "Nothing to be done"


def test_repro_makes_everything_and_both_engines_then_agree(project: Project) -> None:
    project.params(
        benchmarks=["svamp"],
        methods=["econ-bne", "econ-bne+no-strategy", "debate", "cot"],
        variants={"no-strategy": {"team": {"strategy": "none"}}},
    )
    project.ok("dvc", "repro")
    calls = project.calls()
    assert len(calls) == len(set(calls)) == 1 + 2 + 4 + 3
    assert NOTHING in project.ok("snakemake", "-n")
    assert "up to date" in project.ok("dvc", "status")
    assert "didn't change" in project.ok("dvc", "repro")
    assert project.calls() == calls

    shown = json.loads(project.ok("dvc", "metrics", "show", "--json"))
    files = shown[""]["data"]
    assert len(files) == 4
    assert files["results/summary/jobs/svamp/debate-n3-s0.json"]["data"]["accuracy"] == 0.5
    project.ok("dvc", "plots", "show")
    plots = (project.folder / "dvc_plots/index.html").read_text()
    for title in ("Accuracy against tokens per problem", "Reward in training"):
        assert title in plots
    assert '"color": {"field": "method"' in plots

    # What `dvc pull` brings to another machine: the files, without Snakemake's notes on them.
    shutil.rmtree(project.folder / ".snakemake")
    shutil.rmtree(project.folder / "results")
    shutil.rmtree(project.folder / "data/benchmarks")
    project.ok("dvc", "checkout")
    project.ok("snakemake", "--touch", "--forceall", "--cores", "1")
    assert NOTHING in project.ok("snakemake", "-n")
    assert "up to date" in project.ok("dvc", "status")
    assert project.calls() == calls


def test_what_is_pushed_to_a_remote_is_pulled_elsewhere_and_nothing_is_left_to_do(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.params(benchmarks=["svamp"])
    project.ok("dvc", "repro", "--quiet")
    remote, other = tmp_path_factory.mktemp("remote"), tmp_path_factory.mktemp("other") / "clone"
    project.ok("dvc", "remote", "add", "--default", "shared", str(remote))
    project.ok("git", "add", ".")
    project.ok("git", "commit", "--quiet", "--message", "made")
    project.ok("dvc", "push", "--quiet")

    calls = project.calls()
    project.ok("git", "clone", "--quiet", str(project.folder), str(other))
    project.folder = other
    project.environment["DVC_SITE_CACHE_DIR"] = str(other / ".dvc/tmp/site")
    project.ok("dvc", "pull", "--quiet")
    assert "up to date" in project.ok("dvc", "status")
    assert "didn't change" in project.ok("dvc", "repro")
    project.ok("snakemake", "--touch", "--forceall", "--cores", "1")
    assert NOTHING in project.snakemake()
    assert (other / "results/report/index.html").exists()
    assert len(calls) == len(set(calls))
    assert not [call for call in project.calls() if call not in calls]


def test_baselines_alone_train_nothing(project: Project) -> None:
    project.params(benchmarks=["svamp"], methods=["debate", "cot"])
    project.ok("dvc", "repro", "--quiet")
    assert not [call for call in project.calls() if call.startswith("train")]
    assert "up to date" in project.ok("dvc", "status")
    assert NOTHING in project.snakemake()


def test_an_experiment_in_a_copy_has_the_projects_own_paid_answers(project: Project) -> None:
    """As `dvc exp run --temp` and `--queue` make them: the copy's commands see the project's state folder."""
    project.params(benchmarks=["svamp"], methods=["cot"])
    told = project.folder / "told.txt"
    command = project.folder / "bin" / "econ"
    command.write_text(
        command.read_text().replace(
            "exec", f'"{sys.executable}" -c "from econ import paths; print(paths.STATE)" >> "{told}"\nexec', 1
        )
    )
    project.ok("git", "add", ".")
    project.ok("git", "commit", "--quiet", "--message", "params")
    project.ok("dvc", "exp", "run", "--temp", "download@svamp")
    assert set(told.read_text().split()) == {str(project.folder / ".econ")}
    project.ok("dvc", "exp", "run", "--temp", "--quiet", "--force", "download@svamp", ECON_STATE="/elsewhere")
    assert told.read_text().split()[-1] == "/elsewhere"
