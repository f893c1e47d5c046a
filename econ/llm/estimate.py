"""Calls, tokens and money before spending: an upper estimate per job, from params and the real prompts.

Baselines are played on sampled problems against a client that answers nothing, at full length, and counts:
whatever a method would ask is what is counted. All its answers differ and none is in a final form, so nothing
ends early; a search is taken to go up to its bounds with prompts as long as those.

ECON's calls per problem, with N executors, D decisions (``train.max_rounds``), K refinements of each, S
strategies and C commitment calls at a time, are

    S + D * (K + 1) * (N + C)        K = bne.max_iterations_infer, _train while training, 0 for econ-baseline

S = 2 (one that is too long is asked for again; 0 without strategy), C = 1, or one per group and a central one
where coordination is hierarchical. It is an upper count: refinement may stop early.

Tokens: a prompt counts three bytes as one token, more than English takes; an answer counts its cap.
Round 0 of econ-bne asks what econ-baseline asks, so the later of the two is paid in part by the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from types import TracebackType
from typing import Self

from econ import benchmarks, prompts
from econ.errors import EconError
from econ.llm.base import Usage
from econ.llm.client import estimate_tokens
from econ.llm.ledger import Ledger
from econ.methods import baseline
from econ.methods.base import Bounded, Session
from econ.params import ECON_METHODS, Params, parse_method
from econ.records import Call, Message, Problem, Request

SAMPLE = 20  # problems whose prompts are measured; the others are taken to be like them


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls, and their tokens, by upper estimate."""

    calls: float = 0.0
    prompt: float = 0.0
    completion: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.calls + other.calls, self.prompt + other.prompt, self.completion + other.completion)

    def times(self, factor: float) -> Tally:
        return Tally(self.calls * factor, self.prompt * factor, self.completion * factor)


Needs = dict[str, Tally]  # by model


@dataclass(frozen=True, slots=True)
class Stage:
    """One job: what it takes in all, by model, and what it has paid for already."""

    name: str
    problems: int
    needs: Needs
    held: Tally

    @property
    def total(self) -> Tally:
        return sum(self.needs.values(), Tally())

    def usd(self, params: Params) -> float | None:
        """Money for all of it; None where a model has no price."""
        prices = params.llm.prices
        if any(model not in prices for model in self.needs):
            return None
        return sum(
            (t.prompt * prices[m].prompt + t.completion * prices[m].completion) / 1e6
            for m, t in self.needs.items()
        )


def estimate(params: Params) -> list[Stage]:
    """Every job that the params ask for, in the pipeline's order.

    Raises:
        EconError: a benchmark is not downloaded.
    """
    try:
        held: Callable[[str], tuple[int, int, int]] = Ledger().paid_by
    except EconError:  # no cache yet
        held = _nothing
    stages = []
    for benchmark in params.benchmarks:
        for n in params.n_agents:
            for job, problems, needs in _jobs(params, benchmark, n):
                stages += [
                    _stage(f"{benchmark}/{job}-n{n}-s{seed}", problems, needs, held) for seed in params.seeds
                ]
    return stages


def _nothing(job: str) -> tuple[int, int, int]:
    return 0, 0, 0


def _stage(name: str, problems: int, needs: Needs, held: Callable[[str], tuple[int, int, int]]) -> Stage:
    return Stage(name, problems, needs, Tally(*held(name)))


def _jobs(params: Params, benchmark: str, n: int) -> Iterator[tuple[str, int, Needs]]:
    """(name, problems, needs) of training and of each method."""
    for variant in params.trainings():
        own = params.varied(variant)
        episodes = own.train.episodes
        cost = partial(_econ, own, n, own.bne.max_iterations_train)
        needs = _mean(benchmarks.load(benchmark, "train", own), cost)
        yield "+".join(filter(None, ("train", variant))), episodes, _times(needs, episodes)
    for method in params.methods_on(benchmark):
        base, own = parse_method(method)[0], params.of(method)
        problems = benchmarks.load(benchmark, "test", own)
        if base in ECON_METHODS:
            cost = partial(_econ, own, n, 0 if base == "econ-baseline" else own.bne.max_iterations_infer)
        else:
            cost = partial(_played, own, n, base)
        yield method, len(problems), _times(_mean(problems, cost), len(problems))


def _mean(problems: Sequence[Problem], cost: Callable[[Problem], Needs]) -> Needs:
    sample = problems[:SAMPLE]
    total: Needs = {}
    for problem in sample:
        for model, tally in cost(problem).items():
            total[model] = total.get(model, Tally()) + tally
    return _times(total, 1 / len(sample))


def _times(needs: Needs, factor: float) -> Needs:
    return {model: tally.times(factor) for model, tally in needs.items()}


def _econ(params: Params, n: int, refinements: int, problem: Problem) -> Needs:
    """One ECON episode by the formula above."""
    llm, team, kind = params.llm, params.team, prompts.kind_of(problem.benchmark, params)
    caps = llm.max_tokens
    short = caps.strategy if team.strategy == "short" else team.detailed_tokens
    strategies = 0 if team.strategy == "none" else 2
    answer = llm.answer_tokens(problem.benchmark)
    commit = caps.plan if kind == "plan" else caps.commitment
    rounds = params.train.max_rounds * (refinements + 1)
    grouped = team.coordination == "hierarchical" and n > team.local_size
    commits = ceil(n / team.local_size) + 1 if grouped else 1
    plan = filler(short) if strategies else None
    ask = _tokens(prompts.executor(problem.prompt, kind, plan, answer))
    decide = _tokens(prompts.commitment(problem.prompt, kind, [filler(answer)] * n, commit))
    needs = {llm.coordinator: Tally(strategies, strategies * _tokens(
        prompts.strategy(problem.prompt, kind, caps.strategy_asked)), strategies * short)}  # fmt: skip
    needs[llm.coordinator] += Tally(commits, commits * decide, commits * commit).times(rounds)
    for agent in range(n):
        model = llm.executor(agent)
        needs[model] = needs.get(model, Tally()) + Tally(1, ask, answer).times(rounds)
    return needs


def _played(params: Params, n: int, method: str, problem: Problem) -> Needs:
    """One problem played by a baseline against a client that only counts."""
    client = CountingClient()
    session = Session(problem, client, params, n, seed=0)
    player = baseline(method, params, problem.benchmark)
    asyncio.run(player.solve(session))
    return _to_its_bounds(player, client.needs) if isinstance(player, Bounded) else client.needs


def _to_its_bounds(player: Bounded, needs: Needs) -> Needs:
    """As many calls as the method can make at all, like those that it made."""
    played = sum(needs.values(), Tally())
    tokens = played.prompt + played.completion
    if not played.calls:  # no prompt fits below the bound on tokens
        return needs
    return _times(needs, min(player.max_calls / played.calls, player.max_tokens / tokens))


class CountingClient:
    """Answers every request at its full length, and counts.

    No two answers agree and none is JSON: what ends with an agreement or a decision is played to its end.
    """

    simulated = True

    def __init__(self) -> None:
        self.needs: Needs = {}

    async def complete(self, request: Request) -> Call:
        r, prompt = request, _tokens(request.messages)
        completion = r.sampling.max_tokens
        self.needs[r.model] = self.needs.get(r.model, Tally()) + Tally(1, prompt, completion)
        return Call(
            r.role, r.agent, r.round, r.model, r.messages, r.sampling, r.seed, r.sample,
            filler(completion, f"Thought {r.seed}"), prompt, completion, cached=False, error=None,
        )  # fmt: skip

    async def count_tokens(self, model: str, text: str) -> int:
        return estimate_tokens(text)

    async def context_tokens(self, model: str) -> int | None:
        return None

    async def probe(self, prompt: Sequence[Message] = ()) -> None:
        """Nothing to probe."""

    async def embed(self, texts: list[str]) -> list[list[float]]:
        return [[1.0] for _ in texts]

    @property
    def usage(self) -> Usage:
        return Usage(0, 0, 0, 0, 0, None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


def filler(tokens: int, text: str = "Final answer: 1") -> str:
    """A text of so many tokens, by the estimate."""
    return text.ljust(3 * tokens, ".")


def _tokens(messages: Sequence[Message]) -> int:
    return sum(estimate_tokens(message["content"]) for message in messages)
