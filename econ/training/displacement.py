"""Does refinement move where it should, and rest where it should? Measured on the SIMULATED team, exactly.

A rule is judged twice: at the trained policy, where it must lose nothing, and with every component of the
first action moved off the policy, where it should regain what one bounded step can. A step of the same
length in a random direction is the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from econ.equilibrium.rewards import Array
from econ.methods.base import Session
from econ.methods.econ.episode import play_episode
from econ.records import Problem, stable_seed
from econ.simulation.team import SimulatedGame, difficulty_of
from econ.training.trainer import Trainer

POINTS = 11  # of the grid for the best action within a step


@dataclass(frozen=True)
class Displacement:
    """Means over problems: changes of the expected r_tot by one refinement, and its steps."""

    gain: float  # of the rule
    random: float  # of a step as long, in a random direction: the control
    best: float  # of the best joint action within bne.max_step
    step: float  # mean largest move of a component
    moved: float  # share of the problems on which a second round was played

    @property
    def share(self) -> float:
        """Of the best gain within a step, what the rule reached."""
        return self.gain / self.best if self.best > 0 else 0.0


@dataclass(frozen=True)
class _Displaced:
    """In the place of an explorer: the policy's action, each component moved by ``distance`` either way."""

    distance: float
    generator: torch.Generator

    def first(self, logits: Tensor, round: int) -> Tensor:
        sign = torch.where(torch.rand(logits.shape, generator=self.generator) < 0.5, -1.0, 1.0)
        return (torch.sigmoid(logits) + self.distance * sign).clamp(0, 1)

    def refined(self, u: Tensor, proposal: Tensor, max_step: float, round: int) -> Tensor:
        return proposal


async def displacement(trainer: Trainer, problems: Sequence[Problem], distance: float) -> Displacement:
    """One refinement of the trained team from ``distance`` off its policy (0: at it), over ``problems``."""
    params, n, seed = trainer.params, trainer.run.n_agents, trainer.run.seed
    explorer = _Displaced(distance, torch.Generator().manual_seed(stable_seed(seed, "displaced")))
    generator = np.random.default_rng(stable_seed(seed, "random step"))
    rows = []
    for problem in problems:
        session = Session(problem, trainer.client, params, n, seed)
        episode = await play_episode(session, trainer.learner.team, 1, explorer)
        before, after = (episode.rounds[k].u.double().numpy() for k in (0, -1))
        game = SimulatedGame(n, params.simulated, params.reward, (difficulty_of(problem.id),))
        length = np.abs(after - before)
        control = np.clip(before + generator.choice([-1, 1], length.shape) * length, 0, 1)
        best = within_a_step(game, before, params.bne.max_step) if distance else before
        start = game.value(before)
        gains = [game.value(u) - start for u in (after, control, best)]
        rows.append([*gains, length.max(), float(len(episode.rounds) > 1)])
    return Displacement(*np.mean(rows, axis=0).tolist())


def within_a_step(game: SimulatedGame, u: Array, step: float) -> Array:
    """The best joint action within ``step`` of u [N, 2] in every component: responses in turn, on a grid."""
    low, high = np.clip(u - step, 0, 1), np.clip(u + step, 0, 1)
    best = u.copy()
    for agent in [*range(game.n)] * 3:
        axes = [np.linspace(low[agent, k], high[agent, k], POINTS) for k in range(2)]
        candidates = []
        for action in np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2):
            joint = best.copy()
            joint[agent] = action
            candidates.append((game.value(joint), joint))
        best = max(candidates, key=lambda found: found[0])[1]
    return best
