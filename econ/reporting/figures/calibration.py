"""A bank's predictions against fresh answers: the calibration plot of ``econ bank check``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from econ.bank.check import Calibration
from econ.bank.schema import Card
from econ.reporting.figures import style
from econ.reporting.statistics import wilson

BINS = 8


def draw(found: Calibration, card: Card, path: Path) -> None:
    """Write the figure beside ``path`` (the check's JSON), in every format."""
    with style.styled():
        figure, [[axis]] = style.grid(["Share of right answers"], 1, 3.2)
        axis.plot([0, 1], [0, 1], color=style.PAPER, linewidth=0.8, linestyle="--")
        for low, high, predicted, right in _bins(found.points):
            middle = sum(right) / len(right)
            below, above = wilson(sum(right), len(right))
            axis.plot([low, high], [middle, middle], color=style.PALETTE[1], linewidth=0.6)
            axis.errorbar(
                [predicted], [middle], [[middle - below], [above - middle]], fmt="o", color=style.PALETTE[0],
                markersize=4, linewidth=0.8,
            )  # fmt: skip
        axis.set_xlabel("Predicted by the bank")
        axis.set_ylabel("Fresh answers at actions between its cells")
        axis.set_xlim(-0.02, 1.02)
        axis.set_ylim(-0.02, 1.02)
        style.note(figure, sentence(found, card), card.simulated)
        style.save(figure, path.stem, path.parent)


def sentence(found: Calibration, card: Card) -> str:
    """The check in one sentence."""
    slope, expected, gap = found.slope, found.expected, found.difference
    return (
        f"{card.model} on {card.benchmark} ({card.split}): n = {found.n} fresh answers to {found.problems} "
        f"problems; slope {slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}], expected of a right bank "
        f"{expected.value:.2f} [{expected.low:.2f}, {expected.high:.2f}], excess {found.excess.value:+.2f} "
        f"[{found.excess.low:+.2f}, {found.excess.high:+.2f}]; observed less predicted "
        f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]; Brier score {found.brier:.3f}, expected "
        f"{found.expected_brier:.3f}"
    )


def _bins(points: Sequence[tuple[float, float]]) -> list[tuple[float, float, float, list[float]]]:
    """Points in bins of equal numbers: smallest, largest, mean prediction, outcomes."""
    ordered = sorted(points)
    parts = [part for part in np.array_split(np.array(ordered), BINS) if len(part)]
    return [
        (float(p[0, 0]), float(p[-1, 0]), float(p[:, 0].mean()), [float(x) for x in p[:, 1]]) for p in parts
    ]
