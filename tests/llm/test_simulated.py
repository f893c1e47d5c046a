"""The simulated team speaks every benchmark's form of answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from econ.benchmarks import download, load
from econ.methods.econ.method import untrained
from econ.params import BENCHMARKS, Params
from econ.playing import play
from econ.records import Job
from econ.simulation.client import SimulatedClient


@pytest.mark.parametrize("coordination", ["single", "hierarchical"])
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_a_team_that_is_always_right_is_committed_to_and_graded_as_such(
    benchmark: str, coordination: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sure = {"ease": 1, "floor": 1, "difficulty": 0, "embedding_dim": 32}
    p = Params.model_validate(
        {
            "benchmarks": [benchmark],
            "data": {"source": "shipped", "train_problems": 3},
            "llm": {"backend": "simulated"},
            "simulated": sure,
            "team": {"coordination": coordination, "local_size": 2},
        }
    )
    download(benchmark, p)
    problems = load(benchmark, "train", p)
    method = untrained(p, 3, "econ-baseline", 0)
    job = Job(benchmark, "econ-baseline", 3, 0)
    for trace in asyncio.run(play(method, problems, SimulatedClient(p, problems), p, job)):
        assert trace.correct, trace.text
        assert trace.steps[-1]["AL"] == [1, 1, 1]
        assert trace.detail["reward_team"] > 0.9
