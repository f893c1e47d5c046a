"""A server that obeys one dimension of the action only: refused, unless the other is held; results say so."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import CliRunner

from econ.cli import group
from econ.errors import EconError
from econ.registry import FIGURES, Registry
from econ.reporting.page.build import Picture
from tests.llm.conftest import params_for
from tests.llm.fake_server import Body, FakeServer

REPOSITORY = Path(__file__).parents[2]
JOB = ("--benchmark", "svamp", "--n-agents", "3")
REMARK = "repetition_penalty fixed at 1"


def deaf(body: Body) -> str:
    """Obeys the temperature and drops the penalty."""
    draw = random.Random(repr([body["messages"], body["seed"], body["temperature"]]))
    return f"Thought {draw.random()}. Final answer: {draw.randrange(9)}"


def run(*words: str) -> None:
    done = CliRunner().invoke(group, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output


def settle(server: FakeServer, **action: Any) -> None:
    llm = params_for(server.url, dialect="vllm").model_dump(mode="json")["llm"]
    settings = {
        "benchmarks": ["svamp"], "n_agents": [3], "methods": ["econ-baseline", "econ-bne", "cot"], "llm": llm,
        "data": {"source": "shipped", "train_problems": 2, "test_problems": 3},
        "train": {"episodes": 2}, "bne": {"max_iterations_infer": 1}, "action": action,
    }  # fmt: skip
    Path("params.yaml").write_text(yaml.safe_dump(settings))


def play() -> None:
    run("download")
    run("train", *JOB)
    for method in ("econ-baseline", "econ-bne"):
        run("evaluate", *JOB, "--method", method)
    run("debate", *JOB, "--method", "cot")


def test_it_is_refused_and_once_it_is_held_every_result_says_so(
    project: Path, vectors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(REPOSITORY / "data/paper", "data/paper")
    one = Registry("figure", "econ.figures", {"accuracy": FIGURES.built_in["accuracy"]})  # enough, and quick
    monkeypatch.setattr("econ.reporting.catalogue.FIGURES", one)
    monkeypatch.setattr("econ.reporting.page.build._picture", lambda name, _: Picture(name, name, "", 1))
    with FakeServer(deaf) as server:
        settle(server)
        run("download")
        with pytest.raises(
            EconError, match=r"ignores repetition_penalty.*action\.fixed: {repetition_penalty: 1"
        ):
            run("train", *JOB)
        assert not Path("results").exists()

        settle(server, fixed={"repetition_penalty": 1.0})
        server.log.clear()
        play()
        assert {seen.body["repetition_penalty"] for seen in server.log} == {1.0}
    for method in ("econ-baseline", "econ-bne"):
        metrics = orjson.loads(Path(f"results/metrics/svamp/{method}-n3-s0.json").read_bytes())
        assert metrics["fixed"] == {"repetition_penalty": 1.0}
    assert orjson.loads(Path("results/metrics/svamp/cot-n3-s0.json").read_bytes())["fixed"] == {}

    for command in ("aggregate", "figures", "report"):
        run(command)
    tables = [path for path in Path("results/tables").glob("*.md") if "econ-bne" in path.read_text()]
    assert len(tables) > 5
    assert [path for path in tables if REMARK not in path.read_text()] == []
    texts = re.findall(
        "<!-- (.*?) -->", Path("results/figures/accuracy.svg").read_text()
    )  # beside their outlines
    assert REMARK in " ".join(texts)
    assert REMARK in Path("results/report/index.html").read_text()
