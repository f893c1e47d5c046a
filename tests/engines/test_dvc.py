"""What a user of DVC sees: everything made by `dvc repro` alone, and the two engines of one mind after it."""

from __future__ import annotations

import json
import shutil

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
    assert files["results/metrics/svamp/debate-n3-s0.json"]["data"]["accuracy"] == 0.5
    project.ok("dvc", "plots", "show")

    # What `dvc pull` brings to another machine: the files, without Snakemake's notes on them.
    shutil.rmtree(project.folder / ".snakemake")
    shutil.rmtree(project.folder / "results")
    shutil.rmtree(project.folder / "data/benchmarks")
    project.ok("dvc", "checkout")
    project.ok("snakemake", "--touch", "--forceall", "--cores", "1")
    assert NOTHING in project.ok("snakemake", "-n")
    assert "up to date" in project.ok("dvc", "status")
    assert project.calls() == calls
