"""Banks as the table that the empirical game reckons with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from econ import grading
from econ.bank.schema import NO_CLASS, Bank, Cell, Row
from econ.bank.table import table
from econ.equilibrium.empirical.responses import ResponseTable, table_of
from econ.errors import EconError

Numbers = NDArray[np.float64]


def responses(
    banks: Sequence[Bank],
    cells: Sequence[Cell],
    samples: int,
    kind: str,
    problems: Sequence[str] | None = None,
    clusters: NDArray[np.int64] | None = None,
) -> ResponseTable:
    """One bank per model, of the same problems, as one table.

    Args:
        kind: of answer; it says which answers of different models are equal.
        problems: in this order; None: all of the first bank.
        clusters: [P] source question of each problem; None: every problem is its own.

    Raises:
        EconError: a bank lacks a problem, a cell, samples, or its answers' vectors.
    """
    names = tuple(problems) if problems is not None else tuple(e.id for e in banks[0].card.entries)
    tables = [table(bank, cells, samples, names) for bank in banks]
    rows = np.stack([found.rows for found in tables], axis=1)  # [P, M, C, S]
    classes = np.empty(rows.shape, np.int64)
    vectors = []
    for p in range(len(names)):
        own = [[bank.rows[i] for i in rows[p, m].flat] for m, bank in enumerate(banks)]
        numbers, firsts = _classes(own, kind)
        classes[p] = numbers.reshape(rows.shape[1:])
        vectors.append([_vector(banks, row) for row in firsts])
    size = next((len(vector) for of_problem in vectors for vector in of_problem), 1)
    embeddings = np.zeros((len(names), max([1, *map(len, vectors)]), size))
    for p, of_problem in enumerate(vectors):
        for k, vector in enumerate(of_problem):
            embeddings[p, k] = vector

    def stacked(name: str) -> NDArray[np.generic]:
        return np.stack([getattr(found, name) for found in tables], axis=1)

    return table_of(
        np.array(cells, dtype=np.float64),
        classes,
        stacked("rewards").astype(np.float64),
        stacked("correct").astype(np.bool_),
        stacked("tokens")[..., 1].astype(np.int64),
        embeddings,
        clusters,
    )


def _classes(own: Sequence[Sequence[Row]], kind: str) -> tuple[NDArray[np.int64], list[Row]]:
    """Of one problem: the class of every answer, model by model, and the first answer of each class."""
    rows = [row for of_model in own for row in of_model]
    if len(own) == 1:
        keys: list[object] = [row.group for row in rows]
    else:
        given = list(dict.fromkeys(row.answer for row in rows if row.group != NO_CLASS))
        groups = grading.grouped(kind, given)
        number = {given[place]: i for i, group in enumerate(groups) for place in group}
        keys = [NO_CLASS if row.group == NO_CLASS else number[row.answer] for row in rows]
    places: dict[object, int] = {}
    firsts: list[Row] = []
    out = np.full(len(rows), NO_CLASS, np.int64)
    for i, (key, row) in enumerate(zip(keys, rows, strict=True)):
        if key == NO_CLASS:
            continue
        if key not in places:
            places[key] = len(firsts)
            firsts.append(row)
        out[i] = places[key]
    return out, firsts


def _vector(banks: Sequence[Bank], row: Row) -> Numbers:
    for bank in banks:
        half = bank.embeddings.get(row.text)
        if half is not None:
            return np.frombuffer(half, np.float16).astype(np.float64)
    card = banks[0].card
    raise EconError(
        f"the bank of {card.model} on {card.benchmark} ({card.split}) has no vector of an answer to "
        f"{row.problem_id}",
        f"econ bank build --benchmark {card.benchmark} --split {card.split} computes what is missing",
    )
