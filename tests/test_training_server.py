"""Training through an OpenAI-compatible server whose answers depend on the sampling that it receives."""

import asyncio
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from econ.llm import open_client
from econ.params import Params
from econ.records import stable_seed
from econ.simulation.client import problems
from econ.training import trainer as training
from tests.llm.fake_server import FakeServer

torch.set_num_threads(1)
PROBLEMS = problems(4)
# Where each model answers best, temperature and penalty: inside the ranges, and in two corners of them.
BEST = {"inside": (0.5, 1.38), "hot": (1.95, 1.02), "cold": (0.15, 1.05)}
MIDDLE = (1.05, 1.25)
SMALL = {
    "entity_dim": 32,
    "belief_dim": 32,
    "heads": 2,
    "mlp_hidden": 64,
    "key_query_dim": 16,
    "text_dim": 16,
}


def share_right(model: str, temperature: float, penalty: float) -> float:
    """The chance of a right answer: it falls off from the model's best."""
    t, p = (temperature - BEST[model][0]) / 1.9, (penalty - BEST[model][1]) / 0.5
    return 0.1 + 0.85 * math.exp(-(t * t + p * p) / (2 * 0.3**2))


def answer(body: dict[str, Any]) -> str:
    """Right or wrong by the model's chance; the coordinator takes the most frequent answer."""
    content = body["messages"][0]["content"]
    read = re.findall(r"^Answer \d+: .*?Final answer: (\S+)", content, re.MULTILINE)
    if "You coordinate" in content and not read:
        return "List the quantities, then compute."
    if read:
        common = max(read, key=read.count)
        return f'{{"final_answer": "{common}", "confidence": 0.5, "reasoning": "", "checklist": []}}'
    sampling = body["temperature"], body["repetition_penalty"]
    draw = stable_seed(body["model"], body["seed"], *sampling) / 2**31
    found = re.search(r"SIMULATED problem (\d+)", content)
    gold = 1000 + 37 * int(found.group(1)) if found else 0
    right = body["model"] in BEST and draw < share_right(body["model"], *sampling)
    return f"Final answer: {gold if right else int(1000 * draw)}"


def test_each_executors_actions_move_to_where_its_server_answers_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECON_HOME", str(tmp_path / "home"))
    with FakeServer(answer, keep_log=False) as server:
        llm = {"backend": "openai", "base_url": server.url, "coordinator": "fake", "executors": [*BEST]}
        train = {"episodes": 160, "gradient_steps": 8, "early_stopping": {"enabled": False}}
        params = {"n_agents": [3], "llm": llm, "network": SMALL, "train": train}
        first, last = asyncio.run(ends(Params.model_validate(params)))
    for agent, (model, best) in enumerate(BEST.items(), start=1):
        started = first[f"action/policy/T_{agent}"], first[f"action/policy/p_{agent}"]
        learned = last[f"action/policy/T_{agent}"], last[f"action/policy/p_{agent}"]
        assert started == pytest.approx(MIDDLE, abs=0.1)
        for at, goal, middle in zip(learned, best, MIDDLE, strict=True):
            assert abs(at - goal) < 0.6 * abs(middle - goal), (model, learned)
        assert share_right(model, *learned) > share_right(model, *MIDDLE) + 0.2
    assert last["reward/TS"] > first["reward/TS"] + 0.2


async def ends(params: Params) -> tuple[dict[str, float], dict[str, float]]:
    """The first and the last points of the training curve."""
    async with open_client(params) as client:
        await client.probe()
        trainer = await training.start(training.Run("svamp", 3, 0, params, PROBLEMS), client, None)
        await trainer.train()
    return trainer.history[0], trainer.history[-1]
