"""A bank as arrays: what the equilibrium code reckons with, and a short account of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from econ.bank.schema import NO_CLASS, Bank, Cell, Row
from econ.errors import EconError

Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True)
class Table:
    """P problems x C cells x S samples. ``classes``: NO_CLASS where an answer cannot be read.

    ``rows`` are indices into the bank's rows; ``tokens`` of prompt and completion.
    """

    problems: tuple[str, ...]
    cells: tuple[Cell, ...]
    classes: NDArray[np.int32]
    correct: NDArray[np.bool_]
    invalid: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    rewards: NDArray[np.float64]
    tokens: NDArray[np.int32]  # [P, C, S, 2]
    rows: NDArray[np.int64]


def table(bank: Bank, cells: Sequence[Cell], samples: int, problems: Sequence[str] | None = None) -> Table:
    """The first ``samples`` answers of every problem in every one of ``cells``.

    Raises:
        EconError: the bank lacks a problem, a cell, or samples; what is missing is named.
    """
    names = tuple(problems) if problems is not None else tuple(entry.id for entry in bank.card.entries)
    found = np.stack([rows_of(bank, name, cells, samples) for name in names])

    places = found.flatten().tolist()

    def column(name: str, kind: type[Kind]) -> NDArray[Kind]:
        values: NDArray[Kind] = np.array([getattr(bank.rows[i], name) for i in places], dtype=kind)
        return values.reshape(found.shape)

    return Table(
        names,
        tuple(cells),
        column("group", np.int32),
        column("correct", np.bool_),
        column("invalid", np.bool_),
        column("truncated", np.bool_),
        column("reward", np.float64),
        np.stack([column(f"{name}_tokens", np.int32) for name in ("prompt", "completion")], axis=-1),
        found,
    )


def rows_of(bank: Bank, name: str, cells: Sequence[Cell], samples: int) -> NDArray[np.int64]:
    """Row numbers [C, S] of one problem's answers.

    Raises:
        EconError: as :func:`table`.
    """
    keys = [(name, cell, sample) for cell in cells for sample in range(samples)]
    lacking = next((key for key in keys if key not in bank.places), None)
    if lacking is not None:
        raise _lacking(bank, lacking, samples)
    return np.array([bank.places[key] for key in keys], dtype=np.int64).reshape(len(cells), samples)


def _lacking(bank: Bank, key: tuple[str, Cell, int], samples: int) -> EconError:
    name, cell, sample = key
    card = bank.card
    where = f"the bank of {card.model} on {card.benchmark} ({card.split})"
    build = f"econ bank build --benchmark {card.benchmark} --split {card.split}"
    if all(entry.id != name for entry in card.entries):
        return EconError(f"{where} lacks problem {name}", build)
    if all(row.cell != cell for row in bank.rows):
        return EconError(f"{where} lacks cell {cell}", f"{build}, or other bank.temperature and bank.second")
    return EconError(
        f"{where} has {sample} answers to {name} in cell {cell}, not {samples}",
        f"{build}, or lower bank.samples",
    )


def summary(bank: Bank) -> list[str]:
    """What a bank holds, in lines; accuracy by cell."""
    card, rows = bank.card, bank.rows
    cells = sorted({row.cell for row in rows})
    mark, made = "SIMULATED " if card.simulated else "", " to ".join(dict.fromkeys(card.made))
    lines = [
        f"{mark}{card.benchmark} {card.split}: {len(card.entries)} problems, {len(cells)} cells, "
        f"{len(rows):,} answers by {card.model} ({card.identity}), {made}",
        f"strategies by {card.coordinator}; answers of at most {card.max_tokens} tokens; prompts "
        f"{card.prompts[:12]}; vectors of {len(bank.embeddings):,} texts",
    ]
    return [*lines, *(_cell(cell, [row for row in rows if row.cell == cell]) for cell in cells)]


def _cell(cell: Cell, rows: Sequence[Row]) -> str:
    n = len(rows)
    right, invalid, cut = (
        sum(getattr(row, name) for row in rows) / n for name in ("correct", "invalid", "truncated")
    )
    size = sum(row.completion_tokens for row in rows) / n
    return (
        f"{cell!s:18} {n:6,} answers  right {right:6.1%}  invalid {invalid:6.1%}  cut {cut:6.1%}  "
        f"{size:6.0f} tokens"
    )


__all__ = ["NO_CLASS", "Table", "rows_of", "summary", "table"]
