"""Training from a bank, an interval of episodes at once: the very bytes of training call by call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from econ.bank.recorded import Recorded
from econ.equilibrium.actions import Explorer
from econ.llm import open_client
from econ.methods.econ.asking import ByCall
from econ.params import Params
from econ.records import stable_seed
from econ.training.trainer import Run, Trainer, start
from tests.bank.test_build import PROBLEMS, answer, build, params_for
from tests.bank.test_client import ACTION, played_from_bank
from tests.llm.fake_server import FakeServer
from tests.test_training import SMALL

TRAIN: dict[str, Any] = {"episodes": 40, "early_stopping": {"enabled": False}}


@pytest.fixture
async def params(vectors: None) -> Params:
    """A bank of three problems, 6 cells and 4 samples, and params to play from it."""
    with FakeServer(answer) as server:
        own = params_for(server, samples=4)
        await build(own)
    return played_from_bank(own, train=TRAIN, network=SMALL)


async def trained(
    params: Params, folder: Path | None = None, change: Callable[[Trainer], None] = lambda trainer: None
) -> Trainer:
    async with open_client(params) as client:
        trainer = await start(Run("svamp", 3, 0, params, PROBLEMS), client, folder)
        change(trainer)
        await trainer.train()
    return trainer


def one_by_one(trainer: Trainer) -> None:
    assert isinstance(trainer.answering, Recorded)
    trainer.answering = ByCall(trainer.answering.size)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bne": {"max_iterations_train": 0}},
        {"bne": {"max_iterations_train": 3, "convergence_threshold": 0.0, "same_commitment": 1.0}},
        {"bne": {"rule": "best_response", "max_iterations_train": 2, "convergence_threshold": 0.0}},
        {"bne": {"information": "own"}, "bank": {"between": "nearest"}},
        {"train": {**TRAIN, "max_rounds": 2, "update_interval": 5}},
        {"network": {**SMALL, "body": "transformer", "blocks": 1, "feed_forward": 16}},
    ],
)
async def test_it_is_the_training_call_by_call_to_the_byte(
    params: Params, tmp_path: Path, changes: dict[str, Any]
) -> None:
    whole = params.model_dump()
    for section, values in changes.items():
        whole[section] |= values
    own = Params.model_validate(whole)
    at_once = await trained(own, tmp_path / "a")
    called = await trained(own, tmp_path / "b", one_by_one)
    assert at_once.history == called.history
    for name in ("best", "last"):
        first, again = ((tmp_path / which / f"{name}.safetensors").read_bytes() for which in "ab")
        assert first == again


async def test_on_grid_actions_it_is_live_training_with_the_same_answers(
    vectors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers by temperature alone, so a live answer is the recorded one of its cell."""

    def on_grid(self: Explorer, logits: Tensor, round: int) -> Tensor:
        generator = torch.Generator().manual_seed(stable_seed(self.seed, self.episode, round))
        t, p = (torch.randint(0, values, (3,), generator=generator) for values in (3, 2))
        return torch.stack([t / 2, p.float()], dim=1)

    monkeypatch.setattr(Explorer, "first", on_grid)
    changes: dict[str, Any] = {"train": TRAIN, "network": SMALL, "bne": {"max_iterations_train": 0}}
    with FakeServer(answer) as server:
        own = params_for(server, samples=4)
        await build(own)
        live_params = own.model_dump() | {"action": own.action.model_dump() | ACTION}
        for section, values in {**changes, "team": {"commitment": "vote"}}.items():
            live_params[section] |= values
        live = await trained(Params.model_validate(live_params))
        recorded = await trained(played_from_bank(own, **changes))
    assert recorded.history == live.history
    for ours, theirs in zip(recorded.learner.replay.episodes, live.learner.replay.episodes, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(vars(ours).values(), vars(theirs).values(), strict=True))
    states = (trainer.learner.team.state_dict() for trainer in (recorded, live))
    assert all(torch.equal(a, b) for a, b in zip(*(state.values() for state in states), strict=True))
    assert len({sent for row in recorded.history for sent in [row["action/sent/T_1"]]}) > 3


@pytest.mark.parametrize(
    "changes",
    [{"team": {"show_commitment": True}}, {"team": {"belief": "text"}}, {"bank": {"samples": 2}}],
)
async def test_what_is_not_in_the_bank_alone_is_played_call_by_call(
    params: Params, changes: dict[str, Any]
) -> None:
    own = played_from_bank(params, **changes)
    async with open_client(own) as client:
        trainer = await start(Run("svamp", 3, 0, own, PROBLEMS), client, None)
    assert isinstance(trainer.answering, ByCall)
