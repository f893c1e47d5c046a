"""How far a policy was from equilibrium while it was trained: certificates of its actions on the way.

A training's log holds the policy's mean action at every update, without exploration; each is certified as
what all problems are played with. How actions differed between problems is not in the log.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from econ.certify.policies import on_grid
from econ.certify.recorded import Recorded
from econ.equilibrium.empirical.certificate import Certificate, certificates
from econ.equilibrium.empirical.responses import Array
from econ.equilibrium.empirical.values import values
from econ.records import Json

MOST = 12  # updates, evenly spread


def trajectory(game: Recorded, folder: Path, alpha: tuple[float, ...]) -> list[Json]:
    """Of updates of the training in ``folder``, in order: the episodes so far, and certificates over D0.

    ``alpha`` of the own payoffs is the last policy's throughout, so that all are judged alike.
    """
    episodes, actions = logged(folder, len(game.team))
    places = np.unique(np.linspace(0, len(episodes) - 1, min(MOST, len(episodes))).round().astype(int))
    return [_step(game, episodes[place], actions[place], alpha) for place in places.tolist()]


def logged(folder: Path, n: int) -> tuple[list[int], Array]:
    """Episodes of each update [U], and the policy's mean actions at it [U, N, 2]; without a log, none."""
    root = folder / "curve" / "plots" / "metrics" / "action" / "policy"
    files = [root / f"{name}_{agent + 1}.tsv" for agent in range(n) for name in ("T", "p")]
    if not all(file.is_file() for file in files):
        return [], np.zeros((0, n, 2))
    columns = [_read(file) for file in files]
    episodes = sorted(set.intersection(*map(set, columns)))
    flat = [[column[episode] for column in columns] for episode in episodes]
    return episodes, np.array(flat).reshape(len(episodes), n, 2)


def _read(file: Path) -> dict[int, float]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))[1:]
    return {int(step): float(value) for step, value in rows}


def _step(game: Recorded, episodes: int, actions: Array, alpha: tuple[float, ...]) -> Json:
    found = values(game.table, game.team, on_grid(game, actions), game.payoffs(alpha))
    told = certificates(found, game.table.clusters)
    return {"episodes": episodes, "payoffs": {name: _short(one) for name, one in told.items()}}


def _short(one: Certificate) -> Json:
    names = ("value", "low", "high", "epsilon", "lower", "upper", "nash_conv")
    return {name: getattr(one, name) for name in names}
