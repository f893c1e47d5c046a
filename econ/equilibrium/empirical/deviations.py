"""Deviations that an agent could choose by what is public before it answers (class D1).

A deviation maps a problem's features (its embedding and the strategy's) to a cell. It is learned on other
problems than it is valued on (cross-fitting, Chernozhukov et al. 2018), so its gain is what it would really
bring; learned and valued on the same problems it would look better than it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from econ.equilibrium.empirical.bands import folds
from econ.equilibrium.empirical.responses import Array, Ints

FOLDS = 5
LEAVES = 8
FACTORS = 8  # principal directions of the features that a linear rule sees
Rule = Callable[[Array], Ints]  # features [P, D] -> cells [P]
Learner = Callable[[Array, Array], Rule]  # features, gains by cell [P, C]


def constant(features: Array, gains: Array) -> Rule:
    """The cell that gained most on the mean (class D0)."""
    best = int(gains.mean(axis=0).argmax())
    return lambda asked: np.full(len(asked), best, dtype=np.int64)


def tree(features: Array, gains: Array) -> Rule:
    """A regression tree of the gains with at most LEAVES leaves; each takes its best cell."""
    from sklearn.tree import DecisionTreeRegressor

    fitted = DecisionTreeRegressor(
        max_leaf_nodes=LEAVES, min_samples_leaf=max(5, len(gains) // 20), random_state=0
    ).fit(features, gains)
    return lambda asked: np.asarray(fitted.predict(asked).reshape(len(asked), -1).argmax(axis=1))


def ridge(features: Array, gains: Array) -> Rule:
    """Gains linear in the features' main directions, the penalty chosen by leaving one out."""
    from sklearn.linear_model import RidgeCV

    centre, turn = features.mean(axis=0), _directions(features)
    fitted = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit((features - centre) @ turn, gains)
    return lambda asked: np.asarray(
        fitted.predict((asked - centre) @ turn).reshape(len(asked), -1).argmax(axis=1)
    )


D0: dict[str, Learner] = {"constant": constant}
D1: dict[str, Learner] = {"tree": tree, "ridge": ridge}


def crossed(learn: Learner, features: Array, gains: Array, clusters: Ints, parts: int = FOLDS) -> Array:
    """Gain of a learned deviation on each problem, learned without its fold: [P].

    Where a rule gained nothing on its own problems its agent stays as it is (gain 0).
    """
    fold, out = folds(clusters, parts), np.zeros(len(gains))
    for part in range(parts):
        held = fold == part
        if held.any() and not held.all():
            out[held] = _valued(learn, features, gains, ~held, held)
    return out


def naive(learn: Learner, features: Array, gains: Array) -> float:
    """Gain of a deviation on the problems that it was learned on: biased up."""
    rows = np.ones(len(gains), dtype=bool)
    return float(_valued(learn, features, gains, rows, rows).mean())


def _valued(learn: Learner, features: Array, gains: Array, learned: Array, valued: Array) -> Array:
    rule = learn(features[learned], gains[learned])
    own = np.take_along_axis(gains[learned], rule(features[learned])[:, None], axis=1)
    if own.mean() <= 0:
        return np.zeros(int(valued.sum()))
    out: Array = np.take_along_axis(gains[valued], rule(features[valued])[:, None], axis=1)[:, 0]
    return out


def _directions(features: Array) -> Array:
    """The features' first principal directions, scaled to unit variance: [D, k]."""
    _, spread, axes = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    kept = spread[:FACTORS] > 1e-9 * max(float(spread[0]), 1e-12)
    scale = spread[:FACTORS][kept] / np.sqrt(len(features))
    out: Array = axes[:FACTORS][kept].T / scale
    return out
