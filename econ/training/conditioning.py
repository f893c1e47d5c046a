"""Does the policy condition on what a belief can know? On the SIMULATED team with types of problems, exactly.

Each type has best actions of its own, and a problem's embedding tells its type in part. The best action that
takes no notice of the type is what a policy without beliefs could reach at most; the best of each problem is
the ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econ.methods.base import Session
from econ.methods.econ.episode import play_episode
from econ.records import Problem
from econ.simulation.team import SimulatedGame
from econ.training.trainer import Trainer


@dataclass(frozen=True)
class Conditioning:
    """Expected r_tot, means over problems."""

    policy: float  # of the trained policy's first actions
    blind: float  # of the best joint action for all problems alike
    best: float  # of each problem's own best joint action


async def conditioning(trainer: Trainer, problems: Sequence[Problem]) -> Conditioning:
    """The trained policy beside the best type-blind action and the best of each problem."""
    params, n = trainer.params, trainer.run.n_agents

    def game(*ids: str) -> SimulatedGame:
        return SimulatedGame.of(n, params.simulated, params.reward, ids)

    values, best = [], []
    for problem in problems:
        session = Session(problem, trainer.client, params, n, trainer.run.seed)
        episode = await play_episode(session, trainer.learner.team, 0)
        own = game(problem.id)
        values.append(own.value(episode.rounds[0].u.double().numpy()))
        best.append(own.optimum[1])
    blind = game(*(problem.id for problem in problems)).optimum[1]
    return Conditioning(float(np.mean(values)), blind, float(np.mean(best)))
