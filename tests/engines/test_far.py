"""The pipeline where jobs run elsewhere: on a cluster, and with results in object storage."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time

import pytest
import yaml

from tests.engines.conftest import ROOT, Project

ELSEWHERE = {"train", "evaluate", "bank", "equilibrium", "regret", "study"}  # what asks models, or computes


@pytest.fixture
def small(project: Project) -> Project:
    project.params(benchmarks=["svamp"], methods=["econ-bne", "cot"])
    return project


def test_light_jobs_run_where_snakemake_does() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    named = set(re.findall(r"^rule (\w+):", rules, re.MULTILINE))
    [local] = re.findall(r"^localrules:\n((?: +\w+,\n)+)", rules, re.MULTILINE)
    assert named - set(re.findall(r"\w+", local)) == ELSEWHERE


def test_the_slurm_profile_plans_the_whole_pipeline(small: Project) -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm")
    said = small.ok("snakemake", "--profile", "workflow/profiles/slurm", "--dry-run", "--quiet", "rules")
    assert re.search(r"^evaluate +2$", said, re.MULTILINE)
    grouped = ("--groups", "evaluate=play", "--group-components", "play=12")
    assert "evaluate" in small.ok("snakemake", "--profile", "workflow/profiles/slurm", "--dry-run", *grouped)


def test_jobs_find_their_files_where_results_are_in_object_storage(small: Project) -> None:
    """No file is shared: each job fetches what it reads, and its results go to the storage alone."""
    pytest.importorskip("snakemake_storage_plugin_fs")
    if shutil.which("rsync") is None:
        pytest.skip("Snakemake's fs storage needs rsync")
    bucket = small.folder / "bucket"
    bucket.mkdir()
    small.snakemake(
        "aggregate", "--default-storage-provider", "fs", "--default-storage-prefix", str(bucket),
        "--shared-fs-usage", "none",
    )  # fmt: skip
    for name in ("traces/svamp/cot-n3-s0.jsonl", "metrics/svamp/econ-bne-n3-s0.json", "tables/accuracy.csv"):
        assert (bucket / "results" / name).exists()
        assert not (small.folder / "results" / name).exists()


def test_a_job_that_is_told_to_stop_takes_in_what_is_paid_for(small: Project) -> None:
    """SIGTERM to all processes of a job, as Slurm pre-empts: the command has time, and is waited for."""
    slow = "trap 'sleep 5; touch drained; exit 143' TERM; touch started; while :; do sleep 0.1; done"
    last = "test ! -e drained || touch waited"  # what Snakemake asks for when all jobs have ended
    script = f'case "$1" in download) {slow};; timing) {last};; esac'
    (small.folder / "bin/econ").write_text(f"#!/bin/sh\n{script}\n")
    run = subprocess.Popen(
        ["snakemake", "--cores", "1", "download_svamp"], cwd=small.folder, env=small.environment,
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (small.folder / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGTERM)
    assert run.wait(60) != 0
    assert (small.folder / "waited").exists()


def test_the_image_is_made_of_files_that_are_there_and_runs_as_nobody_s_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER econ"]
    assert not re.search(r"build-essential|gcc|:latest", "\n".join(lines))
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert kept
    assert all((ROOT / name).exists() for name in kept)
    profile = yaml.safe_load((ROOT / "workflow/profiles/kubernetes/config.yaml").read_text())
    assert "ECON_CACHE_URL" in profile["envvars"]
