"""econ equilibrium and econ regret, on a bank of the simulated team. SIMULATED."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import yaml
from click.testing import CliRunner, Result

from econ.certify.policies import FIXED
from econ.certify.recorded import sources
from econ.cli import group
from econ.llm.embedding import client as embedding
from econ.records import Problem
from tests.test_training import SMALL

PARAMS: dict[str, Any] = {
    "benchmarks": ["svamp"],
    "n_agents": [3],
    "data": {"train_problems": 12, "test_problems": 24},
    "llm": {"backend": "simulated"},
    "action": {"temperature": {"low": 0.1, "high": 1.3}, "repetition_penalty": {"low": 1.0, "high": 1.2}},
    "bank": {"temperature": [0.1, 0.7, 1.3], "second": [1.0, 1.2], "samples": 5},
    "train": {"episodes": 8, "gradient_steps": 1, "update_interval": 4},
    "network": SMALL,
    "simulated": {"embedding_dim": 32},
    "team": {"commitment": "vote"},
}
JOB = ["--benchmark", "svamp", "--n-agents", "3"]


def econ(*words: str) -> Result:
    return CliRunner().invoke(group, words)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with problems, banks of both splits and a checkpoint."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
        for words in (["download"], ["bank", "build"], ["train", "--n-agents", "3"]):
            result = econ(*words, "--benchmark", "svamp")
            assert result.exit_code == 0, (words, result.output, result.exception)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "own", symlinks=True)
    monkeypatch.chdir(tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture(autouse=True)
def vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """No embedding server is needed: a text's vector is made of its length, as long as the simulated ones."""

    async def ask(self: object, texts: list[str]) -> dict[str, list[str]]:
        rows = [np.array([1.0, len(text) / 1000, *[0.0] * 30], np.float32) for text in texts]
        return {"vectors": [base64.b64encode(row.tobytes()).decode() for row in rows]}

    monkeypatch.setattr(embedding.Embedder, "_ask", ask)


def written(path: str = "results/equilibrium/svamp/n3-s0.json") -> dict[str, Any]:
    return orjson.loads(Path(path).read_bytes())


def test_a_trained_policy_is_certified(project: Path) -> None:
    result = econ("equilibrium", *JOB)
    assert result.exit_code == 0, result.exception
    assert result.output.startswith("SIMULATED RECORDED: svamp (test), 3 agents, policy trained")
    found = written()
    assert (found["policy"], found["coordinator"], found["problems"], found["samples"]) == (
        "trained", "vote", 24, 5,
    )  # fmt: skip
    assert "smollm2" in found["recorded"]
    for payoffs, deviations in ((found["payoffs"], "D0"), (found["wider"], "D1")):
        assert set(payoffs) == {"own", "team", "accuracy"}
        for one in payoffs.values():
            assert one["deviations"] == deviations
            assert 0 <= one["lower"] <= one["epsilon"] <= one["upper"]
            assert one["naive"] >= one["epsilon"] == max(one["by_agent"])
            assert one["nash_conv"] == pytest.approx(sum(one["by_agent"]))
            assert len(one["by_agent"]) == 3
    welfare = found["welfare"]
    assert set(welfare) == {
        "trained", "untrained", "fixed", "best_uniform", "best_joint", "best_rule", "ceiling",
    }  # fmt: skip
    assert all(row["low"] <= row["value"] <= row["high"] for row in welfare.values())
    assert welfare["trained"]["value"] == pytest.approx(found["payoffs"]["accuracy"]["value"], abs=0.02)
    assert welfare["fixed"]["action"] == [[FIXED["temperature"], FIXED["repetition_penalty"]]] * 3
    assert {"vote", "oracle", "answer", "weighted_vote", "ever"} == set(found["coordinators"])


def test_any_policy_can_be_given(project: Path) -> None:
    for policy, action in (
        ("uniform", None),
        ("untrained", [0.7, 1.1]),
        ("[[0.1,1],[0.4,1.1],[1.3,1.2]]", 0),
    ):
        result = econ("equilibrium", *JOB, "--policy", policy, "--constant", "--out", "own.json")
        assert result.exit_code == 0, result.exception
        found = written("own.json")
        if isinstance(action, list):
            assert np.array(found["actions"]) == pytest.approx(np.array([action] * 3))
        if policy == "uniform":
            assert len({tuple(a) for a in found["actions"]}) == 1
            assert found["chosen_on"] == "train"
        assert found["wider"] == {}
    assert np.array(found["actions"]) == pytest.approx(np.array([[0.1, 1], [0.4, 1.1], [1.3, 1.2]]))
    assert not Path("results/equilibrium").exists()


def changed(**sections: dict[str, Any]) -> None:
    whole = {name: dict(part) if isinstance(part, dict) else part for name, part in PARAMS.items()}
    for name, values in sections.items():
        whole[name] = {**whole.get(name, {}), **values}
    Path("params.yaml").write_text(yaml.safe_dump(whole))


def of_another_model() -> None:
    bank = next(Path("results/bank/svamp").glob("test--*"))
    bank.rename(str(bank).replace("smollm2-135m-instruct", "other"))
    changed(llm={"executors": ["other"]})


@pytest.mark.parametrize(
    ("spoil", "words", "told"),
    [
        (of_another_model, JOB, "is a bank of smollm2-135m-instruct, and the params' executor is other"),
        (lambda: None, [*JOB[:3], "5"], "has 5 samples a cell, too few for 5 agents of one model"),
        (
            lambda: None,
            [*JOB, "--policy", "[[1.9,1],[1,1],[1,1]]"],
            "temperature 1.9 lies off the bank's grid",
        ),
        (lambda: None, [*JOB, "--policy", "[[1,1]]"], "neither a policy nor 3 actions"),
        (lambda: None, [*JOB, "--policy", "best"], "neither a policy nor 3 actions"),
        (lambda: None, [*JOB[:3], "4"], "no checkpoint at results/checkpoints/svamp/n4-s0"),
        (
            lambda: shutil.move("results/checkpoints/svamp/n3-s0", "results/checkpoints/svamp/n4-s0"),
            [*JOB[:3], "4"],
            "was trained for another team: n_agents (3, now 4)",
        ),
        (lambda: changed(action={"temperature": {"low": 0.1, "high": 2.0}}), JOB, "trained for another team"),
        (lambda: shutil.rmtree("results/bank"), JOB, "there is no bank at results/bank/svamp/test--"),
        (lambda: changed(action={"second": "top_p"}), JOB, "holds answers by repetition_penalty"),
    ],
)
def test_bad_input_is_one_line(project: Path, spoil: Callable[[], Any], words: list[str], told: str) -> None:
    spoil()
    result = econ("equilibrium", *words)
    assert result.exit_code != 0
    line = str(result.exception)
    assert told in line
    assert "\n" not in line
    assert not Path("results/equilibrium").exists()


def test_regret_is_measured_over_horizons(project: Path) -> None:
    result = econ("regret", *JOB, "--seeds", "2", "--horizons", "4,8")
    assert result.exit_code == 0, result.exception
    assert result.output.startswith("SIMULATED RECORDED: svamp (train), 3 agents, 12 problems, 2 seeds")
    found = written("results/regret/svamp/n3.json")
    assert found["horizons"] == [4, 8]
    assert found["of"] == "econ, policy"
    assert {"mean", "slope", "low", "high", "verdict"} <= set(found)
    assert set(found["learners"]) == {
        "econ, as played", "econ, policy", "econ, as played, against the best rule",
        "econ, policy, against the best rule", "ucb", "exp3", "independent",
    }  # fmt: skip
    again = econ("regret", *JOB, "--seeds", "2", "--horizons", "4,8", "--out", "again.json")
    assert again.exit_code == 0
    assert written("again.json") == found
    assert econ("regret", *JOB, "--horizons", "8,4").exit_code == 2


def test_questions_that_differ_in_numbers_alone_are_one_source() -> None:
    texts = ["Tom has 3 apples.", "Tom  has 1,200.5 apples.", "Ann has 3 apples."]
    problems = [Problem(str(i), "svamp", text, "1") for i, text in enumerate(texts)]
    assert sources(problems).tolist() == [0, 0, 1]
