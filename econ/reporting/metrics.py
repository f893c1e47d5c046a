"""What one job's traces amount to: the content of a metrics file, recomputed from traces alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from statistics import fmean
from typing import Any

from econ.errors import EconError
from econ.params import Params, setting
from econ.records import Call, Json, Trace
from econ.reporting.catalogue import STRATEGY_FACTS
from econ.reporting.convergence import convergence
from econ.reporting.statistics import wilson


def summarise(traces: Sequence[Trace], problems_info: Mapping[str, Any], params: Params) -> Json:
    """Metrics of one job (benchmark x method x agent count x seed).

    Args:
        traces: one per problem, all of the same job.
        problems_info: the benchmark's manifest: where the problems came from.
        params: for prices, the team and the setting that the answers belong to.

    Returns:
        A JSON object. Shares lie in [0, 1], with Wilson's 95 % interval for the accuracy; ``accuracy`` is
        the flexible reading, ``accuracy_strict`` the strict one; INVALID counts as wrong in both. Token
        counts include failed calls; ``prompt_tokens_once`` counts a prompt once however many samples of a
        problem were drawn from it. ``usd`` prices every call, shared through the cache or not.

    Raises:
        EconError: no traces, traces of several jobs, or a problem answered twice.
    """
    first = _one_job(traces)
    calls = [call for trace in traces for call in trace.calls]
    return {
        "benchmark": first.benchmark,
        "method": first.method,
        "n_agents": first.n_agents,
        "seed": first.seed,
        "simulated": any(trace.simulated for trace in traces),
        "recorded": first.recorded,
        "fixed": dict(first.detail.get("fixed", {})),  # dimensions of the action that were not learned
        **_grades(traces),
        "mean_rounds": fmean(trace.rounds for trace in traces),
        "stop_reasons": _counts(trace.stop or "not stated" for trace in traces),
        **_spending(calls, len(traces), params),
        "prompt_tokens_once": sum(map(_prompt_once, traces)),
        "models": {role: sorted(models) for role, models in sorted(_team(calls).items())},
        "problems": dict(problems_info),
        "setting": setting(params, first.method),
        **_extras(traces),
    }


def _one_job(traces: Sequence[Trace]) -> Trace:
    if not traces:
        raise EconError("there are no traces to summarise", "give the benchmark at least one test problem")
    first = traces[0]
    jobs = {(trace.benchmark, trace.method, trace.n_agents, trace.seed) for trace in traces}
    if len(jobs) > 1:
        raise EconError(f"traces of {len(jobs)} jobs are mixed in one file: {sorted(jobs)}")
    twice = [name for name, count in Counter(trace.problem_id for trace in traces).items() if count > 1]
    if twice:
        raise EconError(f"problem {twice[0]} of {first.benchmark} is answered twice by {first.method}")
    return first


def _grades(traces: Sequence[Trace]) -> Json:
    n, correct = len(traces), sum(trace.correct for trace in traces)
    low, high = wilson(correct, n)
    return {
        "n": n,
        "correct": correct,
        "accuracy": correct / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "accuracy_strict": sum(trace.strict is True for trace in traces) / n,
        "mean_reward": fmean(trace.reward for trace in traces),
        "invalid": sum(trace.invalid for trace in traces),
        "invalid_reasons": _counts(trace.reason or "not stated" for trace in traces if trace.invalid),
        "parse_rate": sum(not trace.invalid for trace in traces) / n,
        "parse_rate_strict": sum(trace.strict is not None for trace in traces) / n,
    }


def _spending(calls: Sequence[Call], n: int, params: Params) -> Json:
    prompt = sum(call.prompt_tokens for call in calls)
    completion = sum(call.completion_tokens for call in calls)
    return {
        "calls": len(calls),
        "failed_calls": sum(not call.ok for call in calls),
        "truncated_calls": sum(call.finish_reason == "length" for call in calls),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "tokens_estimated": any(call.tokens_estimated for call in calls),
        "calls_per_problem": len(calls) / n,
        "prompt_tokens_per_problem": prompt / n,
        "completion_tokens_per_problem": completion / n,
        "total_tokens_per_problem": (prompt + completion) / n,
        "usd": _price(calls, params),
    }


def _prompt_once(trace: Trace) -> int:
    """Prompt tokens with each prompt counted once, however many samples were drawn from it."""
    prompts: dict[str, int] = {}
    _note_prompts(prompts, trace.calls)
    return sum(prompts.values())


def _note_prompts(prompts: dict[str, int], calls: Iterable[Call]) -> None:
    for call in calls:
        asked = repr((call.model, call.messages))
        prompts[asked] = max(prompts.get(asked, 0), call.prompt_tokens)  # a failed call may know of none


def _price(calls: Iterable[Call], params: Params) -> float | None:
    """USD of all calls; None where a model has no price in params."""
    total = 0.0
    for call in calls:
        price = params.llm.prices.get(call.model)
        if price is None:
            return None
        total += price.usd(call.tokens)
    return round(total, 9)


def _team(calls: Iterable[Call]) -> dict[str, set[str]]:
    team: dict[str, set[str]] = {}
    for call in calls:
        team.setdefault(call.role, set()).add(call.model)
    return team


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, values)).items()))  # plain text: JSON takes no enum for a key


def _extras(traces: Sequence[Trace]) -> Json:
    """Numbers that only some benchmarks and methods have."""
    extras: Json = {}
    if all("constraints" in trace.detail for trace in traces):
        extras["travelplanner"] = _plan_rates(traces)
    if any("subsets" in trace.detail for trace in traces):
        extras["subsets"] = _subsets(traces)
    if any("strategy_text" in trace.detail for trace in traces):
        extras["strategies"] = _strategies(traces)
    if all("first_k" in trace.detail for trace in traces):
        extras["points"] = operating_points(traces)
    if rounds := convergence(traces):
        extras["convergence"] = rounds
    if any("dropped_exchanges" in trace.detail for trace in traces):
        extras["dropped_exchanges"] = sum(trace.detail.get("dropped_exchanges", 0) for trace in traces)
    if any("favoured" in trace.detail for trace in traces):
        extras["favoured"] = _counts(trace.detail.get("favoured") or "neither" for trace in traces)
    return extras


def operating_points(traces: Sequence[Trace]) -> list[Json]:
    """Accuracy and cost of the first k samples or rounds alone, for k = 1, 2, …: a row each, the whole last.

    Of traces that hold the verdict on every k (``detail.first_k``); the calls carry the number of their
    sample or round. A problem that ended before round k counts as it ended. Token counts are per problem.
    """
    n = len(traces)
    verdicts = [trace.detail["first_k"] for trace in traces]
    spent = [_spending_so_far(trace) for trace in traces]
    rows = []
    for k in range(1, max(map(len, spent)) + 1):
        last = [min(k, len(one)) - 1 for one in spent]
        correct = sum(v["correct"][i] for v, i in zip(verdicts, last, strict=True))
        low, high = wilson(correct, n)
        prompt, once, completion = (
            sum(one[i][kind] for one, i in zip(spent, last, strict=True)) for kind in range(3)
        )
        rows.append(
            {
                "unit": verdicts[0]["unit"],
                "k": k,
                "correct": correct,
                "accuracy": correct / n,
                "accuracy_low": low,
                "accuracy_high": high,
                "invalid": sum(v["invalid"][i] for v, i in zip(verdicts, last, strict=True)),
                "prompt_tokens_per_problem": prompt / n,
                "prompt_tokens_once_per_problem": once / n,
                "completion_tokens_per_problem": completion / n,
                "total_tokens_per_problem": (prompt + completion) / n,
            }
        )
    return rows


def _spending_so_far(trace: Trace) -> list[tuple[int, int, int]]:
    """Prompt tokens, those with each prompt counted once, and completion tokens of the first 1, 2, … k."""
    known, made = trace.detail["first_k"], defaultdict(list)
    for call in trace.calls:
        made[getattr(call, known["unit"])].append(call)
    prompt = completion = 0
    prompts: dict[str, int] = {}
    spent = []
    for place in range(len(known["correct"])):
        prompt += sum(call.prompt_tokens for call in made[place])
        completion += sum(call.completion_tokens for call in made[place])
        _note_prompts(prompts, made[place])
        spent.append((prompt, sum(prompts.values()), completion))
    return spent


def _plan_rates(traces: Sequence[Trace]) -> Json:
    """TravelPlanner's official rates, over all plans asked for and by level."""
    from econ.grading.travelplanner import Score, rates

    names = {field.name for field in fields(Score)}
    return rates(Score(**{k: v for k, v in trace.detail.items() if k in names}) for trace in traces)


def _strategies(traces: Sequence[Trace]) -> Json:
    """How often a strategy was asked for again, was cut, or had to do with the answer; valid commitments."""
    steps = [step for trace in traces for step in trace.steps]
    counts = {
        "given": sum(bool(trace.detail.get("strategy_text")) for trace in traces),
        "commitments": len(steps),
        "valid": sum(step.get("commitment_valid") is True for step in steps),
    }
    return {
        fact: counts[fact]
        if fact in counts
        else sum(t.detail.get(f"strategy_{fact}") is True for t in traces)
        for fact in STRATEGY_FACTS
    }


def _subsets(traces: Sequence[Trace]) -> Json:
    """Each part of the benchmark that its problems name, by itself."""
    parts: dict[str, list[bool]] = defaultdict(list)
    for trace in traces:
        for name in trace.detail.get("subsets", ()):
            parts[name].append(trace.correct)
    return {name: {"n": len(parts[name]), "correct": sum(parts[name])} for name in sorted(parts)}
