"""Training through an OpenAI-compatible server whose answers depend on the sampling that it receives."""

import asyncio
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from econ import training
from econ.llm import open_client
from econ.llm.simulated import problems
from econ.params import Params
from econ.records import stable_seed
from tests.llm.fake_server import FakeServer

torch.set_num_threads(1)
PROBLEMS = problems(4)
BEST = {"temperature": 0.4, "repetition_penalty": 1.4}  # away from the middle (1.05, 1.25), one each way
SMALL = {
    "entity_dim": 32,
    "belief_dim": 32,
    "heads": 2,
    "mlp_hidden": 64,
    "key_query_dim": 16,
    "text_dim": 16,
}


def answer(body: dict[str, Any]) -> str:
    """Right with a chance that falls off from BEST; the coordinator takes the most frequent answer."""
    content = body["messages"][0]["content"]
    read = re.findall(r"^Answer \d+: .*?Final answer: (\S+)", content, re.MULTILINE)
    if "You coordinate" in content and not read:
        return "List the quantities, then compute."
    if read:
        common = max(read, key=read.count)
        return f'{{"final_answer": "{common}", "confidence": 0.5, "reasoning": "", "checklist": []}}'
    t = (body["temperature"] - BEST["temperature"]) / 1.9
    p = (body["repetition_penalty"] - BEST["repetition_penalty"]) / 0.5
    chance = 0.95 * math.exp(-(t * t + p * p) / (2 * 0.25**2))
    draw = stable_seed(body["seed"], body["temperature"], body["repetition_penalty"]) / 2**31
    found = re.search(r"SIMULATED problem (\d+)", content)
    gold = 1000 + 37 * int(found.group(1)) if found else 0
    return f"Final answer: {gold if draw < chance else int(1000 * draw)}"


def test_the_learned_actions_move_to_where_the_server_answers_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECON_HOME", str(tmp_path / "home"))
    with FakeServer(answer, keep_log=False) as server:
        params = Params.model_validate(
            {
                "llm": {
                    "backend": "openai",
                    "base_url": server.url,
                    "coordinator": "fake",
                    "executors": ["fake"],
                },
                "network": SMALL,
                "train": {"episodes": 160, "gradient_steps": 6, "early_stopping": {"enabled": False}},
            }
        )
        first, last = asyncio.run(ends(params))
    for agent in (1, 2, 3):
        assert first[f"action/policy/T_{agent}"] == pytest.approx(1.05, abs=0.1)
    temperature = sum(last[f"action/policy/T_{i}"] for i in (1, 2, 3)) / 3
    penalty = sum(last[f"action/policy/p_{i}"] for i in (1, 2, 3)) / 3
    assert abs(temperature - 0.4) < 0.5 * (1.05 - 0.4)
    assert abs(penalty - 1.4) < 0.5 * (1.4 - 1.25)
    assert last["reward/TS"] > first["reward/TS"] + 0.2


async def ends(params: Params) -> tuple[dict[str, float], dict[str, float]]:
    """The first and the last points of the training curve."""
    async with open_client(params) as client:
        await client.probe()
        trainer = await training.start(training.Run("svamp", 3, 0, params, PROBLEMS), client, None)
        await trainer.train()
    return trainer.history[0], trainer.history[-1]
