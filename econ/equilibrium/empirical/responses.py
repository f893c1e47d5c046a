"""A bank of answers as arrays.

Dimensions, here and in the whole package: P problems, M models, C cells of the action grid, S samples,
K classes of equal answers (counted per problem), N agents, J payoffs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from econ.errors import EconError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
INVALID = -1  # the class of an answer that could not be read


@dataclass(frozen=True, eq=False)
class ResponseTable:
    """Answers to P problems by M models in C cells, S samples each.

    Attributes:
        cells: the grid's actions (temperature, second value): [C, 2].
        classes: class of each answer within its problem, :data:`INVALID` where unreadable: [P, M, C, S].
        right: whether a class is the right answer: [P, K].
        task: task reward TS of a class, in [0, 1]: [P, K].
        similar: likeness of two classes' representative texts, in [0, 1] (cosine mapped there): [P, K, K].
        tokens: completion tokens of each answer: [P, M, C, S].
        clusters: source question of each problem; problems of one are not independent: [P].
    """

    cells: Array
    classes: Ints
    right: Bools
    task: Array
    similar: Array
    tokens: Ints
    clusters: Ints

    def __post_init__(self) -> None:
        problems, _, cells, _ = self.classes.shape
        kinds = self.right.shape[1]
        expected = {
            "cells": (cells, 2), "right": (problems, kinds), "task": (problems, kinds),
            "similar": (problems, kinds, kinds), "tokens": self.classes.shape, "clusters": (problems,),
        }  # fmt: skip
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, expected {shape}")
        if self.classes.size and not INVALID <= self.classes.min() <= self.classes.max() < kinds:
            raise ValueError(f"classes must lie between {INVALID} and {kinds - 1}")

    @property
    def problems(self) -> int:
        return int(self.classes.shape[0])

    @property
    def samples(self) -> int:
        return int(self.classes.shape[3])

    @cached_property
    def correct(self) -> Bools:
        """Whether each answer is right: [P, M, C, S]."""
        rows = np.arange(self.problems)[:, None, None, None]
        out: Bools = self.right[rows, self.classes] & (self.classes != INVALID)
        return out

    def only(self, problems: Ints | Bools) -> ResponseTable:
        """The table of some problems alone."""
        return replace(
            self,
            classes=self.classes[problems],
            right=self.right[problems],
            task=self.task[problems],
            similar=self.similar[problems],
            tokens=self.tokens[problems],
            clusters=self.clusters[problems],
        )

    def drawn(self, samples: slice) -> ResponseTable:
        """The table of some of the samples alone."""
        return replace(self, classes=self.classes[..., samples], tokens=self.tokens[..., samples])


def table_of(
    cells: Array, classes: Ints, rewards: Array, correct: Bools, tokens: Ints, embeddings: Array,
    clusters: Ints | None = None,
) -> ResponseTable:  # fmt: skip
    """A table from graded answers: a class is as right, as rewarded, and as like others as its first answer.

    Args:
        cells: [C, 2]. classes, rewards (TS), correct, tokens: [P, M, C, S]; class :data:`INVALID` marks
            unreadable answers.
        embeddings: of each class's representative text, all zeros where a problem has fewer: [P, K, D].
        clusters: [P]; None: every problem is its own.
    """
    problems, kinds, _ = embeddings.shape
    length = np.linalg.norm(embeddings, axis=-1, keepdims=True)
    unit = embeddings / np.where(length > 0, length, 1.0)
    return ResponseTable(
        cells, classes,
        right=_of_first(classes, correct, kinds).astype(bool), task=_of_first(classes, rewards, kinds),
        similar=np.clip((unit @ unit.transpose(0, 2, 1) + 1) / 2, 0, 1),
        tokens=tokens, clusters=np.arange(problems) if clusters is None else clusters,
    )  # fmt: skip


def _of_first(classes: Ints, facts: Array | Bools, kinds: int) -> Array:
    """A fact of each class's first answer: [P, M, C, S] -> [P, K]."""
    problems = len(classes)
    last_first, told = (x.reshape(problems, -1)[:, ::-1] for x in (classes, facts))
    row, place = np.nonzero(last_first != INVALID)
    out = np.zeros((problems, kinds))
    out[row, last_first[row, place]] = told[row, place]  # the first answer is written last
    return out


def needs_samples(table: ResponseTable, team: tuple[int, ...]) -> None:
    """Agents of one model take different samples, and one more must be left to deviate with.

    Raises:
        EconError: the table has too few samples for the team; both numbers are named.
    """
    largest = max(team.count(model) for model in team)
    if largest > 1 and table.samples < largest + 1:
        raise EconError(
            f"the bank has {table.samples} samples a cell, too few for {largest} agents of one model: "
            f"they take different samples",
            f"build it with bank.samples of at least {largest + 1}",
        )
