"""Policies as profiles on a bank's grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from econ.certify.recorded import Recorded, recorded
from econ.equilibrium.empirical.payoffs import ACCURACY
from econ.equilibrium.empirical.profiles import mixed, pure
from econ.equilibrium.empirical.responses import Array
from econ.equilibrium.empirical.search import uniform_values
from econ.errors import EconError
from econ.params import Params
from econ.records import Split

if TYPE_CHECKING:
    from econ.equilibrium.networks import TeamNetworks

TRAINED, UNTRAINED, UNIFORM = "trained", "untrained", "uniform"
FIXED = {"temperature": 0.7, "repetition_penalty": 1.0, "top_p": 0.9}  # ordinary sampling


@dataclass(frozen=True, eq=False)
class Policy:
    """``weights`` over cells, [N, C] or [P, N, C]; ``alpha`` of the own payoffs that it is judged by.

    ``chosen_on``: the problems that it comes from; None: from none.
    """

    name: str
    weights: Array
    alpha: tuple[float, ...]
    chosen_on: Split | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What a checkpoint does before anybody has answered: actions [P, N, 2]."""

    actions: Array
    alpha: tuple[float, ...]


def policy(game: Recorded, name: str, folder: Path | None, vectors: tuple[Array, Array] | None) -> Policy:
    """A policy by its name, or as a list of actions in JSON.

    ``folder`` is the checkpoint's; without it, or for other policies where it has none, alpha is the params'.

    Raises:
        EconError: no such policy, no checkpoint, one of another team, or an action off the bank's grid.
    """
    n, cells, alpha = len(game.team), game.table.cells, tuple(game.params.reward.alpha)
    if name == TRAINED:
        if folder is None or vectors is None:
            raise EconError("the trained policy needs a checkpoint", "train one: econ train")
        found = trained(game, folder, vectors)
        return Policy(name, on_grid(game, found.actions), found.alpha, "train")
    if name == UNIFORM:
        chosen_on = _training(game) or game
        best = int(uniform_values(chosen_on.game(alpha, ACCURACY)).mean(axis=1).argmax())
        return Policy(name, pure(len(cells), np.full(n, best)), alpha, chosen_on.split)
    if name == UNTRAINED:
        return Policy(name, on_grid(game, np.tile(middle(game.params), (n, 1))), alpha)
    return Policy("given", on_grid(game, read_actions(name, n)), alpha)


def _training(game: Recorded) -> Recorded | None:
    """The training problems' bank, if there is one of the same cells."""
    try:
        other = recorded(game.params, game.benchmark, len(game.team), "train")
    except EconError:
        return None
    return other if np.array_equal(other.table.cells, game.table.cells) else None


def trained(game: Recorded, folder: Path, vectors: tuple[Array, Array]) -> Trained:
    """The actions of round 0 of the checkpoint in ``folder``."""
    from econ.equilibrium import checkpoint
    from econ.methods.econ.method import CHECKPOINT

    path = folder / CHECKPOINT
    team, header = checkpoint.load_team(path)
    checkpoint.fit(path, header, game.params, len(game.team), game.benchmark)
    return Trained(first_actions(team, vectors, game.params), header.alpha)


def first_actions(team: TeamNetworks, vectors: tuple[Array, Array], params: Params) -> Array:
    """As an episode's first round has them, for all problems at once: [P, N, 2]."""
    import torch

    from econ.equilibrium.actions import scale

    with torch.inference_mode():
        texts = torch.from_numpy(np.stack(vectors, axis=1)).float()
        executors, problems = team.executors, len(texts)
        given = executors.read_texts(texts).unbind(1)
        nothing = executors.read_nothing.unsqueeze(0).expand(problems, -1, -1)
        start = torch.full((problems, team.n, 2), 0.5)
        beliefs = executors.believe([*given, nothing, nothing], start, None)
        shares = torch.sigmoid(executors.logits(beliefs))
    return np.array([scale(u, params.action) for u in shares])


def middle(params: Params) -> list[float]:
    """The middle of the ranges: what networks do before they have learned anything."""
    return [
        params.action.fixed.get(name, (span.low + span.high) / 2)
        for name, span in params.action.dimensions.items()
    ]


def fixed(params: Params) -> list[float]:
    return [params.action.fixed.get(name, FIXED[name]) for name in params.action.dimensions]


def read_actions(text: str, n: int) -> Array:
    """[[T, p], … N] in JSON: [N, 2]."""
    import orjson

    try:
        actions = np.array(orjson.loads(text), dtype=float)
    except (orjson.JSONDecodeError, TypeError, ValueError):
        actions = np.zeros(0)
    if actions.shape != (n, 2) or not np.isfinite(actions).all():
        raise EconError(
            f"--policy {text!r} is neither a policy nor {n} actions",
            f"give {TRAINED}, {UNTRAINED}, {UNIFORM}, or a list of {n} pairs: '[[0.7, 1.0], …]'",
        )
    return actions


def profile_or_none(game: Recorded, actions: list[float]) -> Array | None:
    """All agents at one action, where the grid has it."""
    try:
        return on_grid(game, np.tile(actions, (len(game.team), 1)))
    except EconError:
        return None


def on_grid(game: Recorded, actions: Array) -> Array:
    """Actions as probabilities over the bank's cells."""
    return mixed(game.table.cells, actions, nearest=game.params.bank.between == "nearest")
