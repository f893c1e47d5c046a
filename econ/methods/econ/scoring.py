"""From what was played to what is learned from: rewards of every round, as tensors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from econ import grading
from econ.equilibrium import rewards
from econ.equilibrium.replay import Experience
from econ.errors import EconError
from econ.params import Params
from econ.records import Problem, Verdict, stable_seed

if TYPE_CHECKING:
    from econ.methods.econ.asking import Episode, Round


Graded = dict[tuple[str, str | None], Verdict]  # by problem and text: agreeing teams repeat themselves
Pool = dict[str, Tensor]  # parts and outcome of rounds, as in an Experience


Tasks = tuple[list[tuple[float, bool]], float]  # of a round: (TS, is it readable) per executor; C's TS


def score(episode: Episode, problem: Problem, params: Params, graded: Graded) -> list[Tasks]:
    """The task rewards of every round. Training problems only: TS is the grader's verdict, or (params) the
    coordinator's own assessment (inconsistency 5.6). ``graded`` keeps verdicts for later episodes.

    Raises:
        EconError: the grader gave a reward that is not a number in [0, 1].
    """
    return [_score(played, problem, params, graded) for played in episode.rounds]


def experiences(episodes: list[Episode], scores: list[list[Tasks]], params: Params) -> list[Experience]:
    """Episodes with their rewards; those of all rounds are computed together."""
    rounds = [played for episode in episodes for played in episode.rounds]
    tasks = [task for score in scores for task in score]
    answers = torch.stack([played.answer_embeddings for played in rounds])
    commitments = torch.stack([played.commitment_embedding for played in rounds])
    parts = rewards.components(
        answers,
        commitments,
        torch.tensor([[ts for ts, _ in of_executors] for of_executors, _ in tasks]),
        torch.tensor([[valid for _, valid in of_executors] for of_executors, _ in tasks]),
        torch.tensor([played.commitment.ok for played in rounds]),
        params.reward,
    )
    whole = (
        torch.stack([played.u for played in rounds]),
        answers,
        commitments,
        parts,
        torch.tensor([outcome for _, outcome in tasks]),
        torch.tensor([played.decision for played in rounds]),
        torch.ones(len(rounds)),
    )
    split = (torch.split(x, [len(episode.rounds) for episode in episodes]) for x in whole)
    return [
        Experience(episode.problem_embedding, episode.strategy_embedding, *per_round)
        for episode, *per_round in zip(episodes, *split, strict=True)
    ]


def agreement(played: Round, valid: list[bool], params: Params) -> tuple[list[float], list[float]]:
    """AL and CC of every executor in one round: what can be told without the gold."""
    [parts] = rewards.components(
        played.answer_embeddings.unsqueeze(0),
        played.commitment_embedding.unsqueeze(0),
        torch.zeros(1, len(valid)),
        torch.tensor([valid]),
        torch.tensor([played.commitment.ok]),
        params.reward,
    )
    likelihood, contribution = parts[:, 0].tolist(), parts[:, 2].tolist()
    return [round(x, 4) for x in likelihood], [round(x, 4) for x in contribution]


def _score(played: Round, problem: Problem, params: Params, graded: Graded) -> Tasks:
    """(TS, is there a readable answer) of every executor's answer, and TS of the commitment."""
    if params.reward.task == "coordinator":
        return _assessed(played, problem)
    commitment = played.commitment
    texts = {*played.answers, commitment.text if commitment.ok else None}
    for text in texts:
        if (problem.id, text) not in graded:
            graded[problem.id, text] = grading.grade(problem, text, params)
    verdicts = {text: graded[problem.id, text] for text in texts}
    rewards_of = {text: _checked(problem, verdict.reward) for text, verdict in verdicts.items()}
    tasks = [(rewards_of[text], not verdicts[text].invalid) for text in played.answers]
    return tasks, rewards_of[commitment.text if commitment.ok else None]


def _assessed(played: Round, problem: Problem) -> Tasks:
    """The coordinator's confidence, given to the answers that are the same as its commitment."""
    kind, commitment = problem.kind, played.commitment
    final = grading.extract(kind, commitment.text) if commitment.ok else None
    confidence = commitment.confidence or 0.0
    answers = [None if a is None else grading.extract(kind, a) for a in played.answers]
    agree = [a is not None and final is not None and grading.equivalent(kind, a, final) for a in answers]
    tasks = [(confidence * same, a is not None) for same, a in zip(agree, answers, strict=True)]
    return tasks, confidence if final is not None else 0.0


def _checked(problem: Problem, reward: float) -> float:
    if not (math.isfinite(reward) and 0 <= reward <= 1):
        raise EconError(
            f"the grader of {problem.benchmark} gave {problem.id} a reward of {reward}, not 0 to 1"
        )
    return reward


def controlled(
    batch: list[Experience], params: Params, seed: int, episode: int, pool: Pool
) -> list[Experience]:
    """The batch with the rewards of ``reward.source``: earned, random (table 5), or shuffled, a control.

    Shuffled ones are drawn from the rewards of all rounds so far, this batch's among them, which ``pool``
    keeps. Exchanged within the batch alone, they would still tell whether this interval's actions were good.
    """
    if params.reward.source == "composed":
        return batch
    generator = torch.Generator().manual_seed(stable_seed(seed, params.reward.source, episode))
    if params.reward.source == "random":
        return [
            replace(
                e,
                parts=params.reward.r_max * torch.rand(e.parts.shape, generator=generator),
                outcome=torch.rand(e.outcome.shape, generator=generator),
            )
            for e in batch
        ]
    for name in ("parts", "outcome"):
        before = [pool[name]] if name in pool else []
        pool[name] = torch.cat([*before, *(getattr(e, name) for e in batch)])
    drawn = [torch.randint(len(pool["outcome"]), (e.rounds,), generator=generator) for e in batch]
    pairs = zip(batch, drawn, strict=True)
    return [replace(e, parts=pool["parts"][i], outcome=pool["outcome"][i]) for e, i in pairs]
