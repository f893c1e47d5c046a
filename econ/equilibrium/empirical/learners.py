"""Learners beside the method on the same bank: bandits over cells, with no network and no mixer.

Each plays R runs at once. Every episode is a problem drawn at random and one sample per agent, distinct
within the episode; what a learner sees is what its agents are paid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from econ.equilibrium.empirical.responses import Array, Ints
from econ.equilibrium.empirical.search import Game
from econ.records import stable_seed


class Bandit(Protocol):
    """A learner of R runs: which cells the agents play next, and what they were paid for them."""

    def choose(self, rng: np.random.Generator) -> Ints:
        """Cells [R, N]."""
        ...

    def learn(self, cells: Ints, paid: Array) -> None:
        """Payoffs [R, N] in [0, 1] of the cells [R, N]."""
        ...


class UniformUCB:
    """UCB1 (Auer et al. 2002) over cells that all agents play alike: the control of every learned team."""

    def __init__(self, runs: int, agents: int, cells: int, horizon: int) -> None:
        self.agents, self.count, self.total = agents, np.zeros((runs, cells)), np.zeros((runs, cells))

    def choose(self, rng: np.random.Generator) -> Ints:
        tried = np.maximum(self.count, 1e-9)
        episodes = max(float(self.count[0].sum()), 1.0)
        bound = self.total / tried + np.sqrt(2 * np.log(episodes) / tried)
        bound[self.count == 0] = np.inf
        ties = bound + 1e-9 * rng.random(bound.shape)
        return np.repeat(ties.argmax(axis=1)[:, None], self.agents, axis=1)

    def learn(self, cells: Ints, paid: Array) -> None:
        runs = np.arange(len(cells))
        self.count[runs, cells[:, 0]] += 1
        self.total[runs, cells[:, 0]] += paid.mean(axis=1)


class Exp3:
    """EXP3 (Auer et al. 2002) for every agent on its own, tuned to the horizon; others may change at will."""

    def __init__(self, runs: int, agents: int, cells: int, horizon: int) -> None:
        self.logits = np.zeros((runs, agents, cells))
        self.mix = min(1.0, float(np.sqrt(cells * np.log(cells) / ((np.e - 1) * max(horizon, 1)))))

    @property
    def probabilities(self) -> Array:
        likely = np.exp(self.logits - self.logits.max(axis=2, keepdims=True))
        shares = likely / likely.sum(axis=2, keepdims=True)
        out: Array = (1 - self.mix) * shares + self.mix / shares.shape[2]
        return out

    def choose(self, rng: np.random.Generator) -> Ints:
        upto = self.probabilities.cumsum(axis=2)
        return np.asarray((rng.random(upto.shape[:2])[..., None] > upto[..., :-1]).sum(axis=2))

    def learn(self, cells: Ints, paid: Array) -> None:
        chosen = np.take_along_axis(self.probabilities, cells[..., None], axis=2)[..., 0]
        run, agent = np.indices(cells.shape)
        self.logits[run, agent, cells] += self.mix / self.logits.shape[2] * paid / chosen


class Independent:
    """Every agent keeps the mean payoff of each cell and explores with a probability that falls as 1/sqrt(t).

    Independent learners without a mixer (Tan 1993): each takes the others for part of its world.
    """

    def __init__(self, runs: int, agents: int, cells: int, horizon: int) -> None:
        self.count, self.total = np.zeros((runs, agents, cells)), np.zeros((runs, agents, cells))
        self.episodes = 0

    def choose(self, rng: np.random.Generator) -> Ints:
        self.episodes += 1
        runs, agents, cells = self.count.shape
        means = np.where(self.count > 0, self.total / np.maximum(self.count, 1), 1.0)  # untried: hopeful
        best = (means + 1e-9 * rng.random(means.shape)).argmax(axis=2)
        explores = rng.random((runs, agents)) < min(1.0, (cells / self.episodes) ** 0.5 / 2)
        return np.asarray(np.where(explores, rng.integers(0, cells, (runs, agents)), best))

    def learn(self, cells: Ints, paid: Array) -> None:
        run, agent = np.indices(cells.shape)
        self.count[run, agent, cells] += 1
        self.total[run, agent, cells] += paid


LEARNERS: dict[str, Callable[[int, int, int, int], Bandit]] = {
    "ucb": UniformUCB,
    "exp3": Exp3,
    "independent": Independent,
}


@dataclass(frozen=True, eq=False)
class Played:
    """``cells`` [R, T, N] that R runs of T episodes played; ``favourite`` [R, N] of the last tenth."""

    cells: Ints

    @property
    def favourite(self) -> Ints:
        """What each agent played most in the last tenth: its policy without exploration."""
        last = self.cells[:, -max(1, self.cells.shape[1] // 10) :]
        counts = [[np.bincount(last[r, :, i]) for i in range(last.shape[2])] for r in range(len(last))]
        return np.array([[int(count.argmax()) for count in run] for run in counts])


def play(game: Game, name: str, horizon: int, seeds: tuple[int, ...]) -> Played:
    """Runs of one learner, a run per seed; a run's cells are a function of its seeds as a whole."""
    runs, table = len(seeds), game.table
    rng = np.random.default_rng(stable_seed("learner", name, horizon, *seeds))
    bandit = LEARNERS[name](runs, game.n, game.cells, horizon)
    problems = rng.integers(0, table.problems, (horizon, runs))
    samples = _distinct(table.samples, (horizon, runs), game.n, rng)
    models, out = np.array(game.team), np.empty((runs, horizon, game.n), dtype=np.int64)
    for t in range(horizon):
        cells = bandit.choose(rng)
        classes = table.classes[problems[t][:, None], models, cells, samples[t]]
        bandit.learn(cells, game.payoffs(problems[t], classes)[..., game.column] / game.most)
        out[:, t] = cells
    return Played(out)


def _distinct(samples: int, shape: tuple[int, int], n: int, rng: np.random.Generator) -> Ints:
    """Sample numbers, distinct among an episode's agents where there are enough: [*shape, N]."""
    if samples < n:
        return rng.integers(0, samples, (*shape, n))
    return np.asarray(rng.random((*shape, samples)).argsort(axis=2)[..., :n])
