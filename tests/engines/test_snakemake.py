"""What a user of Snakemake sees: everything made, nothing twice, faults in one line."""

from __future__ import annotations

import re
import signal
import subprocess
import time
import zipfile

from econ.params import load
from econ.reporting.catalogue import figure_files, table_files
from tests.engines.conftest import Project

NOTHING = "Nothing to be done"
JOBS = 2 + 2 + 6 + 3  # downloads, trainings, answers, reporting


def test_everything_is_made_once_and_only_what_a_change_concerns_again(project: Project) -> None:
    said = project.snakemake()
    assert len(project.calls()) == len(set(project.calls())) == JOBS
    assert re.search(r"^\d+ jobs: .* 6 evaluate, ", said, re.MULTILINE)
    assert "Building DAG" not in said
    assert "] Evaluate cot on svamp, 3 agents, seed 0 (" in said
    assert "Select jobs to execute" not in said
    params = load(project.folder / "params.yaml")
    for file in (*table_files(params), *figure_files(params), "results/report/index.html"):
        assert (project.folder / file).exists(), file

    assert NOTHING in project.snakemake()
    project.snakemake("--report", "report.zip")
    with zipfile.ZipFile(project.folder / "report.zip") as archive:
        page = archive.read("report/report.html").decode()
    for told in ("results/figures/accuracy.svg", "results/tables/paired.html", "Wilson; over problems"):
        assert told in page, told

    project.params(llm={"max_in_flight": 2})
    project.snakemake()
    assert [call.split()[0] for call in project.calls()[JOBS:]] == ["report"]

    before = len(project.calls())
    project.params(settings={"debate": {"rounds": 2}}, llm={"max_in_flight": 2})
    project.snakemake()
    again = [call for call in project.calls()[before:] if call.startswith(("train", "evaluate", "debate"))]
    assert len(again) == 2
    assert all("--method debate " in call for call in again)

    before = len(project.calls())
    (project.folder / "results/traces/svamp/cot-n3-s0.jsonl").unlink()
    project.snakemake()
    assert "evaluate --benchmark svamp --method cot" in project.calls()[before]

    before = len(project.calls())
    project.snakemake("--config", "set={settings.debate.rounds: 4}")
    again = [call for call in project.calls()[before:] if call.startswith(("train", "evaluate"))]
    assert len(again) == 2
    assert all(call.endswith("--set settings.debate.rounds=4") for call in again), again


def test_a_variant_that_changes_is_trained_and_answered_again_and_nothing_else(project: Project) -> None:
    chosen = {"methods": ["econ-bne", "econ-bne+other", "econ-bne+k5"], "benchmarks": ["svamp"]}
    other = {"team": {"strategy": "none"}}
    k5 = {"bne": {"max_iterations_infer": 5}}
    project.params(**chosen, variants={"other": other, "k5": k5})
    project.snakemake()
    calls = project.calls()
    assert [call.count("--variant other") for call in calls if call.startswith("train")].count(1) == 1
    assert sum(call.startswith("train") for call in calls) == 2
    assert sum(call.startswith("evaluate") for call in calls) == 3

    project.params(
        **chosen, variants={"other": {"team": {"strategy": "detailed"}}, "k5": k5, "unused": other}
    )
    project.snakemake()
    again = [call for call in project.calls()[len(calls) :] if call.startswith(("train", "evaluate"))]
    assert ["--variant other" in again[0], "--method econ-bne+other" in again[1]] == [True, True]
    assert len(again) == 2


def test_a_failed_job_shows_its_last_line_and_its_log_and_leaves_the_rest(project: Project) -> None:
    done = project.run("snakemake", "--cores", "1", FAKE_ECON_FAIL="--method cot --n-agents 3")
    assert done.returncode != 0
    line = "-n3-s0.log: econ: error: the server is gone - start it again"
    assert line in done.stderr
    assert "FAILED Evaluate cot on " in done.stderr
    assert "shell:" not in done.stderr
    assert "the same command goes on from there" in done.stderr
    before = len(project.calls())
    project.snakemake()
    assert len(set(project.calls())) == JOBS
    assert len(project.calls()) - before < JOBS


def test_a_killed_run_goes_on_where_it_stopped(project: Project) -> None:
    hanging = "evaluate --benchmark svamp"
    run = subprocess.Popen(
        ["snakemake", "--cores", "1"],
        cwd=project.folder,
        env={**project.environment, "FAKE_ECON_HANG": hanging},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not any(call.startswith(hanging) for call in project.calls()):
            assert run.poll() is None
            time.sleep(0.1)
        refused = project.run("snakemake", "--cores", "1")
        assert refused.returncode != 0
        assert "another run is at work" in refused.stderr
        run.send_signal(signal.SIGKILL)
        run.wait()
        finished = project.calls()[:-1]
        project.snakemake()
        assert not set(finished) & set(project.calls()[len(finished) + 1 :])
        assert len(set(project.calls())) == JOBS
    finally:
        subprocess.run(["pkill", "-KILL", "--session", str(run.pid)], check=False)


def test_played_from_records_every_job_waits_for_its_bank(project: Project) -> None:
    project.params(benchmarks=["svamp"], llm={"backend": "bank"})
    project.snakemake()
    calls = project.calls()
    built = {split: place for place, call in enumerate(calls) for split in ("train", "test")
             if call.startswith(f"bank build --benchmark svamp --split {split} ")}  # fmt: skip
    played = {call.split()[0]: place for place, call in reversed(list(enumerate(calls)))}
    assert built["train"] < played["train"]
    assert built["test"] < played["evaluate"]
    project.snakemake()
    assert project.calls() == calls
    project.params(benchmarks=["svamp"], llm={"backend": "bank"}, bank={"samples": 9})
    project.snakemake()
    assert len(project.calls()) == 2 * len(calls) - 1  # all but the download


def test_what_certify_lists_is_measured_before_the_tables(project: Project) -> None:
    listed = {"policies": ["trained", "uniform"], "horizons": [4, 8], "seeds": 2}
    project.params(benchmarks=["svamp"], methods=["econ-baseline"], llm={"backend": "bank"}, certify=listed)
    project.snakemake()
    calls = [call.split(" --params")[0] for call in project.calls()]
    places = {re.sub(r" --out \S*/", " --out ", call): place for place, call in enumerate(calls)}
    certify = "equilibrium --benchmark svamp --n-agents 3"
    trained = places[f"{certify} --seed 0 --out n3-s0.json"]
    uniform = places[f"{certify} --policy uniform --out n3-uniform.json"]
    regret = places["regret --benchmark svamp --n-agents 3 --seeds 2 --horizons 4,8"]
    assert places["train --benchmark svamp --n-agents 3 --seed 0"] < trained
    assert max(trained, uniform, regret) < places["aggregate"]
    project.snakemake()
    assert len(project.calls()) == len(calls)
    (project.folder / "results/equilibrium/svamp/n3-uniform.json").unlink()
    project.snakemake()
    assert [call.split()[0] for call in project.calls()[len(calls) :]] == [
        "equilibrium", "aggregate", "figures", "report",
    ]  # fmt: skip


def test_a_bank_is_recorded_on_request_alone(project: Project) -> None:
    project.snakemake("bank_svamp")
    assert sorted(call.split(" --params")[0] for call in project.calls()) == [
        "bank build --benchmark svamp --split test",
        "bank build --benchmark svamp --split train",
        "download --benchmark svamp",
    ]


def test_a_fault_of_the_params_is_one_line(project: Project) -> None:
    cases = {
        "train: {episods: 3}": "unknown key 'train.episods' (did you mean 'episodes'?)",
        "benchmarks: [gsm9k]": "unknown benchmark 'gsm9k'",
        "methods: [magic]": "unknown method 'magic'",
        "methods: [econ-bne+magic]": "'econ-bne+magic' names no variant of these params",
    }
    for content, message in cases.items():
        (project.folder / "bad.yaml").write_text(content)
        done = project.run("snakemake", "-n", "--config", "params=bad.yaml")
        profile, *fault = done.stderr.splitlines()
        assert done.returncode != 0
        assert profile.startswith("Using workflow specific profile")
        assert len(fault) == 1
        assert fault[0].startswith("econ: error: ")
        assert message in fault[0]


def test_a_simulated_team_plays_the_whole_pipeline(real_project: Project) -> None:
    """The real commands, from the problems that are shipped to the report; then once more, for nothing."""
    real_project.params(
        benchmarks=["svamp"],
        llm={"backend": "simulated"},
        data={"source": "shipped"},
        methods=["econ-bne", "econ-bne+no-strategy", "cot"],
        variants={"no-strategy": {"team": {"strategy": "none"}}},
    )
    real_project.snakemake()
    table = (real_project.folder / "results/tables/accuracy.md").read_text()
    assert "econ-bne (SIMULATED)" in table
    assert "SIMULATED" in (real_project.folder / "results/report/index.html").read_text()
    assert NOTHING in real_project.snakemake()
