"""Values of joint actions on the grid, and the search for the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econ.equilibrium.empirical.payoffs import Payoffs
from econ.equilibrium.empirical.profiles import pure
from econ.equilibrium.empirical.responses import Array, Ints, ResponseTable
from econ.equilibrium.empirical.values import MOST, SEED, distinct, distinct_samples, one_agent

DRAWS = 48  # tuples of samples per problem while searching
SWEEPS = 20
_CHUNK = 4_000_000


@dataclass(frozen=True, eq=False)
class Game:
    """A bank, the team that plays on it, and what it is paid.

    ``payoff`` names the payoff that is looked at, ``most`` is the largest there can be.
    """

    table: ResponseTable
    team: tuple[int, ...]
    payoffs: Payoffs
    payoff: str
    most: float = 1.0

    @property
    def n(self) -> int:
        return len(self.team)

    @property
    def cells(self) -> int:
        return len(self.table.cells)

    @property
    def column(self) -> int:
        return self.payoffs.names.index(self.payoff)

    def by_cell(self, weights: Array, agent: int, draws: int = DRAWS, shared: bool = False) -> Array:
        """What ``agent`` (``shared``: the mean agent) is paid for each of its cells: [P, C].

        The others play a profile, [N, C] or [P, N, C].
        """
        full = np.broadcast_to(weights, (self.table.problems, self.n, self.cells))
        paid = one_agent(self.table, self.team, full, self.payoffs, agent, most=draws, shared=shared)
        out: Array = paid[..., self.column]
        return out

    def value(self, weights: Array, draws: int = MOST) -> Array:
        """What a profile pays, mean over agents: [P]."""
        full = np.broadcast_to(weights, (self.table.problems, self.n, self.cells))
        out: Array = (self.by_cell(full, 0, draws, shared=True) * full[:, 0]).sum(axis=1)
        return out


def joint_values(game: Game, chosen: Ints, draws: int = DRAWS) -> Array:
    """What joint actions [Q, N] of cells pay, mean over agents, on each problem: [Q, P]."""
    table, models = game.table, np.array(game.team)
    tuples = distinct_samples(table.samples, game.team, draws, np.random.default_rng(SEED))
    size = max(1, _CHUNK // (table.problems * len(tuples) * game.n))
    rows = np.arange(table.problems)[:, None]
    out = []
    for start in range(0, len(chosen), size):
        cells = chosen[start : start + size, None, None]
        classes = table.classes[rows[..., None], models, cells, tuples]  # [Q', P, B, N]
        flat = classes.reshape(-1, game.n)
        problems = np.broadcast_to(rows, classes.shape[:3]).ravel()
        first, where = distinct(problems, flat)
        paid = game.payoffs(problems[first], flat[first])[..., game.column].mean(axis=1)
        out.append(paid[where].reshape(classes.shape[:3]).mean(axis=2))
    return np.concatenate(out)


def uniform_values(game: Game, draws: int = DRAWS) -> Array:
    """Of every cell, what it pays if all agents play it: [C, P]."""
    return joint_values(game, np.repeat(np.arange(game.cells)[:, None], game.n, axis=1), draws)


@dataclass(frozen=True)
class Rest:
    """Where agents who move in turn came to rest; ``settled``: nobody wants to move on."""

    cells: tuple[int, ...]
    settled: bool


def best_responses(game: Game, start: Sequence[int], shared: bool = False, sweeps: int = SWEEPS) -> Rest:
    """Best-response dynamics: in turn, each agent moves to the cell that pays itself most.

    ``shared``: that pays the mean agent most, which is coordinate ascent and ends at a local optimum.
    """
    cells = list(start)
    for _ in range(sweeps):
        before = tuple(cells)
        for agent in range(game.n):
            profile = pure(game.cells, np.array(cells))
            paid = game.by_cell(profile, agent, shared=shared).mean(axis=0)
            if paid.max() > paid[cells[agent]] + 1e-9:
                cells[agent] = int(paid.argmax())
        if tuple(cells) == before:
            return Rest(before, True)
    return Rest(tuple(cells), False)


def best_joint(game: Game, starts: int = 3) -> tuple[int, ...]:
    """The best joint action that coordinate ascent finds, from the best uniform cells."""
    uniform = uniform_values(game).mean(axis=1)
    tops = np.argsort(-uniform, kind="stable")[:starts]
    found = sorted({best_responses(game, [int(cell)] * game.n, shared=True).cells for cell in tops})
    reached = joint_values(game, np.array(found)).mean(axis=1)
    return found[int(reached.argmax())]


def clairvoyant(game: Game, sweeps: int = 2) -> Array:
    """The best joint action of every problem on its own, by someone who knows the answers: its value [P].

    A ceiling of what any choice of actions could reach; biased up, since the best of many estimates is taken.
    """
    uniform = uniform_values(game)
    cells = np.repeat(uniform.argmax(axis=0)[:, None], game.n, axis=1)
    best: Array = uniform.max(axis=0)
    for _ in range(sweeps):
        for agent in range(game.n):
            paid = game.by_cell(pure(game.cells, cells), agent, shared=True)
            cells[:, agent] = paid.argmax(axis=1)
            best = np.maximum(best, paid.max(axis=1))
    return best
