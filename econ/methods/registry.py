"""Making the method that a job names, ready to play."""

from __future__ import annotations

import inspect
from pathlib import Path

from econ.errors import EconError
from econ.methods.base import Player
from econ.params import Params, about, parse_method, plays


def baseline(name: str, params: Params, benchmark: str) -> Player:
    """The method of that name, which needs no checkpoint, for playing on a benchmark.

    Raises:
        EconError: no such method, it plays from a checkpoint, or it is not defined on this benchmark.
    """
    known = about(name)
    if known.trained:
        raise EconError(f"'{name}' plays from a checkpoint", f"econ evaluate --method {name}")
    if not plays(name, params.kind_of(benchmark)):
        where = "plans (travelplanner)" if known.domain == "plans" else "questions, not on plans"
        raise EconError(f"'{name}' does not play on {benchmark}", f"it is defined on {where} alone")
    try:
        takes = inspect.signature(known.made_by).parameters
        made: Player = known.made_by(params.settings_of(name)) if takes else known.made_by()
    except TypeError as fault:  # such as a method that is still abstract
        raise EconError(f"method '{name}' cannot be made: {fault}", "see docs/extending.md") from None
    return made


def player(
    method: str, params: Params, benchmark: str, n_agents: int, checkpoint: Path | None = None
) -> Player:
    """Any method, ready to play.

    Args:
        method: its name, or METHOD+VARIANT.
        params: the variant's own, where there is one.
        checkpoint: what a trained method plays from.

    Raises:
        EconError: no such method, not defined on this benchmark, or there is no checkpoint.
    """
    name = parse_method(method)[0]
    if not about(name).trained:
        return baseline(name, params, benchmark)
    if checkpoint is None:
        raise EconError(f"'{name}' plays from a checkpoint", "name one with --checkpoint")
    from econ.methods.econ.method import from_checkpoint

    return from_checkpoint(checkpoint, params, n_agents, name)
