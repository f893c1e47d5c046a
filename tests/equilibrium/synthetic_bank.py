"""Synthetic banks whose expected payoffs are known in closed form. SIMULATED.

Every problem has a difficulty. A model answers it right with a chance that depends on difficulty and cell,
and else gives one of a few mistakes, each with a chance of its own. So an agent's answer is a draw from a
known distribution over classes, and a team's payoffs are sums over the tuples of classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from econ.equilibrium.empirical.payoffs import TeamPayoffs
from econ.equilibrium.empirical.responses import Array, ResponseTable
from econ.params import Reward

KINDS = 4  # class 0 is the right answer
GRID = np.array([[t, s] for t in (0.1, 0.4, 0.7, 1.0, 1.3, 1.6) for s in (1.0, 1.1, 1.2)])
ALPHA = (0.4, 0.4, 0.2)
SKILL = -8.0 * ((GRID[:, 0] - 0.7) / 1.5) ** 2 - 30.0 * (GRID[:, 1] - 1.0) ** 2  # best at (0.7, 1.0)
BEST = int(SKILL.argmax())


@dataclass(frozen=True)
class World:
    """Models as rows of skills by cell [M, C], on logits; ``spread`` of the problems' difficulties.

    ``taste``: how far the cells' skills differ from problem to problem.
    """

    skill: Array
    spread: float = 1.5
    taste: float = 0.0

    def probabilities(self, problems: int, rng: np.random.Generator) -> Array:
        """Of every class: [P, M, C, K]."""
        ease = rng.normal(0.5, self.spread, (problems, 1, 1))
        skill = self.skill + self.taste * rng.normal(size=(problems, *self.skill.shape))
        right = 1 / (1 + np.exp(-(ease + skill)))[..., None]
        mistakes = rng.dirichlet([2.0, 1.0, 0.5], problems)[:, None, None]
        return np.concatenate([right, (1 - right) * mistakes], axis=3)

    def draw(self, problems: int, samples: int, seed: int) -> ResponseTable:
        rng = np.random.default_rng(seed)
        return drawn(self.probabilities(problems, rng), samples, rng)


def drawn(probabilities: Array, samples: int, rng: np.random.Generator) -> ResponseTable:
    """A bank of answers with these probabilities of the classes [P, M, C, K]."""
    upto = probabilities.cumsum(axis=3)[:, :, :, None]
    classes = (rng.random((*probabilities.shape[:3], samples, 1)) > upto[..., :-1]).sum(axis=4)
    problems, kinds = len(probabilities), np.arange(KINDS)
    alike = np.where(kinds[:, None] == kinds, 1.0, 0.5)
    return ResponseTable(
        GRID[: probabilities.shape[2]],
        classes,
        right=np.broadcast_to(kinds == 0, (problems, KINDS)),
        task=np.broadcast_to(1.0 * (kinds == 0), (problems, KINDS)),
        similar=np.broadcast_to(alike, (problems, KINDS, KINDS)),
        tokens=np.full(classes.shape, 100),
        clusters=np.arange(problems),
    )


def payoffs(table: ResponseTable) -> TeamPayoffs:
    return TeamPayoffs(table, ALPHA, Reward())


def expected(probabilities: Array, team: tuple[int, ...], cells: tuple[int, ...], agent: int) -> Array:
    """True payoffs of ``agent`` in every cell, the others in theirs: [P, C, J]."""
    n = len(team)
    tuples = np.array(list(product(range(KINDS), repeat=n)))
    one = drawn(probabilities[:1], 1, np.random.default_rng(0))
    paid = payoffs(one)(np.zeros(len(tuples), dtype=int), tuples)[:, agent]  # [T, J]: alike on every problem
    likely = np.ones((len(probabilities), probabilities.shape[2], len(tuples)))
    for i, model in enumerate(team):
        own = probabilities[:, model, :] if i == agent else probabilities[:, model, [cells[i]]]
        likely = likely * own[:, :, tuples[:, i]]
    return likely @ paid
