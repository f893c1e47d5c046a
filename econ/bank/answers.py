"""Recorded answers as flat arrays, read as they are first drawn.

A row is a place in an array [P, M, C, S] of problems, models, cells and samples. Which of a problem's answers
it is and its vector are found once; thousands of episodes then look them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from econ import grading
from econ.methods.commitment import elect

if TYPE_CHECKING:
    from econ.bank.client import Shelf

Ints = NDArray[np.int64]
NONE = -1  # the number of an answer that cannot be read


class Answers:
    """Answers of M models in C cells, S samples each; ``vectors`` [rows, D], zeros for no text."""

    def __init__(self, models: int, cells: int, samples: int, size: int) -> None:
        self._shape = models, cells, samples
        self._known = np.zeros(0, np.bool_)
        self.vectors = np.zeros((0, size), np.float32)
        self._texts: dict[int, str | None] = {}
        self._numbers: dict[int, int] = {}  # of a row's answer among its problem's in normal form
        self._kinds: list[str] = []
        self._shelves: list[Sequence[Shelf]] = []
        self._forms: list[list[str]] = []  # of each problem
        self._votes: dict[tuple[int, ...], tuple[int | None, int]] = {}

    def add(self, kind: str, shelves: Sequence[Shelf]) -> int:
        """A problem's answers, model by model; returns its place."""
        place = len(self._shelves)
        self._kinds.append(kind)
        self._shelves.append(shelves)
        self._forms.append([])
        if (needed := (place + 1) * prod(self._shape)) > len(self._known):  # room for twice as many
            room = 2 * needed - len(self._known)
            self._known = np.concatenate([self._known, np.zeros(room, np.bool_)])
            empty = np.zeros((room, self.vectors.shape[1]), np.float32)
            self.vectors = np.concatenate([self.vectors, empty])
        return place

    def rows(self, places: Ints, models: Ints, cells: Ints, samples: Ints) -> Ints:
        """Of arrays of one shape."""
        m, c, s = self._shape
        out: Ints = ((places * m + models) * c + cells) * s + samples
        return out

    def unread(self, rows: Ints) -> Ints:
        """Those of the rows that :meth:`learn` has not been told of, each once."""
        return np.unique(rows[~self._known[rows]])

    def learn(self, rows: Ints, vectors: NDArray[np.float32]) -> None:
        """The vectors [R, D] of rows."""
        self.vectors[rows], self._known[rows] = vectors, True

    def text(self, row: int) -> str | None:
        """None: the model said nothing."""
        if row not in self._texts:
            place, model, cell, sample = self._parts(row)
            shelf = self._shelves[place][model]
            self._texts[row] = shelf.bank.rows[shelf.rows[cell, sample]].text or None
        return self._texts[row]

    def vote(self, place: int, rows: Sequence[int]) -> tuple[int | None, int]:
        """Which of a problem's answers the vote chooses (None: none), and how many are equal to it."""
        numbers = [self._number(row) for row in rows]
        key = (place, *numbers)
        if key not in self._votes:
            forms = self._forms[place]
            given = [None if number == NONE else forms[number] for number in numbers]
            self._votes[key] = elect(given, self._kinds[place])
        return self._votes[key]

    def _number(self, row: int) -> int:
        if row not in self._numbers:
            place = self._parts(row)[0]
            found, forms = grading.extract(self._kinds[place], self.text(row)), self._forms[place]
            if found is not None and found not in forms:
                forms.append(found)
            self._numbers[row] = NONE if found is None else forms.index(found)
        return self._numbers[row]

    def _parts(self, row: int) -> tuple[int, int, int, int]:
        _, c, s = self._shape
        rest, sample = divmod(row, s)
        rest, cell = divmod(rest, c)
        place, model = divmod(rest, self._shape[0])
        return place, model, cell, sample
