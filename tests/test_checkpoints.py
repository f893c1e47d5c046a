"""Training goes on from any state that it wrote to the very same end, whatever ended it."""

from __future__ import annotations

import asyncio
import math
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from econ.cli import group
from econ.equilibrium import checkpoint
from econ.equilibrium.replay import Experience
from econ.errors import EconError
from econ.methods.econ import scoring
from econ.methods.econ.method import from_checkpoint
from econ.params import Params
from econ.training import trainer as training
from tests.test_training import SMALL, Recorder, params, solve, train

ROOT = Path(__file__).parents[1]
PLAN = {"episodes": 20, "checkpoint_interval": 8}  # the last interval is a short one


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {
            "network": {**SMALL, "body": "transformer", "mixer": "attention"},
            "bne": {"max_iterations_train": 2},
            "train": {"max_rounds": 2, "optimizer": "adamw"},
        },
        {
            "reward": {"source": "random"},
            "bne": {"rule": "best_response"},
            "train": {
                "early_stopping": {
                    "commitment_change": 9, "reward": 0, "loss_change": 9, "warmup": 0, "patience": 2
                }
            },
        },
        {"reward": {"source": "shuffled"}},
    ],
    ids=["plain", "rounds, transformer, attention, adamw", "random rewards, best response, early stop",
         "shuffled rewards"],
)  # fmt: skip
def test_training_goes_on_from_each_state_to_the_same_end(
    sections: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = params(**{**sections, "train": {**PLAN, "keep_state": True, **sections.get("train", {})}})
    states = keep_every_state(tmp_path / "states", monkeypatch)
    whole = train(p, folder=tmp_path / "whole")
    found = sorted(states.iterdir())
    assert {"8", "16", str(whole.episodes)} == {file.stem for file in found}
    for file in found:
        resumed = train(p, folder=tmp_path / file.stem, resume=file)
        for name in ("last", "best", "state"):
            made = [tmp_path / folder / f"{name}.safetensors" for folder in ("whole", file.stem)]
            assert made[0].read_bytes() == made[1].read_bytes(), (file.name, name)
        assert (resumed.stop, resumed.history) == (whole.stop, whole.history)


def keep_every_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each state that a training writes over the one before, as ``folder``/EPISODES.safetensors."""
    write = checkpoint.save_learner

    def kept(path: Path, learner: Any, header: checkpoint.Header, extra: Any) -> None:
        write(path, learner, header, extra)
        write(folder / f"{header.episodes}.safetensors", learner, header, extra)

    monkeypatch.setattr(checkpoint, "save_learner", kept)
    return folder


def test_even_the_shortest_training_has_a_best_checkpoint_the_last_one(tmp_path: Path) -> None:
    train(params(train={"episodes": 1, "update_interval": 1}), folder=tmp_path)
    made = {file.stem: file.read_bytes() for file in tmp_path.glob("*.safetensors")}
    assert made.keys() == {"best", "last"}
    assert made["best"] == made["last"]


def test_what_is_played_from_holds_the_networks_alone(tmp_path: Path) -> None:
    p = params(train={**PLAN, "keep_state": True})
    trainer = train(p, folder=tmp_path)
    networks = {f"team.{name}" for name in trainer.learner.team.state_dict()}
    for name in ("best", "last"):
        header, tensors = checkpoint.read(tmp_path / f"{name}.safetensors")
        assert tensors.keys() == networks
        assert header.progress == {}
    best, _ = checkpoint.read(tmp_path / "best.safetensors")
    assert 0 < best.episodes <= trainer.episodes
    with pytest.raises(EconError, match=r"last.*is to play from.*train.keep_state"):
        train(p, resume=tmp_path / "last.safetensors")


def test_a_training_that_kept_its_state_can_be_made_longer(tmp_path: Path) -> None:
    train(params(train={**PLAN, "keep_state": True}), folder=tmp_path)
    longer = train(
        params(train={**PLAN, "episodes": 32}), folder=tmp_path, resume=tmp_path / "state.safetensors"
    )
    assert longer.episodes == 32
    assert not (tmp_path / "state.safetensors").exists()
    assert checkpoint.read(tmp_path / "last.safetensors")[0].episodes == 32


KILLED = """
import os, signal
from econ.equilibrium import checkpoint
from econ.cli import group

write, states = checkpoint.write_atomic, 0

def cut(path, chunks):
    global states
    states += path.stem == "state"
    def half():
        [data] = chunks
        yield data[: len(data) // 2]
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, half() if states == 2 else chunks)

checkpoint.write_atomic = cut
group(["train", "--benchmark", "svamp", "--n-agents", "3"])
"""


def test_a_training_killed_while_it_writes_its_state_goes_on_from_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(
        "llm: {backend: simulated}\ndata: {source: shipped}\n"
        "train: {episodes: 24, checkpoint_interval: 8, early_stopping: {enabled: false}}\n"
        f"network: {SMALL}\nsimulated: {{embedding_dim: 32}}\n"
    )
    job, folder = (
        ["train", "--benchmark", "svamp", "--n-agents", "3"],
        Path("results/checkpoints/svamp/n3-s0"),
    )

    def run(*words: str) -> Any:
        return CliRunner().invoke(group, words)

    assert run("download", "--benchmark", "svamp").exit_code == 0
    assert "to go on from" in str(run(*job, "--resume").exception)
    assert run(*job).exit_code == 0
    assert "has ended, and what it could go on from was not kept" in str(run(*job, "--resume").exception)
    folder.rename("whole")

    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert killed.returncode == -signal.SIGKILL
    left = [file.name for file in folder.iterdir() if file.is_file() and "safetensors" in file.name]
    assert "state.safetensors" in left
    assert any(name.startswith(".state.safetensors.") for name in left)  # half of the next
    assert run("verify").exit_code == 0

    assert run(*job, "--resume").exit_code == 0
    for name in ("best", "last"):
        made = [path / f"{name}.safetensors" for path in (folder, Path("whole"))]
        assert made[0].read_bytes() == made[1].read_bytes()
    assert not (folder / "state.safetensors").exists()
    assert not any(file.name.startswith(".") for file in folder.iterdir())
    assert "give one of them" in str(run(*job, "--resume", "--from", "whole/last.safetensors").exception)


def test_a_reward_that_is_not_a_number_costs_no_more_than_its_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p, right = params(train=PLAN), training.controlled
    train(p, folder=tmp_path / "whole")

    def ill(
        batch: list[Experience], params: Params, seed: int, episode: int, pool: scoring.Pool
    ) -> list[Experience]:
        *earned, last = right(batch, params, seed, episode, pool)
        return [*earned, replace(last, parts=last.parts * math.nan) if episode >= 8 else last]

    monkeypatch.setattr(training, "controlled", ill)
    with pytest.raises(EconError, match=r"episode 16, on simulated-\d: the reward is not finite"):
        train(p, folder=tmp_path / "ill")
    monkeypatch.undo()
    train(p, folder=tmp_path / "ill", resume=tmp_path / "ill" / "state.safetensors")
    ends = [(tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "ill")]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("field", ["parts", "outcome", "answers", "commitments", "problem", "strategy"])
def test_what_is_not_finite_leaves_no_trace_in_the_learner(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = train(params(), episodes=8)
    before = {name: p.clone() for name, p in trainer.learner.team.state_dict().items()}
    stored, right = list(trainer.learner.replay.episodes), training.controlled

    def ill(batch: list[Experience], *told: Any) -> list[Experience]:
        return [replace(e, **{field: getattr(e, field) * math.inf}) for e in right(batch, *told)]

    monkeypatch.setattr(training, "controlled", ill)
    with pytest.raises(EconError, match="is not finite"):
        asyncio.run(trainer.interval())
    assert trainer.episodes == 8
    assert len(trainer.history) == 1
    assert all(a is b for a, b in zip(trainer.learner.replay.episodes, stored, strict=True))
    assert all(torch.equal(p, before[name]) for name, p in trainer.learner.team.state_dict().items())


def test_an_action_that_is_not_finite_is_never_sent(tmp_path: Path) -> None:
    p, client = params(), Recorder(params())
    train(p, folder=tmp_path)
    method = from_checkpoint(tmp_path, p, 3, "econ-bne")
    assert method.team is not None
    method.team.executors.gru.from_input.weight.fill_(math.inf)
    with pytest.raises(EconError, match="the networks gave an action that is not finite"):
        solve(method, p, client)
    assert {r.role for r in client.requests} == {"coordinator"}


class Ill(Recorder):
    """Its embeddings are ``ill`` from the ``first`` request on."""

    def __init__(self, p: Params, first: int, ill: Callable[[list[float]], list[float]]) -> None:
        super().__init__(p)
        self.first, self.ill, self.asked = first, ill, 0

    async def embed(self, texts: list[str]) -> list[list[float]]:
        self.asked += 1
        vectors = await super().embed(texts)
        return vectors if self.asked < self.first else [self.ill(vector) for vector in vectors]


@pytest.mark.parametrize(
    ("ill", "told"),
    [
        (lambda vector: [*vector[:-1], math.nan], r"the embedding of 'SIMULATED .*' is not finite"),
        (lambda vector: vector[:-1], r"vectors of 31 numbers; the networks were made for 32"),
    ],
    ids=["not a number", "of another size"],
)
def test_embeddings_that_no_network_can_read_are_named(
    ill: Callable[[list[float]], list[float]], told: str, tmp_path: Path
) -> None:
    p = params(train={"keep_state": True})
    for first in (2, 3, 20):
        with pytest.raises(EconError, match=told):
            train(p, client=Ill(p, first, ill), folder=tmp_path / "none")
    train(p, folder=tmp_path)
    with pytest.raises(EconError, match=told):
        solve(from_checkpoint(tmp_path, p, 3, "econ-bne"), p, Ill(p, 1, ill))
    longer = params(train={"episodes": 24})
    with pytest.raises(EconError, match=told):
        train(longer, client=Ill(p, 1, ill), resume=tmp_path / "state.safetensors")


@pytest.mark.parametrize("reward", [math.nan, math.inf, -0.5, 1.5])
def test_a_grader_that_gives_no_share_is_named(reward: float, monkeypatch: pytest.MonkeyPatch) -> None:
    grade = scoring.grading.grade
    monkeypatch.setattr(scoring.grading, "grade", lambda *told: replace(grade(*told), reward=reward))
    with pytest.raises(EconError, match=r"the grader of svamp gave simulated-\d a reward of"):
        train(params(), episodes=8)


def test_networks_of_other_sizes_than_a_checkpoint_says_are_refused(tmp_path: Path) -> None:
    trainer = train(params(), folder=tmp_path)
    file, lying = tmp_path / "last.safetensors", tmp_path / "lying.safetensors"
    header, _ = checkpoint.read(file)
    other = params(network={**SMALL, "belief_dim": 8})
    said = replace(header, params=other.model_dump(mode="json"), progress={"stop": None})
    checkpoint.save_learner(lying, trainer.learner, said, {})
    for load in (checkpoint.load_team, lambda path: checkpoint.load_learner(path, other)):
        with pytest.raises(EconError, match=r"lying.*networks of other sizes: size mismatch for executors"):
            load(lying)
