"""Expected payoffs of profiles and of all one-agent deviations from them, without bias.

A payoff's expectation under independent draws is estimated by its mean over tuples of *distinct* samples (a
U-statistic, Hoeffding 1948). Drawing two agents' answers from the same few samples with replacement would
make them agree too often: majority accuracy then reads 0.027 too low at 3 samples a cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, permutations, product
from math import perm, prod

import numpy as np

from econ.equilibrium.empirical.payoffs import Payoffs
from econ.equilibrium.empirical.responses import Array, Ints, ResponseTable

MOST = 512  # tuples of samples per problem, where there are more than can all be taken
ALL = 2048  # tuples times the others' combinations of cells, up to which every combination is taken
SEED = 18
_CHUNK = 4_000_000  # answers handled at once
_DIRECT = 20_000_000  # codes up to which a look-up array beats sorting


@dataclass(frozen=True, eq=False)
class Values:
    """``by_cell`` [P, N, C, J]: what agent i is paid when it plays cell c and the others as they do.

    ``weights`` [P, N, C] is the profile; ``names`` [J] of the payoffs.
    """

    by_cell: Array
    weights: Array
    names: tuple[str, ...]

    @property
    def profile(self) -> Array:
        """What the profile pays each agent: [P, N, J]."""
        out: Array = np.einsum("pncj,pnc->pnj", self.by_cell, self.weights)
        return out

    @property
    def gains(self) -> Array:
        """What each agent gains by playing each cell instead: [P, N, C, J]."""
        out: Array = self.by_cell - self.profile[:, :, None]
        return out


def values(
    table: ResponseTable, team: tuple[int, ...], weights: Array, payoffs: Payoffs,
    most: int = MOST, seed: int = SEED,
) -> Values:  # fmt: skip
    """Payoffs of a profile and of every agent's constant deviations, on the very same samples.

    Args:
        team: each agent's model: [N].
        weights: probabilities over cells [N, C], or one profile per problem [P, N, C].
        most: tuples of samples per problem; all are taken where there are no more. Likewise the others'
            combinations of cells, else cells are drawn in strata. Exact where all is taken.
    """
    full = np.broadcast_to(weights, (table.problems, len(team), table.classes.shape[2]))
    parts = [one_agent(table, team, full, payoffs, agent, most=most, seed=seed) for agent in range(len(team))]
    return Values(np.stack(parts, axis=1), full, payoffs.names)


def one_agent(
    table: ResponseTable, team: tuple[int, ...], weights: Array, payoffs: Payoffs, agent: int,
    most: int = MOST, seed: int = SEED, shared: bool = False,
) -> Array:  # fmt: skip
    """Payoffs of ``agent`` in every cell against the others' strategies: [P, C, J]; see :func:`values`.

    ``shared``: the mean of all agents' payoffs instead.
    """
    rng = np.random.default_rng(seed)
    tuples = distinct_samples(table.samples, team, most, rng)
    tuples, cells, probabilities = _played(weights, tuples, agent, rng)
    out = []
    for rows in _chunks(table, len(tuples), len(team)):
        classes = _with_deviations(table, team, tuples, cells[rows], rows, agent)
        paid = _paid(payoffs, rows, classes, None if shared else agent)  # [P', C, B, J]
        out.append(np.einsum("pcbj,pb->pcj", paid, probabilities[rows]))
    return np.concatenate(out)


def _played(weights: Array, tuples: Ints, agent: int, rng: np.random.Generator) -> tuple[Ints, Ints, Array]:
    """Sample tuples [B, N], the agents' cells [P, B, N], and each draw's probability [P, B]."""
    problems = len(weights)
    support = (weights > 0).sum(axis=2).max(axis=0)
    support[agent] = 1
    if prod(support.tolist()) * len(tuples) > ALL:
        tuples = np.tile(tuples, (-(-MOST // len(tuples)), 1))
        drawn = played_cells(weights, len(tuples), rng)
        return tuples, drawn, np.full((problems, len(tuples)), 1 / len(tuples))
    ranked = np.argsort(-weights, axis=2, kind="stable")
    probabilities = np.take_along_axis(weights, ranked, axis=2)
    probabilities[:, agent] = 1.0  # averaged over by whoever asks: the deviations are every cell
    cells, probability = [], []
    for places in product(*(range(k) for k in support.tolist())):
        at = np.arange(len(places)), np.array(places)
        cells.append(ranked[:, *at])
        probability.append(probabilities[:, *at].prod(axis=1))
    combined = np.repeat(np.stack(cells, axis=1), len(tuples), axis=1)
    repeated = np.repeat(np.stack(probability, axis=1), len(tuples), axis=1) / len(tuples)
    return np.tile(tuples, (len(cells), 1)), combined, repeated


def distinct_samples(samples: int, team: tuple[int, ...], most: int, rng: np.random.Generator) -> Ints:
    """Sample numbers for the agents, distinct among those of one model: [B, N].

    All there are, if no more than ``most``; else a balanced part of them, in which every agent uses every
    sample equally often.
    """
    groups = [[i for i, model in enumerate(team) if model == m] for m in sorted(set(team))]
    if prod(perm(samples, len(group)) for group in groups) <= most:
        every = product(*(permutations(range(samples), len(group)) for group in groups))
        rows = np.array([[*chain(*parts)] for parts in every], dtype=np.int64)
        return rows[:, np.argsort([*chain(*groups)])]
    turns = max(1, most // samples)
    out = np.empty((turns, samples, len(team)), dtype=np.int64)
    for turn, group in product(range(turns), groups):
        order = rng.permutation(samples)
        for place, agent in enumerate(group):
            out[turn, :, agent] = np.roll(order, -place)
    return out.reshape(-1, len(team))


def played_cells(weights: Array, draws: int, rng: np.random.Generator) -> Ints:
    """Cells drawn from [P, N, C] in equal strata, so that each comes up as often as it should: [P, B, N]."""
    problems, n, cells = weights.shape
    strata = rng.permuted(np.broadcast_to(np.arange(draws), (problems, n, draws)), axis=2)
    shares = (strata + rng.random((problems, n, 1))) / draws
    upto = weights.cumsum(axis=2)
    upto[..., -1] = 1.0
    reached = sum((shares >= upto[:, :, c, None]).astype(np.int64) for c in range(cells - 1))
    return np.asarray(reached, dtype=np.int64).transpose(0, 2, 1)


def _chunks(table: ResponseTable, draws: int, n: int) -> Iterator[Ints]:
    """Rows of the table, as many at once as memory likes."""
    size = max(1, _CHUNK // (table.classes.shape[2] * draws * n))
    for start in range(0, table.problems, size):
        yield np.arange(start, min(start + size, table.problems))


def _with_deviations(
    table: ResponseTable, team: tuple[int, ...], tuples: Ints, cells: Ints, rows: Ints, agent: int
) -> Ints:
    """Classes of all agents, ``agent`` in every cell: [P', C, B, N]."""
    models = np.array(team)
    played = table.classes[rows[:, None, None], models, cells, tuples]  # [P', B, N]
    own = table.classes[rows][:, team[agent]][:, :, tuples[:, agent]]  # [P', C, B]
    out = np.repeat(played[:, None], own.shape[1], axis=1)
    out[..., agent] = own
    return out


def _paid(payoffs: Payoffs, rows: Ints, classes: Ints, agent: int | None) -> Array:
    """The agent's payoffs (None: all agents' mean) of each draw: [P', C, B, J]."""
    problems = np.broadcast_to(rows[:, None, None], classes.shape[:3]).ravel()
    flat = classes.reshape(-1, classes.shape[3])
    first, where = distinct(problems - rows[0], flat)
    every = payoffs(problems[first], flat[first])  # [T, N, J]
    paid = every.mean(axis=1) if agent is None else every[:, agent]
    return paid[where].reshape(*classes.shape[:3], -1)


def distinct(problems: Ints, classes: Ints) -> tuple[Ints, Ints]:
    """Places of the distinct (problem, tuple) rows, and which of them each row is."""
    base = int(classes.max(initial=0)) + 2
    if float(base) ** classes.shape[1] * (int(problems.max(initial=0)) + 1) >= 2**62:
        rows = np.column_stack([problems, classes])
        _, first, where = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return first, where.reshape(-1)
    codes = problems.copy()
    for agent in range(classes.shape[1]):
        codes = codes * base + classes[:, agent] + 1
    size = int(codes.max(initial=0)) + 1
    if size > _DIRECT:
        _, first, where = np.unique(codes, return_index=True, return_inverse=True)
        return first, where
    place = np.full(size, -1, dtype=np.int64)
    place[codes[::-1]] = np.arange(len(codes))[::-1]
    first = place[place >= 0]
    rank = np.full(size, -1, dtype=np.int64)
    rank[codes[first]] = np.arange(len(first))
    return first, rank[codes]
