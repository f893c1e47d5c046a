"""How far a profile is from equilibrium, for a payoff and a class of deviations, with a band.

With G(i, d) the mean gain of agent i by deviation d over held-out problems, epsilon = max(0, max G) and
NashConv = sum_i max(0, max_d G(i, d)). The plain maximum of estimates is biased up (the naive one), so
epsilon is cross-fitted: the best deviation is picked without the problems that it is valued on (and held
within the band). Its band:
L = max(0, max(G - k se)), U = max(0, max(G + k se)), simultaneous over all deviations, which holds whichever
of them is best. "epsilon <= x" is shown if U <= x, "no equilibrium" if L > 0.

A class of deviations bounds the true epsilon from below alone: agents might gain more by others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econ.equilibrium.empirical.bands import Band, folds, interval, simultaneous
from econ.equilibrium.empirical.deviations import D0, D1, FOLDS, Learner, crossed, naive
from econ.equilibrium.empirical.responses import Array, Ints
from econ.equilibrium.empirical.values import Values


@dataclass(frozen=True)
class AgentGain:
    """What one agent could gain alone; ``cell`` is its best constant deviation.

    ``gains`` by each cell [C], with the ends of the band over all deviations.
    """

    epsilon: float
    lower: float
    upper: float
    naive: float
    cell: int
    gains: tuple[float, ...] = ()
    gains_low: tuple[float, ...] = ()
    gains_high: tuple[float, ...] = ()


@dataclass(frozen=True)
class Certificate:
    """``value`` of the profile (mean over agents) with interval; see the module for the rest."""

    payoff: str
    deviations: str
    value: float
    low: float
    high: float
    epsilon: float
    lower: float
    upper: float
    nash_conv: float
    by_agent: tuple[AgentGain, ...]
    naive: float
    nash_conv_naive: float


def certificates(found: Values, clusters: Ints, features: Array | None = None) -> dict[str, Certificate]:
    """One per payoff. With ``features`` [P, D] of the problems over D1 (which holds D0), else over D0."""
    return {
        name: certify(found.gains[..., j], found.profile[..., j].mean(axis=1), clusters, name, features)
        for j, name in enumerate(found.names)
    }


def certify(
    gains: Array, value: Array, clusters: Ints, payoff: str = "own", features: Array | None = None
) -> Certificate:
    """From every agent's gain by every cell on each problem [P, N, C] and the profile's value on it [P]."""
    n, cells = gains.shape[1:]
    learners = D0 if features is None else D0 | D1
    seen = np.zeros((len(gains), 1)) if features is None else features
    learned, biased = _learned(gains, clusters, seen, learners)
    # The constants are all there as cells; only the rules that were learned come in as further columns.
    columns = np.concatenate([gains, learned[:, :, 1:]], axis=2)
    band = simultaneous(columns.reshape(len(gains), -1), clusters)
    shape = (n, columns.shape[2], cells)
    agents = tuple(_agent(band, learned, biased, clusters, i, shape) for i in range(n))
    lower, upper = max(agent.lower for agent in agents), max(agent.upper for agent in agents)
    mean, low, high = interval(value, clusters)
    return Certificate(
        payoff, "D0" if features is None else "D1", mean, low, high,
        epsilon=max(agent.epsilon for agent in agents), lower=lower, upper=upper,
        nash_conv=sum(agent.epsilon for agent in agents), by_agent=agents,
        naive=max(agent.naive for agent in agents), nash_conv_naive=sum(agent.naive for agent in agents),
    )  # fmt: skip


def informed(gains: Array, information: Ints) -> Array:
    """Each agent's largest gain if it may choose a cell for everything it can tell apart: [N].

    ``gains`` [P, N, C] of equally likely cases, ``information`` [P, N] what each agent knows in each. For
    games that are known in full: the sum is NashConv (Lanctot et al. 2017).
    """
    out = np.zeros(gains.shape[1])
    for agent, known in enumerate(information.T):
        sets = [gains[known == told, agent].sum(axis=0).max() for told in np.unique(known)]
        out[agent] = max(0.0, float(sum(sets)) / len(gains))
    return out


def _learned(
    gains: Array, clusters: Ints, features: Array, learners: dict[str, Learner]
) -> tuple[Array, Array]:
    """Gains by learned deviations, cross-fitted [P, N, R], and the naive ones [N, R].

    With too few clusters to leave some out (a game that is known in full), the naive ones throughout.
    """
    n = gains.shape[1]
    biased = np.array(
        [[naive(learn, features, gains[:, i]) for learn in learners.values()] for i in range(n)]
    )
    if len(np.unique(clusters)) < 2 * FOLDS:
        return np.broadcast_to(biased, (len(gains), *biased.shape)), biased
    found = [
        [crossed(learn, features, gains[:, i], clusters) for learn in learners.values()] for i in range(n)
    ]
    return np.moveaxis(np.array(found), 2, 0), biased


def _picked(columns: Array, clusters: Ints) -> float:
    """Mean of the best column [P, M], picked on the other folds; at least 0."""
    fold, out = folds(clusters, FOLDS), np.zeros(len(columns))
    for part in range(FOLDS):
        held = fold == part
        rest = columns[~held] if (~held).any() else columns
        out[held] = columns[held, rest.mean(axis=0).argmax()]
    return max(0.0, float(out.mean()))


def _agent(
    band: Band, learned: Array, biased: Array, clusters: Ints, agent: int, shape: tuple[int, int, int]
) -> AgentGain:
    """``shape`` (N, columns an agent, cells) of the band's columns."""
    n, width, cells = shape
    mean, low, high = (side.reshape(n, width)[agent] for side in (band.mean, band.low, band.high))
    lower, upper = max(0.0, float(low.max())), max(0.0, float(high.max()))
    epsilon = _picked(learned[:, agent], clusters)
    return AgentGain(
        epsilon=min(max(epsilon, lower), upper), lower=lower, upper=upper,
        naive=max(0.0, float(mean[:cells].max()), float(biased[agent].max())),
        cell=int(mean[:cells].argmax()),
        gains=tuple(mean[:cells].tolist()),
        gains_low=tuple(low[:cells].tolist()), gains_high=tuple(high[:cells].tolist()),
    )  # fmt: skip


@dataclass(frozen=True)
class OverSeeds:
    """Certificates of several training seeds: each is a draw of its own, never more problems."""

    seeds: int
    epsilon: float
    low: float
    high: float
    largest_upper: float
    equilibria_rejected: int  # seeds with L > 0


def over_seeds(found: Sequence[tuple[float, float, float]]) -> OverSeeds:
    """Of each seed's (epsilon, L, U): mean epsilon with Student's interval (the mean alone for one seed)."""
    epsilons, lower, upper = np.array(found).T
    mean, low, high = interval(epsilons, np.arange(len(found)))
    return OverSeeds(
        len(found), mean, max(low, 0.0), high,
        largest_upper=float(upper.max()), equilibria_rejected=int((lower > 0).sum()),
    )  # fmt: skip
