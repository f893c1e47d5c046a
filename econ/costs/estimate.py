"""Calls, tokens and money before spending: an upper estimate per job, from params and the real prompts.

Baselines are played on sampled problems against a client that answers nothing, at full length, and counts:
whatever a method would ask is what is counted. All its answers differ and none is in a final form, so nothing
ends early; a search is taken to go up to its bounds with prompts as long as those.

ECON's calls per problem, with N executors, D decisions (``train.max_rounds``), K refinements of each, S
strategies and C commitment calls at a time, are

    S + D * (K + 1) * (N + C)        K = bne.max_iterations_infer, _train while training, 0 for econ-baseline

S = 2 (one that is too long or states an answer is asked for again; 0 without strategy), C = 1, or one per
group and a central one where coordination is hierarchical. It is an upper count: refinement may stop early.

Tokens: a prompt counts by :func:`econ.tokens.prompt_at_most`, an answer counts its cap. Prompts are measured
on a sample, each problem of it standing for the shorter ones next to it. Attempts that fail come on top.
Round 0 of econ-bne asks what econ-baseline asks, so the later of the two is paid in part by the other.

What the cache holds of a job is found request by request (:mod:`econ.costs.coverage`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from types import TracebackType
from typing import Self

from econ import benchmarks, paths, prompts, tokens
from econ.costs import coverage
from econ.costs.coverage import Kept
from econ.costs.usage import Amount, Needs, add, merged, times, total
from econ.llm.base import Usage
from econ.methods.base import Bounded, Player, Session
from econ.methods.registry import baseline
from econ.params import Params, learns, parse_method
from econ.records import Call, Job, Message, Problem, Request, Tokens

SAMPLE = 20  # problems whose prompts are measured, the longest of as many groups
FEW = 2  # of them for a search, which is long to play and counted up to its bounds whatever it asks


@dataclass(frozen=True, slots=True)
class Stage:
    """One job, by model: what it takes in all by upper estimate, what the cache holds of it, and what is left
    to pay for at most. ``job`` is None of a training; ``requests`` are the addresses of what is held.

    Training's requests follow from what was learned before, so they cannot be named ahead: what it has paid
    for is taken as held, and nothing is left once it is finished.
    """

    name: str
    job: Job | None
    problems: int
    needs: Needs
    held: Needs
    requests: frozenset[bytes]
    left: Needs


def group_of(stage: Stage) -> str:
    """What is done, whatever on: ``train``, or the method."""
    return stage.name.split("/")[1].rsplit("-n", 1)[0]


def estimate(params: Params, *, look: bool = True) -> list[Stage]:
    """Every job that the params ask for, in the pipeline's order.

    Args:
        look: find out what the cache holds of each; without, nothing is held.

    Raises:
        EconError: a benchmark is not downloaded.
    """
    return asyncio.run(_estimate(params, look))


async def _estimate(params: Params, look: bool) -> list[Stage]:
    stages = []
    for benchmark in params.benchmarks:
        for n in params.n_agents:
            for variant in params.trainings():
                stages += await _trainings(params, benchmark, n, variant)
            for method in params.methods_on(benchmark):
                stages += await _evaluations(params, benchmark, n, method, look)
    return stages


async def _trainings(params: Params, benchmark: str, n: int, variant: str | None) -> list[Stage]:
    """One training per seed, all episodes."""
    own, name = params.varied(variant), "+".join(filter(None, ("train", variant)))
    rounds, problems = own.bne.max_iterations_train, benchmarks.load(benchmark, "train", own)
    passes, rest = divmod(own.train.episodes, len(problems))
    played = [*problems * passes, *_longest_first(problems)[:rest]]
    sample = [(_econ(own, n, rounds, problem), count) for problem, count in _groups(played, SAMPLE)]
    needs, stages = _sum(sample), []
    for seed in params.seeds:
        job = f"{benchmark}/{name}-n{n}-s{seed}"
        paid, folder = coverage.paid(job, params), paths.checkpoint(benchmark, n, seed, variant)
        done = own.llm.backend == "bank" or coverage.trained(own, folder)  # records cost nothing
        left = {} if done else _less(needs, paid)
        stages.append(Stage(job, None, own.train.episodes, needs, paid, frozenset(), left))
    return stages


async def _evaluations(params: Params, benchmark: str, n: int, method: str, look: bool) -> list[Stage]:
    """One per seed, over the test problems."""
    (base, variant), own = parse_method(method), params.of(method)
    problems = benchmarks.load(benchmark, "test", own)
    if learns(base):
        rounds = 0 if base == "econ-baseline" else own.bne.max_iterations_infer
        sample = [(_econ(own, n, rounds, problem), count) for problem, count in _groups(problems, SAMPLE)]
    else:
        player = baseline(base, own, benchmark)
        groups = _groups(problems, FEW if isinstance(player, Bounded) else SAMPLE)
        sample = [(await _counted(own, n, player, problem), count) for problem, count in groups]
    each = times(_sum(sample), 1 / len(problems))
    stages = []
    for seed in params.seeds:
        job = Job(benchmark, method, n, seed)
        folder = paths.checkpoint(benchmark, n, seed, params.learned_as(variant))
        kept = await coverage.kept(own, job, problems, folder) if look else Kept(open=len(problems))
        stage = _stage(job, len(problems), each, kept)
        stages.append(replace(stage, left={}) if own.llm.backend == "bank" else stage)
    return stages


def _stage(job: Job, problems: int, each: Needs, kept: Kept) -> Stage:
    found: Needs = {}
    for model, amount in kept.requests.values():
        add(found, model, amount)
    left = _less(times(each, kept.open), kept.of_open)
    name = f"{job.benchmark}/{job.name}"
    return Stage(name, job, problems, times(each, problems), found, frozenset(kept.requests), left)


def _less(needs: Needs, paid: Needs) -> Needs:
    return {model: amount.less(paid.get(model, Amount())) for model, amount in needs.items()}


def _longest_first(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: _size(problem.prompt), reverse=True)


@cache
def _size(prompt: str) -> int:
    return tokens.at_most(prompt)


def _groups(problems: Sequence[Problem], groups: int) -> list[tuple[Problem, int]]:
    """The longest problem of each of so many groups of about one length, and the size of its group."""
    ordered, size = _longest_first(problems), ceil(len(problems) / groups)
    starts = range(0, len(ordered), size)
    return [(ordered[start], len(ordered[start : start + size])) for start in starts]


def _sum(sample: Sequence[tuple[Needs, int]]) -> Needs:
    return merged(times(needs, count) for needs, count in sample)


def _econ(params: Params, n: int, refinements: int, problem: Problem) -> Needs:
    """One ECON episode by the formula above."""
    llm, team, kind = params.llm, params.team, problem.kind
    caps = llm.max_tokens
    strategies = 0 if team.strategy == "none" else 2
    answer = llm.answer_tokens(kind)
    commit = llm.commitment_tokens(kind)
    rounds = params.train.max_rounds * (refinements + 1)
    grouped = team.coordination == "hierarchical" and n > team.local_size
    commits = 0 if team.commitment == "vote" else ceil(n / team.local_size) + 1 if grouped else 1
    short = caps.strategy if team.strategy == "short" else team.detailed_tokens
    count = tokens.prompt_at_most
    first, later = (count(longest_turn(problem, params, n, later=later)) for later in (False, True))
    decide = count(prompts.commitment(problem.prompt, kind, [filler(answer)] * n, commit))
    plan = count(prompts.strategy(problem.prompt, kind, caps.strategy_asked))
    needs = {llm.coordinator: Amount(1, Tokens(plan, short)).times(strategies)}
    needs[llm.coordinator] += Amount(1, Tokens(decide, commit)).times(commits * rounds)
    for agent in range(n):
        model = llm.executor(agent)
        add(needs, model, Amount(rounds, Tokens(first + (rounds - 1) * later, rounds * answer)))
    return needs


def longest_turn(problem: Problem, params: Params, n: int, *, later: bool) -> list[Message]:
    """What one of ``n`` executors may be asked at most: first, or later with all that it may see."""
    team, caps, kind = params.team, params.llm.max_tokens, problem.kind
    answer = params.llm.answer_tokens(kind)
    short = caps.strategy if team.strategy == "short" else team.detailed_tokens
    plan = None if team.strategy == "none" else filler(short)
    committed = params.llm.commitment_tokens(kind) if later and team.show_commitment else 0
    note = filler(committed + answer * (team.belief == "text"), "")
    messages = prompts.executor(problem.prompt, kind, plan, answer, note or None)
    if later and team.information == "complete":
        messages.append({"role": "assistant", "content": filler(answer)})
        messages.append(prompts.debate_update([filler(answer)] * (n - 1)))
    return messages


async def _counted(params: Params, n: int, player: Player, problem: Problem) -> Needs:
    """One problem played by a baseline against a client that only counts."""
    client = CountingClient()
    await player.solve(Session(problem, client, params, n, seed=0))
    return _to_its_bounds(player, client.needs) if isinstance(player, Bounded) else client.needs


def _to_its_bounds(player: Bounded, needs: Needs) -> Needs:
    """As many calls as the method can make at all, like those that it made."""
    played = total(needs)
    if not played.calls:  # no prompt fits below the bound on tokens
        return needs
    calls = player.max_calls / played.calls
    size = min(calls, player.max_tokens / played.tokens.total)
    return {m: Amount(t.calls * calls, t.tokens.times(size)) for m, t in needs.items()}


class CountingClient:
    """Answers every request at its full length, and counts.

    No two answers agree and none is JSON: what ends with an agreement or a decision is played to its end.
    """

    simulated = True
    recorded = ""

    def __init__(self) -> None:
        self.needs: Needs = {}

    async def complete(self, request: Request) -> Call:
        prompt, completion = tokens.prompt_at_most(request.messages), request.sampling.max_tokens
        add(self.needs, request.model, Amount(1, Tokens(prompt, completion)))
        return Call.of(request, filler(completion, f"Thought {request.seed}"), prompt, completion)

    def identity(self, model: str) -> str:
        return "nobody"

    async def count_tokens(self, model: str, text: str) -> int:
        return tokens.at_most(text)

    async def context_tokens(self, model: str) -> int | None:
        return None

    async def probe(self, prompt: Sequence[Message] = ()) -> None:
        """Nothing to probe."""

    async def embed(self, texts: list[str]) -> list[list[float]]:
        return [[1.0] for _ in texts]

    @property
    def usage(self) -> Usage:
        return Usage(0, 0, 0, Tokens(), None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


def filler(size: int, text: str = "Final answer: 1") -> str:
    """A text of so many tokens, by the estimate."""
    return f"{text} ".ljust(3 * size, "a") if text else "a" * 3 * size
