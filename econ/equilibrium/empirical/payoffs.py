"""What each agent is paid for a tuple of answer classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from econ.equilibrium.empirical.coordinators import Coordinator, vote
from econ.equilibrium.empirical.responses import INVALID, Array, Ints, ResponseTable
from econ.params import Reward

OWN, TEAM, ACCURACY = "own", "team", "accuracy"


class Payoffs(Protocol):
    """``names`` [J] and the payoffs of every agent, from the tuples alone."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def __call__(self, problems: Ints, classes: Ints) -> Array:
        """Tuples [T, N] of classes on problems [T] to payoffs [T, N, J]."""
        ...


@dataclass(frozen=True)
class TeamPayoffs:
    """The method's rewards as functions of classes (paper 2.2 and 3.5; see equilibrium.rewards).

    ``own``: r_i = alpha . (AL, TS, CC) with alpha frozen at the checkpoint's. ``team``: r_tot. ``accuracy``:
    whether the commitment is right. Texts enter through their classes' representatives.
    """

    table: ResponseTable
    alpha: tuple[float, float, float]
    reward: Reward
    coordinator: Coordinator = vote

    names = (OWN, TEAM, ACCURACY)

    def __call__(self, problems: Ints, classes: Ints) -> Array:
        committed = self.coordinator(problems, classes)
        own = self.reward.r_max * (self._components(problems, classes, committed) @ np.array(self.alpha))
        there = committed != INVALID
        outcome, right = (of[problems, committed] * there for of in (self.table.task, self.table.right))
        share = self.reward.commitment_weight
        team = (1 - share) * own.mean(axis=1) + share * self.reward.r_max * outcome
        common = np.broadcast_to(np.stack([team, right], axis=1)[:, None], (*classes.shape, 2))
        return np.concatenate([own[:, :, None], common], axis=2)

    def _components(self, problems: Ints, classes: Ints, committed: Ints) -> Array:
        """AL, TS and CC in [0, 1]: [T, N, 3]."""
        read, row = classes != INVALID, problems[:, None]
        fidelity = self.table.similar[row, classes, committed[:, None]] * (committed != INVALID)[:, None]
        peers = self.table.similar[row[:, None], classes[:, :, None], classes[:, None, :]]
        peers = peers * (read[:, None, :] & ~np.eye(classes.shape[1], dtype=bool))
        weight = self.reward.novelty_weight
        contribution = fidelity * (1 - weight + weight * (1 - peers.max(axis=2)))
        task = self.table.task[row, classes]
        out: Array = np.stack([fidelity, task, contribution], axis=2) * read[:, :, None]
        return out


@dataclass(frozen=True)
class On:
    """The payoffs of some problems, which a part of the table counts from 0: its row p is ``rows`` [p]."""

    payoffs: Payoffs
    rows: Ints

    @property
    def names(self) -> tuple[str, ...]:
        return self.payoffs.names

    def __call__(self, problems: Ints, classes: Ints) -> Array:
        return self.payoffs(self.rows[problems], classes)


@dataclass(frozen=True)
class MatrixPayoffs:
    """Any finite game: an answer's class is the move made. ``matrix`` [P, A_1, ..., A_N, N]."""

    matrix: Array

    names = (OWN,)

    def __call__(self, problems: Ints, classes: Ints) -> Array:
        out: Array = self.matrix[(problems, *classes.T)][:, :, None]
        return out


def moves_table(problems: int, moves: tuple[int, ...]) -> ResponseTable:
    """The table of a finite game: model i is player i, cell c its move c (beyond its moves, the last one)."""
    cells = max(moves)
    classes = np.minimum(np.arange(cells)[None, :], np.array(moves)[:, None] - 1)
    shape = (problems, len(moves), cells, 1)
    return ResponseTable(
        cells=np.stack([np.arange(cells), np.zeros(cells)], axis=1).astype(float),
        classes=np.broadcast_to(classes[None, :, :, None], shape).astype(np.int64),
        right=np.zeros((problems, cells), dtype=bool),
        task=np.zeros((problems, cells)),
        similar=np.broadcast_to(np.eye(cells), (problems, cells, cells)).copy(),
        tokens=np.zeros(shape, dtype=np.int64),
        clusters=np.arange(problems),
    )
