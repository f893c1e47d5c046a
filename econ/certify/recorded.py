"""The banks of a team's models as one game on problems that the params know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from econ import benchmarks, paths
from econ.bank import schema, store
from econ.bank.client import described
from econ.bank.draws import grid_of
from econ.bank.responses import responses
from econ.bank.schema import Bank
from econ.benchmarks.normalise import source_question
from econ.equilibrium.empirical.coordinators import Coordinator, vote
from econ.equilibrium.empirical.payoffs import TeamPayoffs
from econ.equilibrium.empirical.responses import Array, Ints, ResponseTable, needs_samples
from econ.equilibrium.empirical.search import Game
from econ.errors import EconError
from econ.params import Params
from econ.records import Problem, Split


@dataclass(frozen=True, eq=False)
class Recorded:
    """``problems`` and ``strategies`` in the table's order; ``team`` says which model each agent is."""

    benchmark: str
    split: Split
    params: Params
    table: ResponseTable
    team: tuple[int, ...]
    problems: tuple[Problem, ...]
    strategies: tuple[str | None, ...]
    banks: tuple[Bank, ...]
    coordinator: Coordinator = vote

    @property
    def simulated(self) -> bool:
        return any(bank.card.simulated for bank in self.banks)

    @property
    def description(self) -> str:
        """Model, engine and dates of every bank."""
        return "; ".join(dict.fromkeys(described(bank.card) for bank in self.banks))

    def game(self, alpha: Sequence[float], payoff: str) -> Game:
        return Game(self.table, self.team, self.payoffs(alpha), payoff, self.params.reward.r_max)

    def payoffs(self, alpha: Sequence[float]) -> TeamPayoffs:
        a, t, c = alpha
        return TeamPayoffs(self.table, (a, t, c), self.params.reward, self.coordinator)


def recorded(params: Params, benchmark: str, n_agents: int, split: Split) -> Recorded:
    """All that the banks hold of the params' problems.

    Raises:
        EconError: there is no bank; it is of another model, of other problems or of another second
            dimension; or it has too few samples for the team.
    """
    names = [params.llm.executor(agent) for agent in range(n_agents)]
    models = list(dict.fromkeys(names))
    banks = [_bank(params, benchmark, split, model) for model in models]
    known = [{entry.id: entry for entry in bank.card.entries} for bank in banks]
    problems = [
        problem
        for problem in benchmarks.load(benchmark, split, params)
        if all(problem.id in entries for entries in known)
    ]
    if not problems:
        raise EconError(
            f"the bank of {benchmark} ({split}) holds none of the params' problems",
            "download the problems that it was recorded with, or build one",
        )
    for problem in problems:
        if known[0][problem.id].problem != schema.text_digest(problem.prompt):
            raise EconError(
                f"problem {problem.id} reads otherwise than when the bank was recorded", "build it anew"
            )
    grid = grid_of([row.cell for bank in banks for row in bank.rows])
    ids = [problem.id for problem in problems]
    samples = min(_samples(bank, set(ids)) for bank in banks)
    table = responses(banks, grid.cells, samples, problems[0].kind, ids, sources(problems))
    team = tuple(models.index(name) for name in names)
    needs_samples(table, team)
    strategies = tuple(known[0][problem.id].strategy for problem in problems)
    return Recorded(benchmark, split, params, table, team, tuple(problems), strategies, tuple(banks))


def sources(problems: Sequence[Problem]) -> Ints:
    """Source question of each problem: those whose texts differ in their numbers alone are of one."""
    texts = [source_question(problem.prompt) for problem in problems]
    place = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return np.array([place[text] for text in texts], dtype=np.int64)


async def embedded(game: Recorded) -> tuple[Array, Array]:
    """Vectors [P, D] of problems and of strategies (zeros for none): what is public before any answer."""
    texts = [problem.prompt for problem in game.problems] + [plan or "" for plan in game.strategies]
    by_text = await vectors_of(game, [text for text in texts if text])
    nothing = np.zeros_like(next(iter(by_text.values())))
    rows = np.stack([by_text.get(text, nothing) for text in texts]).astype(float)
    return rows[: len(game.problems)], rows[len(game.problems) :]


async def vectors_of(game: Recorded, texts: Sequence[str]) -> dict[str, Array]:
    """The texts' vectors, by text."""
    from econ.llm import open_client
    from econ.llm.cache.store import Cache
    from econ.llm.embedding.client import Embedder

    wanted = list(dict.fromkeys(texts))
    if game.params.llm.backend == "simulated":
        async with open_client(game.params) as client:
            vectors = await client.embed(wanted)
    else:
        cache = Cache(url=game.params.cache.url)
        embedder = Embedder(game.params, cache, offline=False)
        try:
            vectors = await embedder.embed(wanted)
        finally:
            await embedder.close()
            cache.close()
    return dict(zip(wanted, map(np.asarray, vectors), strict=True))


def _bank(params: Params, benchmark: str, split: Split, model: str) -> Bank:
    own = paths.bank(benchmark, split, model)
    path = own if own.is_file() else paths.shipped(own, model)
    bank = store.read(path if path.is_file() else own)
    label, second = paths.model_label(model), params.action.second
    if bank.card.model != label:
        raise EconError(
            f"{path} is a bank of {bank.card.model}, and the params' executor is {label}",
            "name that model in llm.executors, or build a bank of this one",
        )
    if bank.card.second != second:
        raise EconError(
            f"{path} holds answers by {bank.card.second}, and params say action.second: {second}",
            "set it as it was recorded",
        )
    return bank


def _samples(bank: Bank, names: set[str]) -> int:
    """How many samples every cell has of every problem."""
    counts = Counter((row.problem_id, row.cell) for row in bank.rows if row.problem_id in names)
    return min(counts.values(), default=0)
