"""Who answers in an ECON episode: what is asked of executors and coordinator, call by call.

What has no call to it (recorded answers) is another :class:`Answering`, its client's affair.
"""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from econ import prompts
from econ.equilibrium.refinement import Stop
from econ.errors import EconError
from econ.methods.base import Session
from econ.methods.commitment import Commitment, commit
from econ.methods.econ.strategy import Strategy, ask_strategy
from econ.records import Call, Message


@dataclass(frozen=True)
class Round:
    """One answering round. ``u`` [N, 2] shares of the ranges, ``sent`` the (T, p) that were sent."""

    decision: int
    u: Tensor
    sent: list[tuple[float, float]]
    q: list[float]  # Q_i and Q_tot of the actions; while exploring they are not asked for
    q_tot: float | None
    answers: list[str | None]  # None: the call failed
    answer_embeddings: Tensor  # [N, D]
    commitment: Commitment
    commitment_embedding: Tensor  # [D]


@dataclass
class Episode:
    """Everything that was played on one problem. D = embedding size; embeddings of absent texts are zeros."""

    strategy: Strategy
    problem_embedding: Tensor  # [D]
    strategy_embedding: Tensor  # [D]
    rounds: list[Round] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)  # why each decision's refinement ended
    policy: list[list[tuple[float, float]]] = field(default_factory=list)  # (T, p) without exploration


class Asked(NamedTuple):
    """A round that is to be answered, of an episode so far. ``sent``: (T, p); ``q``: as prompts may tell."""

    session: Session
    episode: Episode
    sent: list[tuple[float, float]]
    q: list[float]


class Said(NamedTuple):
    """What came of it; as in :class:`Round`."""

    answers: list[str | None]
    answer_embeddings: Tensor
    commitment: Commitment
    commitment_embedding: Tensor


class Answering(Protocol):
    async def open(self, session: Session) -> Episode:
        """An episode before its first round: the strategy, and what it is embedded as."""
        ...

    async def answer(self, asked: Sequence[Asked]) -> Sequence[Said]:
        """What all teams' executors say to a round, and what each coordinator commits to."""
        ...


@runtime_checkable
class Together(Protocol):
    """A client that knows the answers to whole rounds without a call."""

    def answering(self, n: int, size: int) -> Answering | None:
        """Of a team of ``n``, embeddings of ``size``; None: the params want some call all the same."""
        ...


class ByCall:
    """Models are asked. ``size``: of the embeddings."""

    def __init__(self, size: int) -> None:
        self.size = size

    async def open(self, session: Session) -> Episode:
        strategy = await ask_strategy(session)
        problem, plan = await embed(session, [session.prompt, strategy.text], self.size)
        return Episode(strategy, problem, plan)

    async def answer(self, asked: Sequence[Asked]) -> Sequence[Said]:
        if len(asked) == 1:
            return [await self._answer(asked[0])]
        return await asyncio.gather(*map(self._answer, asked))

    async def _answer(self, asked: Asked) -> Said:
        calls = await asyncio.gather(*(_executor(asked, agent) for agent in range(len(asked.sent))))
        answers = [call.text if call.ok else None for call in calls]
        commitment = await commit(asked.session, answers, len(asked.episode.rounds))
        texts = [*answers, commitment.meaning if commitment.ok else None]
        embedded = await embed(asked.session, texts, self.size)
        return Said(answers, embedded[:-1], commitment, embedded[-1])


async def _executor(asked: Asked, agent: int) -> Call:
    """Ask executor ``agent`` with its own action."""
    session, (temperature, second) = asked.session, asked.sent[agent]
    action, llm = session.params.action, session.params.llm
    penalty = action.second == "repetition_penalty"
    return await session.ask(
        "executor",
        _messages(asked, agent),
        agent=agent,
        round=len(asked.episode.rounds),
        temperature=temperature,
        top_p=action.fixed_top_p if penalty else second,
        repetition_penalty=second if penalty else 1.0,
        max_tokens=llm.answer_tokens(session.kind),
    )


def _messages(asked: Asked, agent: int) -> list[Message]:
    """Problem and strategy; peers' answers only in the complete-information mode of table 4."""
    session, rounds = asked.session, asked.episode.rounds
    last = rounds[-1] if rounds else None
    tokens = session.params.llm.answer_tokens(session.kind)
    note, strategy = _note(asked, last, agent), asked.episode.strategy.text
    messages = prompts.executor(session.prompt, session.kind, strategy, tokens, note)
    if session.params.team.information == "complete" and last is not None:
        peers = [text for i, text in enumerate(last.answers) if i != agent and text]
        if own := last.answers[agent]:
            messages.append({"role": "assistant", "content": own})
            messages.append(prompts.debate_update(peers))
    return messages


def _note(asked: Asked, last: Round | None, agent: int) -> str | None:
    """What params let the executor read of its belief (5.11) and of the last commitment (5.12).

    The belief in words is Q_i of the action that the answer is sampled with.
    """
    team, lines = asked.session.params.team, []
    if team.belief == "text":
        most = asked.session.params.reward.r_max
        lines.append(f"You expect a reward of {asked.q[agent]:.2f} (0 to {most:g}) from your answer.")
        if last is not None and (own := last.answers[agent]):
            lines.append(f"Your last answer was: {own}")
    if team.show_commitment and last is not None and last.commitment.ok:
        lines.append(f"The team last committed to: {last.commitment.meaning}")
    return "\n".join(lines) or None


async def embed(session: Session, texts: Sequence[str | None], size: int) -> Tensor:
    """Embeddings [len(texts), size]; zeros for a text that is absent or empty.

    Raises:
        EconError: a vector is of another size, or not finite.
    """
    present = [text for text in texts if text]
    vectors = await session.client.embed(present) if present else []
    for vector in vectors:
        if len(vector) != size:
            raise EconError(
                f"embedding.model gives vectors of {len(vector)} numbers; the networks were made for {size}",
                "name the model that they were trained with, or train again",
            )
    rows = np.array(vectors, dtype=np.float32).reshape(-1, size)
    if len(rows) < len(texts):
        known, rows = rows, np.zeros((len(texts), size), dtype=np.float32)
        rows[[bool(text) for text in texts]] = known
    if not np.isfinite(rows).all():  # it would be in every belief, and then in every action that is sent
        strange = next(text for text, row in zip(texts, rows, strict=True) if not np.isfinite(row).all())
        shown = textwrap.shorten(strange or "", 60, placeholder=" …")
        raise EconError(f"the embedding of '{shown}' is not finite", "name another embedding.model")
    return torch.from_numpy(rows)
