"""Does the action matter? Accuracy of one answer and of votes, by cell of the recorded banks.

    python perf/first_look.py MODEL [SPLIT]

Reads data/records/MODEL (a model's folder there), prints a table and draws docs/first-look.png. The vote of n
is the mean over all ordered choices of n distinct samples, ties to the earliest; intervals are of the mean
over problems.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from statistics import fmean
from typing import Any

from econ import benchmarks, paths
from econ.bank import store
from econ.bank.schema import NO_CLASS, Bank, Cell, Row
from econ.reporting.figures import style
from econ.reporting.statistics import Interval, mean_interval

VOTES = (1, 3, 5)
Look = dict[tuple[Cell, int], tuple[float, Interval]]  # by cell and size of the vote


def chosen(votes: Sequence[Row]) -> bool:
    """Is the plurality's answer right? Ties go to the earliest; nothing readable is wrong."""
    counts = Counter(row.group for row in votes if row.group != NO_CLASS)
    if not counts:
        return False
    most = max(counts.values())
    return next(row.correct for row in votes if row.group != NO_CLASS and counts[row.group] == most)


def look(bank: Bank) -> Look:
    """Accuracy of every vote that the samples allow, in every cell that has all problems."""
    found: Look = {}
    for cell in sorted({row.cell for row in bank.rows}):
        by_problem: dict[str, list[Row]] = {entry.id: [] for entry in bank.card.entries}
        for row in bank.rows:
            if row.cell == cell:
                by_problem[row.problem_id].append(row)
        samples = min(map(len, by_problem.values()))
        for size in (size for size in VOTES if size <= samples):
            right = [fmean(map(chosen, permutations(rows, size))) for rows in by_problem.values()]
            found[cell, size] = fmean(right), mean_interval(right)
    return found


def told(name: str, bank: Bank, found: Look) -> list[str]:
    """Rows of a Markdown table: a cell each."""
    lines = []
    for cell in dict.fromkeys(cell for cell, _ in found):
        rows = [row for row in bank.rows if row.cell == cell]
        shares = [100 * fmean(getattr(row, flag) for row in rows) for flag in ("invalid", "truncated")]
        marks = [_mark(found.get((cell, size))) for size in VOTES]
        lines.append(
            f"| {name} | {cell.temperature:g} | {cell.second:g} | {len(bank.card.entries)} × "
            f"{len(rows) // len(bank.card.entries)} | {' | '.join(marks)} | "
            f"{fmean(row.completion_tokens for row in rows):.0f} | {shares[0]:.1f} % | {shares[1]:.1f} % |"
        )
    return lines


def _mark(value: tuple[float, Interval] | None) -> str:
    if value is None:
        return "–"
    mean, (low, high) = value
    return f"{mean:.2f} [{max(low, 0):.2f}, {min(high, 1):.2f}]"


def draw(looks: dict[str, Look], sentence: str, path: Path) -> None:
    """A panel for each benchmark: accuracy over temperature, a line for each penalty and vote."""
    with style.styled():
        figure, axes = style.grid([benchmarks.title(name) for name in looks], 1, 2.2)
        panels = [axis for row in axes for axis in row][: len(looks)]
        for axis, found in zip(panels, looks.values(), strict=True):
            for place, penalty in enumerate(sorted({cell.second for cell, _ in found})):
                for size in dict.fromkeys(size for _, size in found):
                    _line(axis, found, penalty, size, style.PALETTE[2 * place], place)
            axis.set_ylim(0, 1)
            axis.set_xlabel("Temperature")
        panels[0].set_ylabel("Share of right answers")
        panels[0].legend(fontsize=6, loc="lower left")
        style.note(figure, sentence, False)
        figure.savefig(path, dpi=150)


def _line(axis: Any, found: Look, penalty: float, size: int, colour: str, place: int) -> None:
    points = [
        (cell.temperature, *found[cell, size]) for cell, of in found if cell.second == penalty and of == size
    ]
    shift = 0.012 * (VOTES.index(size) + 3 * place)
    middles = [mean for _, mean, _ in points]
    errors = [
        [mean - max(low, 0) for _, mean, (low, _) in points],
        [min(high, 1) - mean for _, mean, (_, high) in points],
    ]
    axis.errorbar(
        [temperature + shift for temperature, *_ in points], middles, errors, color=colour, linewidth=0.9,
        linestyle=style.DASHES[VOTES.index(size)], marker=style.MARKERS[VOTES.index(size)], markersize=3,
        label=f"penalty {penalty:g}, {'one answer' if size == 1 else f'vote of {size}'}",
    )  # fmt: skip


def main() -> None:
    model, split = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "test"
    looks: dict[str, Look] = {}
    columns = "benchmark, T, p, problems × samples, one answer, vote of 3, vote of 5, tokens, INVALID, cut"
    print(f"| {columns.replace(', ', ' | ')} |")
    print("|---|---:|---:|---|---|---|---|---:|---:|---:|")
    dates: list[str] = []
    for path in sorted((paths.RECORDS / model).glob(f"*/{split}--{model}--plain.parquet")):
        bank = store.read(path)
        looks[bank.card.benchmark] = look(bank)
        dates += bank.card.made
        print("\n".join(told(benchmarks.title(bank.card.benchmark), bank, looks[bank.card.benchmark])))
    sentence = (
        f"RECORDED: {model}, {min(dates)} to {max(dates)}; problems of this project's own; 95 % intervals"
    )
    draw(looks, sentence, Path("docs/first-look.png"))


if __name__ == "__main__":
    main()
