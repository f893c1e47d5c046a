"""How far a policy was from equilibrium while it was trained: certificates of the checkpoints on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from econ.certify.policies import on_grid, trained
from econ.certify.recorded import Recorded
from econ.equilibrium.empirical.certificate import Certificate, certificates
from econ.equilibrium.empirical.responses import Array
from econ.equilibrium.empirical.values import values
from econ.records import Json

MOST = 12  # checkpoints, evenly spread


def trajectory(
    game: Recorded, folder: Path, vectors: tuple[Array, Array], alpha: tuple[float, ...]
) -> list[Json]:
    """Of each checkpoint of a training, in order: its episodes, and its certificates over D0.

    ``alpha`` of the own payoffs is the last policy's throughout, so that all are judged alike.
    """
    return [_step(game, path, vectors, alpha) for path in spread(sorted(folder.glob("step-*.safetensors")))]


def spread(steps: list[Path]) -> list[Path]:
    places = np.unique(np.linspace(0, len(steps) - 1, min(MOST, len(steps))).round().astype(int))
    return [steps[place] for place in places.tolist()]


def _step(game: Recorded, path: Path, vectors: tuple[Array, Array], alpha: tuple[float, ...]) -> Json:
    policy = trained(game, path, vectors)
    found = values(game.table, game.team, on_grid(game, policy.actions), game.payoffs(alpha))
    told = certificates(found, game.table.clusters)
    return {"episodes": policy.episodes, "payoffs": {name: _short(one) for name, one in told.items()}}


def _short(one: Certificate) -> Json:
    names = ("value", "low", "high", "epsilon", "lower", "upper", "nash_conv")
    return {name: getattr(one, name) for name in names}
