"""The coordinator's recorded commitments in a certificate. SIMULATED: a model that goes by the majority."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from econ import paths
from econ.bank import calls
from econ.bank.calls import Answer
from tests.certify.test_commands import JOB, PARAMS, econ, made, project, vectors, written

__all__ = ["made", "project", "vectors"]
MODEL = "smollm2-135m-instruct"
SAY = ["bank", "commitments", *JOB, "--split", "test"]
CERTIFY = ["equilibrium", *JOB, "--constant", "--policy", "untrained", "--out", "own.json"]


def cached() -> list[str]:
    team = {"commitment": "cached"}
    Path("cached.yaml").write_text(yaml.safe_dump({**PARAMS, "llm": {"backend": "bank"}, "team": team}))
    return [*CERTIFY, "--params", "cached.yaml"]


def test_commitments_by_the_majority_are_the_vote(project: Path) -> None:
    result = econ(*SAY)
    assert result.exit_code == 0, result.exception
    assert econ(*CERTIFY).exit_code == 0
    by_vote = written("own.json")
    assert by_vote["coordinator"] == "vote"
    ways = by_vote["coordinators"]
    assert ways["cached"] == pytest.approx(ways["vote"])
    result = econ(*cached())
    assert result.exit_code == 0, result.exception
    by_model = written("own.json")
    assert by_model["coordinator"] == "cached"
    for name, one in by_model["payoffs"].items():
        assert one["value"] == pytest.approx(by_vote["payoffs"][name]["value"])
        assert one["by_agent"] == pytest.approx(by_vote["payoffs"][name]["by_agent"])


def test_a_model_that_always_says_what_nobody_said_is_never_right(project: Path) -> None:
    assert econ(*SAY).exit_code == 0
    path = paths.recorded_commitments("svamp", MODEL)
    card, answers = calls.read(path)
    other = '{"final_answer": -77, "confidence": 1, "reasoning": "", "checklist": []}'
    calls.write(path, card, {key: Answer(other, 1, 1, "stop") for key in answers})
    result = econ(*cached())
    assert result.exit_code == 0, result.exception
    found = written("own.json")
    assert found["payoffs"]["accuracy"]["value"] == 0
    assert found["coordinators"]["cached"]["value"] == 0
    assert found["coordinators"]["vote"]["value"] > 0.2


def test_commitments_that_are_lacking_are_said(project: Path) -> None:
    words = cached()
    assert "recorded commitments on svamp (test): none - econ bank commitments" in str(econ(*words).exception)
    assert econ(*SAY, "--most", "2").exit_code == 0
    assert "lacking - econ bank commitments --benchmark svamp" in str(econ(*words).exception)
    assert econ(*CERTIFY).exit_code == 0
    ways = written("own.json")["coordinators"]
    assert "cached" not in ways
    assert ways["surrogate"]["value"] == pytest.approx(ways["vote"]["value"], abs=0.02)  # it learned to vote
    estimate = econ(*SAY, "--estimate")
    assert "tuples of 24 problems" in estimate.output + estimate.stderr
