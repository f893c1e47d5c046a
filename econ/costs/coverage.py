"""What the cache holds of a job, request by request, found without a connection.

The job is played as it would be, with the answers that are kept, problem by problem, up to the first point
where one is missing: so requests that depend on answers are followed as far as the answers go. What depends
on more than the cache is counted by the rule that :func:`kept` states for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from econ import seals, tokens
from econ.costs.usage import Amount, Needs, add
from econ.errors import EconError
from econ.llm.base import Vector
from econ.llm.cache.admin import Ledger
from econ.llm.client import LLMClient
from econ.methods.base import Player, Session, Solution
from econ.methods.registry import baseline
from econ.params import Params, learns, parse_method, training
from econ.records import Call, Job, Problem, Request, Tokens
from econ.registry import BACKENDS


@dataclass
class Kept:
    """``requests`` by address, each with its model and tokens. ``open`` problems lack an answer still, and
    ``of_open`` is the part of what is held that belongs to these, by model."""

    requests: dict[bytes, tuple[str, Amount]] = field(default_factory=dict)
    open: int = 0
    of_open: Needs = field(default_factory=dict)


async def kept(params: Params, job: Job, problems: Sequence[Problem], checkpoint: Path) -> Kept:
    """What the cache holds of one evaluation with ``params``, the job's own.

    econ-baseline and econ-bne ask what their trained policy makes them ask: without its checkpoint only their
    strategies can be looked up. An answer whose embedding is not kept ends the look, too.
    """
    nothing = Kept(open=len(problems))
    backend = BACKENDS.find(params.llm.backend)
    if hasattr(backend, "complete") or not _answers(params):  # a whole client keeps no answers
        return nothing
    try:
        async with LLMClient(params, backend, offline=True) as client:
            return await _look(_method(params, job, checkpoint), params, job, problems, client)
    except EconError:  # of a server or model that the cache never met, nothing can be held
        return nothing


def _answers(params: Params) -> int:
    """How many answers are kept of the team's models, wherever they came from."""
    team = {params.llm.coordinator, *params.llm.executors}
    try:
        with closing(Ledger(url=params.cache.url)) as ledger:
            return sum(row.answers for row in ledger.holdings() if row.model in team)
    except EconError:  # no cache yet
        return 0


async def _look(
    method: Player, params: Params, job: Job, problems: Sequence[Problem], client: LLMClient
) -> Kept:
    found = Kept()
    for problem in problems:
        look = _Look(client)
        session = Session(problem, look, params, job.n_agents, job.seed)
        try:
            await method.solve(session)
        except _Missing:
            await look.settle()
            found.open += 1
            for model, amount in look.requests.values():
                add(found.of_open, model, amount)
        found.requests |= look.requests
    return found


def trained(params: Params, checkpoint: Path) -> bool:
    """Whether a training is finished, under params that teach the same."""
    config = checkpoint / "config.json"
    if not config.is_file():
        return False
    try:
        document = seals.read(config, "train it again with econ train")
        same = training(Params.model_validate(document["params"])) == training(params)
        return same and document["progress"]["stop"] is not None
    except (EconError, ValidationError, LookupError, TypeError):  # damaged, or of another version
        return False


def paid(job: str, params: Params) -> Needs:
    """What a job has paid for, under any params, by model."""
    try:
        with closing(Ledger(url=params.cache.url)) as ledger:
            rows = ledger.paid_by(job)
    except EconError:  # no cache yet
        return {}
    return {row.model: Amount(row.answers, Tokens(row.prompt_tokens, row.completion_tokens)) for row in rows}


def _method(params: Params, job: Job, checkpoint: Path) -> Player:
    base = parse_method(job.method)[0]
    if not learns(base):
        return baseline(base, params, job.benchmark)
    from econ.methods.econ.method import from_checkpoint

    try:
        return from_checkpoint(checkpoint, params, job.n_agents, base)
    except EconError:  # not trained yet, or for another team
        return _StrategyOnly()


class _StrategyOnly:
    """ECON up to where its policy would be needed."""

    name = "strategy"

    async def solve(self, session: Session) -> Solution:
        from econ.methods.econ.strategy import ask_strategy

        await ask_strategy(session)
        raise _Missing


class _Missing(Exception):
    """The play cannot go on: an answer, or what is made of one, is not kept."""


class _Look:
    """Answers from the cache alone; what is asked for side by side with a missing answer is looked up too."""

    simulated = False
    recorded = ""

    def __init__(self, client: LLMClient) -> None:
        self._client = client
        self._before = asyncio.all_tasks()
        self.requests: dict[bytes, tuple[str, Amount]] = {}
        self.usage = client.usage

    async def complete(self, request: Request) -> Call:
        found = self._client.look_up(request)
        if found is None:
            raise _Missing
        key, call = found
        self.requests[key] = (call.model, Amount(1, call.tokens))
        return call

    async def settle(self) -> None:
        """Let what was asked for beside the missing answer end as well."""
        others = asyncio.all_tasks() - self._before
        if others:
            await asyncio.wait(others)

    def identity(self, model: str) -> str:
        return self._client.identity(model)

    async def count_tokens(self, model: str, text: str) -> int:
        try:
            return await self._client.count_tokens(model, text)
        except EconError:
            return tokens.at_most(text)

    async def context_tokens(self, model: str) -> int | None:
        return await self._client.context_tokens(model)

    async def probe(self, prompt: object = ()) -> None:
        """Nothing to probe."""

    async def embed(self, texts: list[str]) -> Sequence[Vector]:
        try:
            return await self._client.embed(texts)
        except EconError:
            raise _Missing from None

    async def __aenter__(self) -> _Look:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Its owner closes the client."""
