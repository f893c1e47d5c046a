"""One ECON episode: strategy, N executors in flight, commitment, BNE rounds (paper 3.1, Algorithm 1).

The same code plays training and evaluation; only exploration and the number of rounds differ.
"""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from econ import prompts
from econ.equilibrium.actions import Deviates, scale
from econ.equilibrium.networks import TeamNetworks
from econ.equilibrium.refinement import Guards, Stop, refine
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


async def play_episode(
    session: Session, team: TeamNetworks, iterations: int, explorer: Deviates | None = None
) -> Episode:
    """Play one problem.

    Args:
        session: the problem's table.
        team: trained networks; they are read, not changed.
        iterations: K, the most BNE rounds after the first of each decision; 0: econ-baseline.
        explorer: training's exploration; None plays the policy as it is.
    """
    strategy = await ask_strategy(session)
    problem, plan = await embed(session, [session.prompt, strategy.text], team.embedding_dim)
    episode = Episode(strategy, problem, plan)
    player = _Player(session, team, episode, explorer)
    for decision in range(session.params.train.max_rounds):
        await player.decide(decision, iterations)
    return episode


class _Player:
    """Holds the executors' beliefs while an episode is played."""

    def __init__(
        self, session: Session, team: TeamNetworks, episode: Episode, explorer: Deviates | None
    ) -> None:
        self.session, self.team, self.episode, self.explorer = session, team, episode, explorer
        self.beliefs: Tensor  # [1, N, d_b], from the first action on
        self.start: Tensor  # [N, 2], e^0: the policy's first action of this decision, unexplored
        with torch.inference_mode():
            texts = torch.stack([episode.problem_embedding, episode.strategy_embedding])
            self.given = team.executors.read_texts(texts.unsqueeze(0)).unbind(1)  # read for every round
        self.believed = -1  # rounds that the beliefs know of

    async def decide(self, decision: int, iterations: int) -> None:
        """One decision: the policy's action, then refined ones until a guard or K ends it."""
        guards = Guards(self.session.params.bne)
        u = self._first_action()
        for k in range(iterations + 1):
            played = await self._play(decision, u)
            meaning = played.commitment.meaning if played.commitment.ok else None
            stop = guards.after_commitment(meaning, played.commitment_embedding)
            if stop is None and k == iterations:
                stop = Stop.MAX_ITERATIONS if iterations else Stop.NO_REFINEMENT
            if stop is None:
                refined = self._refined_action(u)
                stop, u = guards.after_step(u, refined), refined
            if stop is not None:
                self.episode.stops.append(stop)
                return

    @torch.inference_mode()
    def _first_action(self) -> Tensor:
        self._believe()
        logits = self.team.executors.logits(self.beliefs)[0]
        self.start = torch.sigmoid(logits)
        self.episode.policy.append(scale(self.start, self.session.params.action))
        return self.start if self.explorer is None else self.explorer.first(logits, self._round)

    @torch.inference_mode()
    def _refined_action(self, u: Tensor) -> Tensor:
        """Each executor's next action from its own history, the commitment and E; ``u`` was its last."""
        self._believe()
        params, start = self.session.params, self.start.unsqueeze(0)
        group = self.team.group(self.beliefs, params.bne.information)
        proposal = refine(self.team, self.beliefs, group, u.unsqueeze(0), start, params)[0]
        if self.explorer is None:
            return proposal
        return self.explorer.refined(u, proposal, params.bne.max_step, self._round)

    def _believe(self) -> None:
        """Update beliefs, once per round, with what the last left: own action, own answer, commitment."""
        if self.believed == self._round:
            return
        self.believed = self._round
        executors, n = self.team.executors, self.team.n
        if not self.episode.rounds:
            nothing = executors.read_nothing.unsqueeze(0)
            middle = torch.full((1, n, 2), 0.5)
            self.beliefs = executors.believe([*self.given, nothing, nothing], middle, None)
            return
        last = self.episode.rounds[-1]
        commitment, answers = last.commitment_embedding.view(1, 1, -1), last.answer_embeddings
        left = executors.read_texts(commitment, answers.view(1, 1, n, -1)).unbind(1)
        self.beliefs = executors.believe([*self.given, *left], last.u.unsqueeze(0), self.beliefs)

    @property
    def _round(self) -> int:
        return len(self.episode.rounds)

    async def _play(self, decision: int, u: Tensor) -> Round:
        """All executors answer together; the coordinator commits; everything is embedded."""
        sent = scale(u, self.session.params.action)
        q, q_tot = self._values(u)
        calls = await asyncio.gather(*(self._answer(i, u, *sent[i]) for i in range(self.team.n)))
        answers = [call.text if call.ok else None for call in calls]
        commitment = await commit(self.session, answers, self._round)
        texts = [*answers, commitment.meaning if commitment.ok else None]
        embedded = await embed(self.session, texts, self.team.embedding_dim)
        played = Round(decision, u, sent, q, q_tot, answers, embedded[:-1], commitment, embedded[-1])
        self.episode.rounds.append(played)
        return played

    @torch.inference_mode()
    def _values(self, u: Tensor) -> tuple[list[float], float | None]:
        if self.explorer is not None:
            return [], None
        q = self.team.executors.values(self.beliefs, u.unsqueeze(0))
        context = self.team.context(self.team.encoder(self.beliefs))
        q_tot, _ = self.team.total(q, u.unsqueeze(0), context)
        return q[0].tolist(), q_tot.item()

    async def _answer(self, agent: int, u: Tensor, temperature: float, second: float) -> Call:
        """Ask executor ``agent`` with its own action."""
        action, llm = self.session.params.action, self.session.params.llm
        penalty = action.second == "repetition_penalty"
        return await self.session.ask(
            "executor",
            self._messages(agent, u),
            agent=agent,
            round=self._round,
            temperature=temperature,
            top_p=action.fixed_top_p if penalty else second,
            repetition_penalty=second if penalty else 1.0,
            max_tokens=llm.answer_tokens(self.session.kind),
        )

    def _messages(self, agent: int, u: Tensor) -> list[Message]:
        """Problem and strategy; peers' answers only in the complete-information mode of table 4."""
        session, last = self.session, self.episode.rounds[-1] if self.episode.rounds else None
        tokens = session.params.llm.answer_tokens(session.kind)
        note, strategy = self._note(last, agent, u), self.episode.strategy.text
        messages = prompts.executor(session.prompt, session.kind, strategy, tokens, note)
        if session.params.team.information == "complete" and last is not None:
            peers = [text for i, text in enumerate(last.answers) if i != agent and text]
            if own := last.answers[agent]:
                messages.append({"role": "assistant", "content": own})
                messages.append(prompts.debate_update(peers))
        return messages

    def _note(self, last: Round | None, agent: int, u: Tensor) -> str | None:
        """What params let the executor read of its belief (5.11) and of the last commitment (5.12).

        The belief in words is Q_i of the action ``u`` that the answer is sampled with.
        """
        team, lines = self.session.params.team, []
        if team.belief == "text":
            with torch.inference_mode():
                q = self.team.executors.values(self.beliefs, u.unsqueeze(0))[0, agent].item()
            most = self.session.params.reward.r_max
            lines.append(f"You expect a reward of {q:.2f} (0 to {most:g}) from your answer.")
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
