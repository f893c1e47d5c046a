"""All methods by name. ECON's two play from a checkpoint; the others need none."""

from __future__ import annotations

from collections.abc import Callable

from econ.errors import EconError
from econ.methods.base import Method
from econ.params import BASELINES, ECON_METHODS, METHODS, Params, plays


def baseline(name: str, params: Params, benchmark: str) -> Method:
    """The non-equilibrium or single-agent baseline of that name, for playing on a benchmark.

    Raises:
        EconError: no such baseline, or it is not defined on this benchmark.
    """
    if name not in BASELINES:
        raise unknown(name)
    if not plays(name, benchmark):
        where = "plans (travelplanner)" if BASELINES[name] == "plans" else "questions, not on plans"
        raise EconError(f"'{name}' does not play on {benchmark}", f"it is defined on {where} alone")
    return _MAKERS[name](params)


def _cot(params: Params) -> Method:
    from econ.methods.cot import ZeroShotCoT

    return ZeroShotCoT()


def _debate(params: Params) -> Method:
    from econ.methods.debate import Debate

    return Debate(params.debate.rounds, params.debate.temperature)


def _tot(params: Params) -> Method:
    from econ.methods.tot import TreeOfThoughts

    return TreeOfThoughts(params.tot)


def _rap(params: Params) -> Method:
    from econ.methods.rap import ReasoningViaPlanning

    return ReasoningViaPlanning(params.rap)


# Each imports its module when it is asked for: a job needs one.
_MAKERS: dict[str, Callable[[Params], Method]] = {
    "cot": _cot,
    "debate": _debate,
    "tot": _tot,
    "rap": _rap,
}


def unknown(name: str) -> EconError:
    if name in ECON_METHODS:
        return EconError(f"'{name}' plays from a checkpoint", f"econ evaluate --method {name}")
    return EconError(f"unknown method '{name}'", f"known: {', '.join(METHODS)}")
