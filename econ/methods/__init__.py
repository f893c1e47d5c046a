"""All methods by name. ECON's two play from a checkpoint; the others need none."""

from __future__ import annotations

from econ.errors import EconError
from econ.methods.base import Method
from econ.params import ECON_METHODS, METHODS, Params


def baseline(name: str, params: Params) -> Method:
    """The non-equilibrium or single-agent baseline of that name.

    Raises:
        EconError: no such baseline.
    """
    from econ.methods.cot import ZeroShotCoT
    from econ.methods.debate import Debate

    if name == "cot":
        return ZeroShotCoT()
    if name == "debate":
        return Debate(params.debate.rounds, params.debate.temperature)
    raise unknown(name)


def unknown(name: str) -> EconError:
    if name in ECON_METHODS:
        return EconError(f"'{name}' plays from a checkpoint", f"econ evaluate --method {name}")
    return EconError(f"unknown method '{name}'", f"known: {', '.join(METHODS)}")
