"""How much a learner loses while it learns, and how that grows with the horizon.

Pseudo-regret: the sum over episodes of what the best comparator is worth less what the actions played are
worth, both exact means over the bank (Bubeck & Cesa-Bianchi 2012). It is read off runs of several lengths:
within one run the schedule of exploration shapes the curve, so one run proves nothing about growth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from econ.equilibrium.empirical.bands import interval
from econ.equilibrium.empirical.responses import Array, Ints
from econ.equilibrium.empirical.search import Game, joint_values

HORIZONS = tuple(100 * 2**k for k in range(6))


@dataclass(eq=False)
class Worth:
    """Exact mean payoffs of a game's joint actions, each found once."""

    game: Game
    known: dict[tuple[int, ...], float] = field(default_factory=dict)

    def __call__(self, cells: Ints) -> Array:
        """Of joint actions [..., N]: [...]."""
        flat = cells.reshape(-1, cells.shape[-1])
        distinct, where = np.unique(flat, axis=0, return_inverse=True)
        keys = [*map(tuple, distinct.tolist())]
        if new := [key for key in keys if key not in self.known]:
            found = joint_values(self.game, np.array(new)).mean(axis=1)
            self.known |= zip(new, found.tolist(), strict=True)
        out: Array = np.array([self.known[key] for key in keys])[where.reshape(cells.shape[:-1])]
        return out


def pseudo_regret(worths: Array, best: float) -> Array:
    """Of runs [R, T] whose episodes are worth this much, against a comparator worth ``best``: [R]."""
    out: Array = (best - worths).sum(axis=1)
    return out


@dataclass(frozen=True)
class Growth:
    """Regret grows like T^slope, with a 95 % interval over seeds, and what that says."""

    horizons: tuple[int, ...]
    mean: tuple[float, ...]
    slope: float
    low: float
    high: float
    verdict: str


def growth(horizons: Sequence[int], regrets: Array) -> Growth:
    """From regrets [R, H] of R seeds at H horizons.

    The log-log slope of a linear mixed model with an intercept and a slope of its own for every seed: as
    every seed has the same horizons, its estimate is the mean of the seeds' slopes, with Student's interval
    over them (Laird & Ware 1982).
    """
    means = tuple(float(m) for m in regrets.mean(axis=0))
    if (regrets <= 0).any():
        told = "no slope: some run lost nothing against the comparator"
        return Growth(tuple(horizons), means, float("nan"), float("nan"), float("nan"), told)
    x = np.log(np.array(horizons, dtype=float))
    slopes = np.log(regrets) @ (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    slope, low, high = interval(slopes, np.arange(len(slopes)))
    if len(slopes) < 2:
        return Growth(tuple(horizons), means, slope, float("nan"), float("nan"), "no verdict: one seed alone")
    return Growth(tuple(horizons), means, slope, low, high, verdict(low, high))


def verdict(low: float, high: float) -> str:
    """Where an interval of the slope lies against 1/2 (what the paper proves) and 1 (no learning)."""
    if high < 0.5:
        return "slower than sqrt(T)"
    if high < 1:
        return "slower than linear; " + ("faster than sqrt(T)" if low > 0.5 else "sqrt(T) is not excluded")
    if low > 1:
        return "faster than linear"
    return "linear growth is not excluded" + ("" if low > 0.5 else ", nor is sqrt(T)")
