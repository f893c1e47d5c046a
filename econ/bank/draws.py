"""Which recorded answer a request gets: functions of counters alone, for one request or for arrays of them.

Agents in one cell take different samples of it, as answers to one question are independent: with replacement
the vote would be worth less than it is. Off the grid an action stands for the four cells around it, with
bilinear probabilities (a mixed strategy over neighbours), so that the game on the grid stays defined.

Counter-based (Salmon et al. 2011): splitmix64 over (draw, problem, round, cell, sample), so the order of
requests, other agents and the size of the grid change nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from econ.bank.schema import Cell
from econ.errors import EconError
from econ.params import Action
from econ.records import stable_seed

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Between = Literal["mixed", "nearest"]
_NEAR = 1e-9  # an action this close to a value of the grid is on it
_SAMPLE, _CORNER = 1, 2  # what is drawn
_WHOLE = 2**64 - 1


def mixed(*parts: Keys | Ints | int) -> Keys:
    """One 64-bit key of several, elementwise; none of them below 0."""
    out = np.zeros(1, np.uint64)
    for part in parts:
        out = _then(out, np.asarray(part, np.uint64))
    return out


def _then(key: Keys, part: Keys) -> Keys:
    """A key with one more part in it; arrays wrap around where plain numbers would warn."""
    z = (key ^ part) + np.uint64(0x9E3779B97F4A7C15)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def mixed_one(*parts: int) -> int:
    """:func:`mixed` of plain numbers: for one request, quicker than arrays of one."""
    out = 0
    for part in parts:
        z = ((out ^ part) + 0x9E3779B97F4A7C15) & _WHOLE
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WHOLE
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WHOLE
        out = z ^ (z >> 31)
    return out


def problem_key(digest: str) -> int:
    """A problem's own number, from its prompt's digest."""
    return int(digest[:16], 16)


@dataclass(frozen=True)
class Grid:
    """Rising values of the two dimensions; cells are numbered temperature by temperature."""

    temperature: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(Cell(t, p) for t in self.temperature for p in self.second)

    @cached_property
    def keys(self) -> Keys:
        """Each cell's own number, whatever else is on the grid."""
        return np.array([stable_seed(f"{t:g}", f"{p:g}") for t, p in self.cells], np.uint64)

    def covers(self, action: Action) -> None:
        """Make sure that no action can leave the grid's hull.

        Raises:
            EconError: one can; the dimension and both ranges are named.
        """
        for (name, span), axis in zip(
            action.dimensions.items(), (self.temperature, self.second), strict=True
        ):
            held = action.fixed.get(name)
            low, high = (span.low, span.high) if held is None else (held, held)
            if low < axis[0] - _NEAR or high > axis[-1] + _NEAR:
                key = f"action.{name}: {{low: {axis[0]:g}, high: {axis[-1]:g}}}"
                raise EconError(
                    f"action.{name} from {low:g} to {high:g} leaves what the bank holds, "
                    f"{axis[0]:g} to {axis[-1]:g}",
                    f"set {key}" if held is None else f"set action.fixed.{name} within it",
                )

    def one(self, action: Cell, uniforms: Sequence[float], between: Between = "mixed") -> int:
        """:meth:`cell_of` of one action."""
        first, last = (
            _place_one(axis, value, 0.5 if between == "nearest" else u)
            for axis, value, u in zip((self.temperature, self.second), action, uniforms, strict=True)
        )
        return first * len(self.second) + last

    def cell_of(self, actions: Floats, uniforms: Floats, between: Between = "mixed") -> Ints:
        """The cells [...] that actions [..., 2] are answered from; ``uniforms`` [..., 2] decide."""
        places = []
        for dimension, axis in enumerate((self.temperature, self.second)):
            values, u = actions[..., dimension], uniforms[..., dimension]
            places.append(_place(np.asarray(axis), values, u, between))
        out: Ints = places[0] * len(self.second) + places[1]
        return out


def _place(axis: Floats, values: Floats, u: Floats, between: Between) -> Ints:
    if len(axis) == 1:
        return np.zeros(values.shape, np.int64)
    below = np.clip(np.searchsorted(axis, values + _NEAR, side="right") - 1, 0, len(axis) - 2)
    share = (values - axis[below]) / (axis[below + 1] - axis[below])
    threshold = np.full(u.shape, 0.5) if between == "nearest" else u
    out: Ints = below + (share > np.where(share < 1 - _NEAR, threshold, 0.0))
    return out


def _place_one(axis: Sequence[float], value: float, threshold: float) -> int:
    if len(axis) == 1:
        return 0
    below = min(max(bisect_right(axis, value + _NEAR) - 1, 0), len(axis) - 2)
    share = (value - axis[below]) / (axis[below + 1] - axis[below])
    return below + (share > (threshold if share < 1 - _NEAR else 0.0))


def uniforms(draw: Keys | int, problem: Keys | int, round: Ints | int, agent: Ints | Keys | int) -> Floats:
    """Two numbers in [0, 1) that choose among an action's neighbours: [..., 2]."""
    keys = _then(mixed(draw, problem, round, _CORNER, agent)[..., None], np.arange(2, dtype=np.uint64))
    out: Floats = keys / 2.0**64
    return out


def uniforms_one(draw: int, problem: int, round: int, agent: int) -> tuple[float, float]:
    """:func:`uniforms` of one request."""
    first, last = (mixed_one(draw, problem, round, _CORNER, agent, d) / 2.0**64 for d in (0, 1))
    return first, last


def sample_one(draw: int, problem: int, round: int, cell: int, agent: int, samples: int) -> int:
    """:func:`sample_of` of one request."""
    base = mixed_one(draw, problem, round, _SAMPLE, cell)
    return sorted(range(samples), key=lambda sample: mixed_one(base, sample))[agent]


def sample_of(
    draw: Keys | int, problem: Keys | int, round: Ints | int, cell: Keys, agent: Ints, samples: int
) -> Ints:
    """The sample that each agent takes of its cell: a permutation of them, of which each takes its own place.

    Args:
        cell: keys of the agents' cells; agent: their places, below ``samples``. Both [...].
    """
    base = mixed(draw, problem, round, _SAMPLE, cell)
    order = np.argsort(mixed(base[..., None], np.arange(samples, dtype=np.uint64)), axis=-1)
    out: Ints = np.take_along_axis(order, np.asarray(agent)[..., None], axis=-1)[..., 0]
    return out


def grid_of(cells: Sequence[Cell]) -> Grid:
    return Grid(tuple(sorted({c.temperature for c in cells})), tuple(sorted({c.second for c in cells})))
