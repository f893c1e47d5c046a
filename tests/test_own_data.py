"""Sets of one's own through every command, by params alone: a local JSONL and a set in the hub's form."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import CliRunner

from econ.cli import aggregate, debate, download, evaluate, train
from econ.grading import grade_text
from econ.records import Trace

SETTING: dict[str, Any] = {
    "benchmarks": ["sums", "facts"],
    "n_agents": [3],
    "methods": ["econ-baseline", "econ-bne", "debate"],
    "llm": {"backend": "simulated"},
    "simulated": {"embedding_dim": 16},
    "network": {
        "entity_dim": 16, "belief_dim": 8, "heads": 2, "mlp_hidden": 16, "key_query_dim": 8, "text_dim": 8,
    },
    "train": {"episodes": 8, "early_stopping": {"enabled": False}},
    "data": {
        "train_problems": 4,
        "test_problems": 5,
        "custom": {
            "sums": {  # one file, other field names, cut in two by data.train_share
                "kind": "number", "test": "own/sums.jsonl", "question": "q", "answer": "a", "id": "name",
                "max_question_length": 30, "max_answer_length": 9, "licence": "CC0",
            },
            "facts": {  # as a hub set: two splits, a revision
                "kind": "yesno", "hub": "./own/facts", "revision": "main", "train": "train",
                "test": "validation", "question": "question", "answer": "answer",
            },
        },
    },
}  # fmt: skip


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    sums = [{"q": f"What is {i} plus {i}?", "a": f"#### {2 * i}", "name": f"s{i}"} for i in range(20)]
    sums += [{"q": f"What is {'0 plus ' * 9}0?", "a": "0", "name": "long"}]
    sums += [{"q": "What is 1 times 1?", "a": "#### 1,000,000", "name": "wordy"}]
    write("own/sums.jsonl", sums)
    for split, first in (("train", 0), ("validation", 10)):
        rows = [{"question": f"Is {i} even?", "answer": i % 2 == 0} for i in range(first, first + 10)]
        write(f"own/facts/{split}.jsonl", rows)
    shutil.copytree(Path(__file__).parents[1] / "data" / "paper", "data/paper")
    Path("params.yaml").write_text(yaml.safe_dump(SETTING), encoding="utf-8")
    return tmp_path


def run(command: Any, *words: str) -> str:
    return CliRunner().invoke(command, list(words), catch_exceptions=False).output


def traces(benchmark: str, method: str) -> list[Trace]:
    lines = Path(f"results/traces/{benchmark}/{method}-n3-s0.jsonl").read_bytes().splitlines()
    return [Trace.from_json(orjson.loads(line)) for line in lines]


def test_from_the_files_to_the_tables(project: Path) -> None:
    said = run(download.command)
    assert "sums: train 5, test 15 problems from files (CC0)" in said
    assert "1 left out: question longer than max_question_length" in said
    assert "1 left out: answer longer than max_answer_length" in said
    assert "facts: train 10, test 10 problems from hub" in said
    assert "graded wrong" not in said
    for benchmark in ("sums", "facts"):
        job = ("--benchmark", benchmark, "--n-agents", "3")
        run(train.command, *job)
        for method in ("econ-baseline", "econ-bne"):
            run(evaluate.command, *job, "--method", method)
        run(debate.command, *job)
        for method in ("econ-baseline", "econ-bne", "debate"):
            found = traces(benchmark, method)
            assert len(found) == 5
            for trace in found:
                assert trace.simulated
                assert trace.calls
                kind = {"sums": "number", "facts": "yesno"}[benchmark]
                assert trace.correct is (grade_text(kind, trace.gold or "", trace.text).flexible is True)
    run(aggregate.command)
    with Path("results/tables/accuracy.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["benchmark"], row["method"]) for row in rows} == {
        (b, m) for b in ("sums", "facts") for m in ("econ-baseline", "econ-bne", "debate")
    }
    assert all(row["n"] == "5" for row in rows)
    with Path("results/tables/problems.csv").open(encoding="utf-8") as file:
        sources = {row["benchmark"]: row["source"] for row in csv.DictReader(file)}
    assert sources == {"sums": "files", "facts": "hub"}
