"""ECON episodes: strategy, N executors in flight, commitment, BNE rounds (paper 3.1, Algorithm 1).

The same code plays training and evaluation; only exploration and the number of rounds differ. Episodes that
are played with the same networks (a training's interval) go round by round together, so that the networks see
them as one batch; none knows of another. Who answers is :mod:`econ.methods.econ.asking`'s to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from econ.equilibrium.actions import Deviates, scale
from econ.equilibrium.networks import TeamNetworks
from econ.equilibrium.refinement import Guards, Stop, refine
from econ.methods.base import Session
from econ.methods.econ.asking import Answering, Asked, ByCall, Episode, Round


@dataclass(eq=False)
class Seat:
    """An episode to be played. ``explorer``: training's exploration; None plays the policy as it is."""

    session: Session
    explorer: Deviates | None = None
    guards: Guards = field(init=False)  # of the decision that is being made
    believed: int = -1  # rounds that its beliefs know of


async def play_episode(
    session: Session, team: TeamNetworks, iterations: int, explorer: Deviates | None = None
) -> Episode:
    """Play one problem, call by call.

    Args:
        session: the problem's table.
        team: trained networks; they are read, not changed.
        iterations: K, the most BNE rounds after the first of each decision; 0: econ-baseline.
        explorer: training's exploration; None plays the policy as it is.
    """
    [episode] = await play_together([Seat(session, explorer)], team, iterations, ByCall(team.embedding_dim))
    return episode


async def play_together(
    seats: Sequence[Seat], team: TeamNetworks, iterations: int, answering: Answering
) -> list[Episode]:
    """Play episodes side by side, all of one setting; see :func:`play_episode`."""
    episodes = list(await asyncio.gather(*(answering.open(seat.session) for seat in seats)))
    table = _Table(seats, episodes, team, answering)
    for decision in range(seats[0].session.params.train.max_rounds):
        await table.decide(decision, iterations)
    return episodes


class _Table:
    """Holds the executors' beliefs [B, N, d_b] while B episodes are played."""

    def __init__(
        self, seats: Sequence[Seat], episodes: Sequence[Episode], team: TeamNetworks, answering: Answering
    ) -> None:
        self.seats, self.episodes, self.team, self.answering = seats, episodes, team, answering
        self.params = seats[0].session.params
        self.beliefs: Tensor  # from the first action on
        self.start: Tensor  # [B, N, 2], e^0: the policy's first actions of this decision, unexplored
        self.u: list[Tensor] = []  # [N, 2] each, the actions that come next
        with torch.inference_mode():
            texts = [torch.stack([e.problem_embedding, e.strategy_embedding]) for e in episodes]
            self.given = team.executors.read_texts(torch.stack(texts))  # read for every round

    async def decide(self, decision: int, iterations: int) -> None:
        """One decision of each episode: the policy's action, then refined ones until a guard or K ends it."""
        for seat in self.seats:
            seat.guards = Guards(self.params.bne)
        self._first_actions()
        going = [*range(len(self.seats))]
        for k in range(iterations + 1):
            await self._play(decision, going)
            going = [b for b in going if not self._ends(b, k, iterations)]
            going = self._refine(going) if going else going
            if not going:
                return

    @torch.inference_mode()
    def _first_actions(self) -> None:
        self._believe([*range(len(self.seats))])
        logits = self.team.executors.logits(self.beliefs)
        self.start = torch.sigmoid(logits)
        self.u = []
        for b, seat in enumerate(self.seats):
            self.episodes[b].policy.append(scale(self.start[b], self.params.action))
            explorer = seat.explorer
            self.u.append(self.start[b] if explorer is None else explorer.first(logits[b], self._round(b)))

    def _ends(self, b: int, k: int, iterations: int) -> bool:
        """Is a decision over once this commitment is known? Then its reason is taken down."""
        last = self.episodes[b].rounds[-1]
        meaning = last.commitment.meaning if last.commitment.ok else None
        stop = self.seats[b].guards.after_commitment(meaning, last.commitment_embedding)
        if stop is None and k == iterations:
            stop = Stop.MAX_ITERATIONS if iterations else Stop.NO_REFINEMENT
        if stop is not None:
            self.episodes[b].stops.append(stop)
        return stop is not None

    @torch.inference_mode()
    def _refine(self, going: list[int]) -> list[int]:
        """Each executor's next action from its own history, the commitment and E; returns who goes on."""
        self._believe(going)
        bne, beliefs = self.params.bne, self.beliefs[going]
        group, u = self.team.group(beliefs, bne.information), torch.stack([self.u[b] for b in going])
        proposals = refine(self.team, beliefs, group, u, self.start[going], self.params)
        left = []
        for b, before, proposal in zip(going, u, proposals, strict=True):
            explorer, after = self.seats[b].explorer, proposal
            if explorer is not None:
                after = explorer.refined(before, proposal, bne.max_step, self._round(b))
            stop, self.u[b] = self.seats[b].guards.after_step(before, after), after
            if stop is None:
                left.append(b)
            else:
                self.episodes[b].stops.append(stop)
        return left

    def _believe(self, going: list[int]) -> None:
        """Update beliefs, once per round, with what the last left: own action, own answer, commitment."""
        todo = [b for b in going if self.seats[b].believed != self._round(b)]
        if not todo:
            return
        for b in todo:
            self.seats[b].believed = self._round(b)
        executors, n = self.team.executors, self.team.n
        if not self.episodes[todo[0]].rounds:  # then it is the first of all
            nothing = executors.read_nothing.unsqueeze(0).expand(len(todo), -1, -1)
            middle = torch.full((len(todo), n, 2), 0.5)
            self.beliefs = executors.believe([*self.given.unbind(1), nothing, nothing], middle, None)
            return
        last = [self.episodes[b].rounds[-1] for b in todo]
        answers, commitments, u = (
            torch.stack([getattr(played, name) for played in last])
            for name in ("answer_embeddings", "commitment_embedding", "u")
        )
        left = executors.read_texts(commitments.unsqueeze(1), answers.unsqueeze(1)).unbind(1)
        given = self.given[todo].unbind(1)
        self.beliefs[todo] = executors.believe([*given, *left], u, self.beliefs[todo])

    def _round(self, b: int) -> int:
        return len(self.episodes[b].rounds)

    async def _play(self, decision: int, going: list[int]) -> None:
        """All executors of these episodes answer together; each coordinator commits; all is embedded."""
        u = [self.u[b] for b in going]
        values = self._values(going, torch.stack(u))
        asked = [
            Asked(self.seats[b].session, self.episodes[b], scale(own, self.params.action), q)
            for b, own, (q, _) in zip(going, u, values, strict=True)
        ]
        answers = await self.answering.answer(asked)
        for b, own, one, said, value in zip(going, u, asked, answers, values, strict=True):
            q, q_tot = value if self.seats[b].explorer is None else ([], None)
            answered = Round(decision, own, one.sent, q, q_tot, *said)
            self.episodes[b].rounds.append(answered)

    @torch.inference_mode()
    def _values(self, going: list[int], u: Tensor) -> list[tuple[list[float], float | None]]:
        """Q_i and Q_tot of these actions; while exploring only prompts that tell them ask for them."""
        if self.params.team.belief == "numbers" and self.seats[going[0]].explorer is not None:
            return [([], None)] * len(going)
        beliefs = self.beliefs[going]
        q = self.team.executors.values(beliefs, u)
        q_tot, _ = self.team.total(q, u, self.team.context(self.team.encoder(beliefs)))
        return list(zip(q.tolist(), q_tot.tolist(), strict=True))
