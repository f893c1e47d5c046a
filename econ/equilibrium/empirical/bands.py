"""Intervals over problems: one mean, or many means at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from econ.equilibrium.empirical.responses import Array, Ints

LEVEL = 0.95
DRAWS = 2000
SEED = 1804


@dataclass(frozen=True, eq=False)
class Band:
    """Means of M columns with standard errors; ``factor`` times the error reaches over all M at once."""

    mean: Array
    error: Array
    factor: float

    @property
    def low(self) -> Array:
        out: Array = self.mean - self.factor * self.error
        return out

    @property
    def high(self) -> Array:
        out: Array = self.mean + self.factor * self.error
        return out


def simultaneous(columns: Array, clusters: Ints, level: float = LEVEL, seed: int = SEED) -> Band:
    """A band over all columns [P, M] by the studentised Gaussian multiplier bootstrap over clusters.

    Chernozhukov, Chetverikov & Kato (2013). The Gaussian factor is brought to Student's scale, as the errors
    are estimated from few clusters. Columns that never differ have error 0. With a single cluster nothing is
    estimated: the means are taken as exact.
    """
    parts = _influence(columns, clusters)
    groups = len(parts)
    error = np.sqrt((parts**2).sum(axis=0) * groups / max(groups - 1, 1))
    moving = error > 1e-12
    if groups < 2 or not moving.any():
        return Band(columns.mean(axis=0), np.zeros(columns.shape[1]), 0.0)
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, groups)) @ parts[:, moving]
    largest = np.abs(drawn / error[moving]).max(axis=1)
    return Band(columns.mean(axis=0), error, _student(float(np.quantile(largest, level)), groups - 1))


def interval(column: Array, clusters: Ints, level: float = LEVEL) -> tuple[float, float, float]:
    """Mean, low and high of one column [P]: Student's interval of the clusters' sums."""
    parts = _influence(column[:, None], clusters)[:, 0]
    mean, groups = float(column.mean()), len(parts)
    if groups < 2:
        return mean, mean, mean
    from scipy import stats

    error = float(np.sqrt((parts**2).sum() * groups / (groups - 1)))
    reach = float(stats.t.ppf((1 + level) / 2, groups - 1)) * error
    return mean, mean - reach, mean + reach


def folds(clusters: Ints, parts: int, seed: int = SEED) -> Ints:
    """Which of ``parts`` each problem falls in, whole clusters together: [P]."""
    names, where = np.unique(clusters, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % parts
    return np.asarray(dealt[where], dtype=np.int64)


def _influence(columns: Array, clusters: Ints) -> Array:
    """Each cluster's share in the means' errors: [G, M]; sums to 0."""
    _, where = np.unique(clusters, return_inverse=True)
    parts = np.zeros((where.max() + 1, columns.shape[1]))
    np.add.at(parts, where, columns - columns.mean(axis=0))
    return parts / len(columns)


def _student(factor: float, freedom: int) -> float:
    from scipy import stats

    return float(stats.t.isf(stats.norm.sf(factor), freedom))
