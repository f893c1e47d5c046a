"""Answers looked up in a bank, all of a round at once: the same as call by call, many times as fast.

An executor's answer is a function of (problem, action, draw), and a vote needs no call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from econ import prompts
from econ.bank import draws
from econ.bank.answers import Answers
from econ.methods.base import Session, round_to
from econ.methods.commitment import Commitment, commit, elected
from econ.methods.econ.asking import Asked, Episode, Said, embed
from econ.methods.econ.strategy import ask_strategy
from econ.params import Params

if TYPE_CHECKING:
    from econ.bank.client import BankClient

Ints = NDArray[np.int64]


def covers(params: Params, n: int) -> bool:
    """Can all that a team of ``n`` asks for be looked up? Else it is played call by call.

    Later rounds' prompts must be the first one's, the commitment no call, and the samples enough.
    """
    team = params.team
    return (
        team.commitment in ("vote", "cached")
        and team.information == "incomplete"
        and team.belief == "numbers"
        and not team.show_commitment
        and n <= params.bank.samples
    )


@dataclass(frozen=True, eq=False)
class _Opened:
    """A problem: its place among the answers, its number in draws, and how its episodes begin."""

    place: int
    key: int
    episode: Episode


class Recorded:
    """:class:`~econ.methods.econ.asking.Answering` from a bank. ``size``: of the embeddings."""

    def __init__(self, client: BankClient, params: Params, n: int, size: int) -> None:
        self.client, self.params, self.size = client, params, size
        names = [params.llm.executor(agent) for agent in range(n)]
        self.models = list(dict.fromkeys(names))
        self.team = np.array([self.models.index(name) for name in names])
        self.answers = Answers(len(self.models), len(client.grid.cells), params.bank.samples, size)
        self._opened: dict[str, _Opened] = {}
        self._commitments: dict[tuple[str | None, ...], tuple[Commitment, Tensor]] = {}

    async def open(self, session: Session) -> Episode:
        found = self._opened.get(session.problem_id)
        if found is None:
            found = self._opened.setdefault(session.problem_id, await self._first(session))
        return replace(found.episode, rounds=[], stops=[], policy=[])

    async def _first(self, session: Session) -> _Opened:
        """What all episodes on a problem have in common.

        Raises:
            EconError: it is not in the records, or not as a whole.
        """
        strategy = await ask_strategy(session)
        tokens = self.params.llm.answer_tokens(session.kind)
        prompt = prompts.executor(session.prompt, session.kind, strategy.text, tokens)
        shelves = [self.client.shelf(model, prompt) for model in self.models]
        given = await embed(session, [session.prompt, strategy.text], self.size)
        return _Opened(self.answers.add(session.kind, shelves), shelves[0].key, Episode(strategy, *given))

    async def answer(self, asked: Sequence[Asked]) -> Sequence[Said]:
        answers, n = self.answers, len(self.team)
        opened = [self._opened[one.session.problem_id] for one in asked]
        rows = self._rows(asked, opened)
        if len(new := answers.unread(rows)):
            texts = [answers.text(row) for row in new.tolist()]
            answers.learn(new, (await embed(asked[0].session, texts, self.size)).numpy())
        self.client.took(rows.size)
        vectors = torch.from_numpy(answers.vectors[rows])
        said = []
        for one, own, places, of_team in zip(asked, opened, rows.tolist(), vectors, strict=True):
            given = [answers.text(place) for place in places]
            if self.params.team.commitment == "cached":
                said.append(Said(given, of_team, *await self._cached(one, given)))
                continue
            winner, equal = answers.vote(own.place, places)
            chosen = elected(None if winner is None else given[winner], equal / n)
            vector = of_team.new_zeros(self.size) if winner is None else of_team[winner]
            said.append(Said(given, of_team, chosen, vector))
        return said

    async def _cached(self, asked: Asked, answers: list[str | None]) -> tuple[Commitment, Tensor]:
        """The recorded commitment to a tuple of answers, and its vector."""
        name, same = asked.session.problem_id, self.client.representative
        key = (name, *(None if text is None else same(name, text) for text in answers))
        if key not in self._commitments:
            found = await commit(asked.session, answers, len(asked.episode.rounds))
            meaning = found.meaning if found.ok else None
            self._commitments[key] = found, (await embed(asked.session, [meaning], self.size))[0]
        return self._commitments[key]

    def _rows(self, asked: Sequence[Asked], opened: Sequence[_Opened]) -> Ints:
        """Which recorded answers these actions draw: [B, N]."""
        grid, bank = self.client.grid, self.params.bank
        draw, key = (
            np.array(column, np.uint64)[:, None]
            for column in ([one.session.draw for one in asked], [own.key for own in opened])
        )
        rounds = np.array([[len(one.episode.rounds)] for one in asked])
        agents = np.broadcast_to(np.arange(len(self.team)), (len(asked), len(self.team)))
        actions = np.array([[(round_to(t), round_to(p)) for t, p in one.sent] for one in asked])
        cells = grid.cell_of(actions, draws.uniforms(draw, key, rounds, agents), bank.between)
        samples = draws.sample_of(draw, key, rounds, grid.keys[cells], agents, bank.samples)
        places = np.array([[own.place] for own in opened])
        return self.answers.rows(places, self.team, cells, samples)
