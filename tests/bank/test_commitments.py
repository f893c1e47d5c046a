"""The coordinator's commitments, recorded once per tuple of answers that differ, and played from."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from econ import paths
from econ.bank import calls, commitments, store
from econ.bank.commitments import representatives, tuples
from econ.errors import EconError
from econ.llm import open_client
from econ.methods.econ.asking import ByCall
from econ.params import Params
from econ.progress import Progress
from econ.training.trainer import Run, Trainer, start
from tests.bank.test_build import PROBLEMS, answer, build, params_for
from tests.bank.test_client import played_from_bank
from tests.bank.test_vectorised import TRAIN
from tests.llm.fake_server import Body, FakeServer
from tests.test_training import SMALL


def coordinated(body: Body) -> str:
    """A coordinator that takes the last answer that it is shown: no vote would."""
    text = body["messages"][-1]["content"]
    given = re.findall(r"^Answer \d+: Final answer: (\S+)", text, re.MULTILINE)
    if not given:
        return answer(body)
    told = {"final_answer": float(given[-1]), "confidence": 0.5, "reasoning": "The last.", "checklist": []}
    return orjson.dumps(told).decode()


async def recorded(own: Params, most: int = 64) -> int:
    bank = store.read(paths.bank("svamp", "test", "fake"))
    async with open_client(own) as client:
        with Progress(1, "commitments", client, "bank") as progress:
            return await commitments.record(bank, PROBLEMS, 3, most, client, own, progress)


@pytest.fixture
async def params(vectors: None) -> Params:
    with FakeServer(coordinated) as server:
        own = params_for(server, samples=4)
        await build(own)
        assert await recorded(own) == 3 * 2**3  # two classes of answers to each problem
        asked = len(server.log)
        assert await recorded(own) == 3 * 2**3
        assert len(server.log) == asked  # once
    return played_from_bank(own, team={"commitment": "cached"}, train=TRAIN, network=SMALL)


async def train(params: Params, folder: Path, *, at_once: bool) -> Trainer:
    async with open_client(params) as client:
        trainer = await start(Run("svamp", 3, 0, params, PROBLEMS), client, folder)
        if not at_once:
            trainer.answering = ByCall(trainer.learner.team.embedding_dim)
        seen: list[tuple[str | None, str]] = []
        trainer.watch = lambda episode: seen.extend(
            (r.answers[-1], r.commitment.text) for r in episode.rounds
        )
        await trainer.train()
    assert len(seen) >= 40
    assert all(last is not None and last.split(": ")[1] == said.split(": ")[1] for last, said in seen)
    return trainer


async def test_training_by_recorded_commitments_is_the_same_at_once_and_call_by_call(
    params: Params, tmp_path: Path
) -> None:
    await train(params, tmp_path / "a", at_once=True)
    await train(params, tmp_path / "b", at_once=False)
    first, again = ((tmp_path / which / "last.safetensors").read_bytes() for which in "ab")
    assert first == again


async def test_a_tuple_that_was_not_recorded_is_an_error_that_names_it(
    params: Params, tmp_path: Path
) -> None:
    path = paths.recorded_commitments("svamp", "fake")
    card, answers = calls.read(path)
    calls.write(path, card, dict(list(answers.items())[:3]))
    with pytest.raises(EconError, match="hold no answer of the coordinator"):
        await train(params, tmp_path, at_once=True)


def test_cached_is_played_from_a_bank_alone() -> None:
    with pytest.raises(ValueError, match=r"cached is played from a bank: set llm\.backend: bank"):
        Params.model_validate({"team": {"commitment": "cached"}})


async def test_tuples_are_the_likeliest_and_no_more_alike_than_there_are_answers(params: Params) -> None:
    bank = store.read(paths.bank("svamp", "test", "fake"))
    right, wrong = representatives(bank)["p0"].values()
    assert {right, wrong} == {"Final answer: 1.0", "Final answer: 0.0"}
    assert tuples(bank, "p0", 3, 1) == [(wrong,) * 3]  # two of three temperatures are too high
    assert len(tuples(bank, "p0", 3)) == 8
    few = type(bank)(bank.card, [*[row for row in bank.rows if row.correct][:2], bank.rows[-1]])
    assert (right,) * 3 not in tuples(few, "p0", 3)
