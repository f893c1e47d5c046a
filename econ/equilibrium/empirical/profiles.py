"""Strategy profiles on the grid: every agent's probabilities over the cells.

An action between the grid's points is played as the mixed strategy over its four corner cells with bilinear
probabilities, so the game on the grid stays defined and every action of the continuous range is one of its
strategies. ``nearest`` plays the closest cell instead, as the control of that choice.
"""

from __future__ import annotations

import numpy as np

from econ.equilibrium.empirical.responses import Array, Ints
from econ.errors import EconError


def mixed(cells: Array, actions: Array, nearest: bool = False) -> Array:
    """Probabilities over the cells [C, 2] of actions [..., 2]: [..., C].

    Raises:
        EconError: the cells are no full grid, or an action lies outside its hull; it is named.
    """
    axes = [np.unique(cells[:, d]) for d in (0, 1)]
    if len(cells) != len(axes[0]) * len(axes[1]):
        raise EconError(
            f"the bank's {len(cells)} cells are no full grid of {len(axes[0])} temperatures and "
            f"{len(axes[1])} second values",
            "build the missing cells",
        )
    first, second = (_between(axis, actions[..., d], d) for d, axis in enumerate(axes))
    places = np.stack([np.searchsorted(axis, cells[:, d]) for d, axis in enumerate(axes)])
    if nearest:
        first, second = (_rounded(probability) for probability in (first, second))
    out: Array = first[..., places[0]] * second[..., places[1]]
    return out


def _between(axis: Array, values: Array, dimension: int) -> Array:
    """Linear probabilities of the axis's points [...] -> [..., len(axis)]."""
    slack = 1e-6 * max(1.0, float(np.abs(axis).max()))
    outside = (values < axis[0] - slack) | (values > axis[-1] + slack)
    if outside.any():
        name = ("temperature", "second value")[dimension]
        raise EconError(
            f"{name} {float(values[outside].flat[0]):g} lies off the bank's grid, "
            f"which spans {axis[0]:g} to {axis[-1]:g}",
            "give an action within it, or build a bank with a wider grid",
        )
    values = np.clip(values, axis[0], axis[-1])
    upper = np.clip(np.searchsorted(axis, values), 1, max(len(axis) - 1, 1))
    if len(axis) == 1:
        return np.ones((*values.shape, 1))
    share = (values - axis[upper - 1]) / (axis[upper] - axis[upper - 1])
    out = np.zeros((*values.shape, len(axis)))
    np.put_along_axis(out, (upper - 1)[..., None], (1 - share)[..., None], axis=-1)
    np.put_along_axis(out, upper[..., None], share[..., None], axis=-1)
    return out


def _rounded(probability: Array) -> Array:
    """All of the probability on the likeliest point."""
    out = np.zeros_like(probability)
    np.put_along_axis(out, probability.argmax(axis=-1)[..., None], 1.0, axis=-1)
    return out


def pure(cells: int, chosen: Ints) -> Array:
    """Profiles that play the chosen cells: [...] -> [..., C]."""
    out: Array = np.eye(cells)[chosen]
    return out
