"""Who commits to which answer: functions from the tuple of the agents' answer classes to a class.

All take ``problems`` [T] (rows of the table) and ``classes`` [T, N] (in the agents' order, INVALID where an
answer was unreadable) and give the committed class [T], INVALID for no commitment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from econ.equilibrium.empirical.responses import INVALID, Array, Ints
from econ.errors import EconError

Coordinator = Callable[[Ints, Ints], Ints]
Key = tuple[int, tuple[int, ...]]  # problem, classes in the agents' order


def votes(classes: Ints) -> Ints:
    """How many agents gave each agent's answer, itself counted; 0 for unreadable ones: [T, N]."""
    same = classes[:, :, None] == classes[:, None, :]
    return np.asarray(same.sum(axis=2) * (classes != INVALID), dtype=np.int64)


def vote(problems: Ints, classes: Ints) -> Ints:
    """The plurality's class, ties to the earliest agent."""
    winner = votes(classes).argmax(axis=1)
    return np.asarray(np.take_along_axis(classes, winner[:, None], axis=1)[:, 0])


def confidence(classes: Ints) -> Array:
    """The share of agents behind the vote's winner: [T]."""
    out: Array = votes(classes).max(axis=1) / classes.shape[1]
    return out


@dataclass(frozen=True)
class Cached:
    """The commitments of an LLM that was asked once per tuple of classes."""

    commitments: Mapping[Key, int]

    def __call__(self, problems: Ints, classes: Ints) -> Ints:
        keys = _keys(problems, classes)
        missing = [key for key in keys if key not in self.commitments]
        if missing:
            raise EconError(
                f"{len(set(missing))} tuples of answers have no commitment in the bank "
                f"(the first: problem {missing[0][0]}, classes {missing[0][1]})",
                "ask the coordinator for them first, or use team.commitment: vote",
            )
        return np.array([self.commitments[key] for key in keys], dtype=np.int64)

    def agreement(self, again: Mapping[Key, int]) -> float:
        """Share of tuples on which a second asking, with other representatives, says the same."""
        both = [key for key in again if key in self.commitments]
        return float(np.mean([self.commitments[key] == again[key] for key in both])) if both else float("nan")


def _keys(problems: Ints, classes: Ints) -> list[Key]:
    return [(int(p), tuple(row)) for p, row in zip(problems, classes.tolist(), strict=True)]


@dataclass(frozen=True)
class Surrogate:
    """A conditional logit fitted on cached commitments, for teams with too many tuples to ask for.

    The score of each class that was answered is linear in its votes, its earliest agent's place, and whether
    it is the plurality; the likeliest one is committed to.
    """

    weights: Array  # [3]

    def __call__(self, problems: Ints, classes: Ints) -> Ints:
        scores = np.where(classes != INVALID, _features(classes) @ self.weights, -np.inf)
        winner = scores.argmax(axis=1)
        return np.asarray(np.take_along_axis(classes, winner[:, None], axis=1)[:, 0])


def fit_surrogate(commitments: Mapping[Key, int], penalty: float = 1e-2) -> Surrogate:
    """By penalised maximum likelihood over the tuples whose commitment is one of the agents' answers."""
    from scipy import optimize

    told = [(key[1], chosen) for key, chosen in commitments.items() if chosen in key[1] and chosen != INVALID]
    if not told:
        raise EconError("no cached commitment repeats an executor's answer: there is nothing to fit on")
    classes = np.array([row for row, _ in told], dtype=np.int64)
    features, chosen = _features(classes), classes == np.array([c for _, c in told])[:, None]
    first = _earliest(classes)  # each class counts once, at its earliest agent

    def loss(weights: Array) -> float:
        scores = np.where(first, features @ weights, -np.inf)
        peak = scores.max(axis=1, keepdims=True)
        total = peak[:, 0] + np.log(np.exp(scores - peak).sum(axis=1))
        taken = np.where(chosen & first, features @ weights, 0.0).sum(axis=1)
        return float((total - taken).mean() + penalty * (weights**2).sum())

    return Surrogate(np.asarray(optimize.minimize(loss, np.zeros(3)).x))


def _earliest(classes: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether each agent is the first with its (readable) answer: [T, N]."""
    n = classes.shape[1]
    before = (classes[:, :, None] == classes[:, None, :]) & np.tri(n, k=-1, dtype=bool)
    return np.asarray(~before.any(axis=2) & (classes != INVALID))


def _features(classes: Ints) -> Array:
    """Share of votes, place of the earliest agent, whether the plurality: [T, N, 3]."""
    n, counts = classes.shape[1], votes(classes)
    same = classes[:, :, None] == classes[:, None, :]
    place = same.argmax(axis=2) / n
    return np.stack([counts / n, -place, counts == counts.max(axis=1, keepdims=True)], axis=2)
