"""Every shape of a team trains and plays: sizes, mixed models, local coordinators, decisions, ablations."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from econ.methods.econ.method import EconMethod, untrained
from econ.playing import play
from econ.records import Call, Job
from econ.training import trainer as training
from tests.test_training import PROBLEMS, SMALL, Recorder, params, solve, train


def still(trainer: training.Trainer) -> set[str]:
    """The parameters that are as they were before training."""
    begun = asyncio.run(training.start(trainer.run, trainer.client, None)).learner.team
    pairs = zip(begun.named_parameters(), trainer.learner.team.parameters(), strict=True)
    return {name for (name, before), after in pairs if torch.equal(before, after)}


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_any_number_of_executors_learns_and_plays(n: int) -> None:
    p = params()
    client = Recorder(p)
    trainer = train(p, n, client=client)
    lone = {"mixer.key.weight"} if n == 1 else set()  # one executor has all the mixer's attention anyway
    assert still(trainer) == lone
    assert all(np.isfinite(list(row.values())).all() for row in trainer.history)
    solution = solve(EconMethod("econ-bne", trainer.learner.team, p), p, client, n)
    assert {len(step["actions"]) for step in solution.steps} == {n}
    assert len({tuple(action) for action in solution.steps[0]["actions"]}) == n  # each its own


@pytest.mark.parametrize(
    "sections",
    [
        {"network": {**SMALL, "belief_encoder": False}},
        {"network": {**SMALL, "concatenate": False}},
        {"network": {**SMALL, "mixer": "attention"}},
        {"network": {**SMALL, "body": "transformer", "blocks": 1}},
        {"team": {"information": "complete"}, "train": {"max_rounds": 2}},
        {"team": {"strategy": "none", "belief": "text", "show_commitment": True}},
        {"reward": {"components": ["AL"]}},
        {"reward": {"source": "random", "learn_alpha": False}},
    ],
    ids=["no belief encoder", "no concatenation", "attention mixer", "transformer", "complete information",
         "no strategy", "AL alone", "random rewards, fixed alpha"],
)  # fmt: skip
def test_every_parameter_learns_in_every_ablation(sections: dict[str, Any]) -> None:
    trainer = train(params(**sections))
    assert still(trainer) == set()
    alpha = trainer.learner.alpha
    on = [name in trainer.params.reward.components for name in ("AL", "TS", "CC")]
    assert (alpha > 0).tolist() == on
    if not trainer.params.reward.learn_alpha:
        assert alpha.tolist() == pytest.approx(trainer.params.reward.alpha)


def test_each_executor_of_a_mixed_team_is_asked_at_its_own_model() -> None:
    models = ["a", "b", "c"]
    p = params(n_agents=[3], llm={"backend": "simulated", "coordinator": "chair", "executors": models})
    client = Recorder(p)
    trainer = train(p, client=client, episodes=8)
    solve(EconMethod("econ-bne", trainer.learner.team, p), p, client)
    asked = {(r.role, r.agent): r.model for r in client.requests}
    assert asked == {("coordinator", 0): "chair", **{("executor", i): m for i, m in enumerate(models)}}
    assert len({(r.role, r.agent, r.model) for r in client.requests}) == 4


def test_nine_executors_train_under_three_local_coordinators() -> None:
    p = params(team={"coordination": "hierarchical"}, bne={"max_iterations_train": 0})
    client = Recorder(p)
    trainer = train(p, 9, client=client, episodes=8)
    read = [
        (r.agent, r.messages[0]["content"].count("\nAnswer "))
        for r in client.requests
        if r.role == "coordinator" and r.schema is not None
    ]
    assert sorted(set(read)) == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert len(read) == 4 * trainer.episodes


@pytest.mark.parametrize("decisions", [2, 3])
def test_an_episode_of_several_decisions_is_played_and_recorded(decisions: int) -> None:
    p = params(train={"max_rounds": decisions, "gamma": 0.9}, bne={"same_commitment": 1})
    client = Recorder(p)
    team = train(p).learner.team
    job = Job("svamp", "econ-bne", 3, 0)
    [trace] = asyncio.run(play(EconMethod("econ-bne", team, p), PROBLEMS[:1], client, p, job))
    assert sorted({step["decision"] for step in trace.steps}) == list(range(decisions))
    assert trace.rounds == len(trace.steps) >= decisions
    assert len(trace.detail["stops"]) == decisions
    assert trace.detail["stops"][-1] == trace.stop
    firsts = [
        next(step["actions"] for step in trace.steps if step["decision"] == decision)
        for decision in range(decisions)
    ]
    assert firsts[0] != firsts[1]  # the second decision knows what came of the first


def test_training_and_play_have_refinements_of_their_own_number() -> None:
    def undecided(call: Call) -> Call:
        """Every commitment is another one."""
        text = re.sub(r'"final_answer":[^,]*', f'"final_answer":{call.round}', call.text)
        return replace(call, text=text)

    k = {"max_iterations_train": 2, "max_iterations_infer": 4}
    p = params(bne={**k, "convergence_threshold": 0})
    trained, client = Recorder(p, undecided), Recorder(p, undecided)
    team = train(p, client=trained, episodes=8).learner.team
    solution = solve(EconMethod("econ-bne", team, p), p, client)
    assert max(r.round for r in trained.requests) == 2
    assert max(r.round for r in client.requests) == 4
    assert (solution.rounds, solution.stop) == (5, "max iterations")


def test_an_untrained_team_has_the_weights_that_training_would_start_from() -> None:
    p = params(reward={"components": ["AL", "CC"]})
    solution = solve(untrained(p, 3, "econ-baseline", 0), p, Recorder(p))
    assert solution.detail["alpha"] == pytest.approx([2 / 3, 0, 1 / 3], abs=1e-6)
