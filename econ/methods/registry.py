"""All methods by name. ECON's two play from a checkpoint; the others need none."""

from __future__ import annotations

from collections.abc import Callable

from econ import prompts
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
    if not plays(name, params.kind_of(benchmark)):
        where = "plans (travelplanner)" if BASELINES[name] == "plans" else "questions, not on plans"
        raise EconError(f"'{name}' does not play on {benchmark}", f"it is defined on {where} alone")
    return _MAKERS[name](params)


def _direct(params: Params) -> Method:
    from econ.methods.one_call import OneCall

    return OneCall("direct", prompts.direct)


def _cot(params: Params) -> Method:
    from econ.methods.one_call import OneCall

    return OneCall("cot", prompts.cot)


def _few_shot_cot(params: Params) -> Method:
    from econ.methods.one_call import OneCall

    return OneCall("few-shot-cot", prompts.few_shot)


def _self_consistency(params: Params) -> Method:
    from econ.methods.sampling import SelfConsistency

    own = params.self_consistency
    prompt = prompts.few_shot if own.prompt == "few-shot" else prompts.cot
    return SelfConsistency(own.k, own.temperature, prompt)


def _best_of_n(params: Params) -> Method:
    from econ.methods.sampling import BestOfN

    return BestOfN(params.best_of_n.temperature)


def _moa(params: Params) -> Method:
    from econ.methods.moa import MixtureOfAgents

    return MixtureOfAgents(params.moa.layers, params.moa.temperature)


def _react(params: Params) -> Method:
    from econ.methods.react import ReAct

    return ReAct(params.react.steps, params.react.step_tokens)


def _reflexion(params: Params) -> Method:
    from econ.methods.react import ReAct

    own = params.reflexion
    return ReAct(own.steps, own.step_tokens, own.failures)


def _greedy_search(params: Params) -> Method:
    from econ.methods.greedy import GreedySearch

    return GreedySearch()


def _debate(params: Params) -> Method:
    from econ.methods.debate.debate import Debate

    p = params.debate
    return Debate(p.rounds, p.temperature, agreement_stop=p.agreement_stop)


def _sparse_debate(params: Params) -> Method:
    from econ.methods.debate.debate import Debate

    p = params.sparse_debate
    return Debate(
        p.rounds, p.temperature, degree=p.degree, agreement_stop=p.agreement_stop, name="sparse-debate"
    )


def _mad(params: Params) -> Method:
    from econ.methods.debate.mad import TitForTat

    return TitForTat(params.mad.level, params.mad.rounds, params.mad.temperature)


def _tot(params: Params) -> Method:
    from econ.methods.search.tot import TreeOfThoughts

    return TreeOfThoughts(params.tot)


def _rap(params: Params) -> Method:
    from econ.methods.search.rap import ReasoningViaPlanning

    return ReasoningViaPlanning(params.rap)


def _rstar(params: Params) -> Method:
    from econ.methods.search.rstar import MutualReasoning

    return MutualReasoning(params.rstar)


# Each imports its module when it is asked for: a job needs one.
_MAKERS: dict[str, Callable[[Params], Method]] = {
    "direct": _direct,
    "cot": _cot,
    "few-shot-cot": _few_shot_cot,
    "self-consistency": _self_consistency,
    "best-of-n": _best_of_n,
    "moa": _moa,
    "react": _react,
    "reflexion": _reflexion,
    "greedy-search": _greedy_search,
    "debate": _debate,
    "tot": _tot,
    "rap": _rap,
    "rstar": _rstar,
    "sparse-debate": _sparse_debate,
    "mad": _mad,
}


def unknown(name: str) -> EconError:
    if name in ECON_METHODS:
        return EconError(f"'{name}' plays from a checkpoint", f"econ evaluate --method {name}")
    return EconError(f"unknown method '{name}'", f"known: {', '.join(METHODS)}")
