"""Centralised training, decentralised execution: one update of ECON's networks (paper, Algorithm 1).

Everything random in an update is a function of (seed, update number): a learner that was saved and loaded
goes on exactly as one that was not.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from econ.equilibrium import losses, rewards
from econ.equilibrium.cores import Cores
from econ.equilibrium.mixer import Context, detached
from econ.equilibrium.networks import TeamNetworks
from econ.equilibrium.replay import Experience, Replay
from econ.errors import EconError
from econ.params import Params
from econ.records import stable_seed


@dataclass(frozen=True)
class View:
    """A batch as the networks see it, rounds flattened: M = B * R."""

    beliefs: Tensor  # [M, N, d_b]
    group: Tensor  # [M, N, d], the belief encoder's E
    context: Context  # the mixer's, of E
    weight: Tensor  # [M], each round's share of a mean

    def detached(self) -> View:
        return View(self.beliefs.detach(), self.group.detach(), detached(self.context), self.weight)


class Learner:
    """The networks, their targets, the replay buffer, the optimiser and alpha.

    Args:
        n: executors.
        embedding_dim: size of the text embeddings.
        params: network, reward, train and bne sections.
        seed: of the run.
        two_cores: use a second core where two things do not depend on each other; the same bits either way.
    """

    def __init__(
        self, n: int, embedding_dim: int, params: Params, seed: int, *, two_cores: bool = True
    ) -> None:
        self.params, self.seed = params, seed
        self.team = TeamNetworks(n, embedding_dim, params.network, seed, params.action.free).eval()
        self.target = copy.deepcopy(self.team).requires_grad_(False)
        self.alpha = rewards.initial_weights(params.reward)
        self.replay = Replay(params.train.buffer_size)
        self.optimizers = _optimizers(self.team, params)
        self.gradient_steps = 0
        self._cores = Cores(two_cores)
        self._online: list[Tensor] = [*self.team.parameters()]
        self._following: list[Tensor] = [*self.target.parameters()]

    def update(self, progress: float = 0.0) -> dict[str, float]:
        """``gradient_steps`` steps on batches of the buffer; the losses, averaged over the steps.

        Args:
            progress: share of the planned training that is over; the learning rates fall with it.

        Raises:
            EconError: a reward or loss is not finite; the step that saw it was not taken.
        """
        left = 1 - (1 - self.params.train.learning_rate_end) * progress
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = left * group["initial_lr"]
        return _means([self.step() for _ in range(self.params.train.gradient_steps)])

    def step(self) -> dict[str, float]:
        """One gradient step: critic and actor on one batch, then alpha, then the targets; its losses.

        No parameter learns from both the critic's loss and the actor's, so their gradients may come from two
        cores at once.
        """
        batch = self._sample()
        with self._dropout():
            view = observe(self.team, batch)
            loss, report = self.critic_loss(view, batch)
        _finite("loss", loss.detach())
        self.team.zero_grad(set_to_none=True)
        _, actor_report = self._cores.both(
            lambda: self.critic_step(loss), lambda: self.actor_step(view.detached(), batch)
        )
        alpha, alpha_report = self.reward_weights(batch)
        self._descend()
        self.alpha = alpha
        self.update_targets()
        return {"loss": loss.item(), **report, **actor_report, **alpha_report}

    def critic_step(self, loss: Tensor) -> None:
        """Gradients of the values, the mixer, the encoder and the beliefs below them."""
        torch.autograd.backward(loss)

    def actor_step(self, view: View, batch: Experience) -> dict[str, float]:
        """Gradients of the action heads and of the refinement's."""
        loss, report = self.actor_loss(view, batch)
        _finite("loss", loss.detach())
        if loss.requires_grad:
            torch.autograd.backward(loss)
        return report

    def reward_weights(self, batch: Experience) -> tuple[Tensor, dict[str, float]]:
        """The next alpha, by one step on L_dr over the batch's rounds (paper 3.5)."""
        played = batch.mask.flatten() > 0
        parts, outcome = batch.parts.flatten(0, 1)[played], batch.outcome.flatten()[played]
        alpha, loss = rewards.learn_weights(self.alpha, parts, outcome, self.params.reward)
        return alpha, {"loss_reward": loss}

    @torch.no_grad()
    def update_targets(self) -> None:
        """phi' <- tau phi + (1 - tau) phi', every ``target_update_interval`` gradient steps."""
        if self.gradient_steps % self.params.train.target_update_interval == 0:
            torch._foreach_lerp_(self._following, self._online, self.params.train.target_rate)

    def _sample(self) -> Experience:
        batch = self.replay.sample(self.params.train.batch_size, self.seed, self.gradient_steps)
        _finite("reward", batch.parts)
        _finite("reward of the commitment", batch.outcome)
        return batch

    @contextmanager
    def _dropout(self) -> Iterator[None]:
        """Dropout on, drawn from (seed, gradient step); the executors have none of it."""
        sides = (self.team.encoder, self.team.mixer)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(stable_seed(self.seed, "update", self.gradient_steps))
            for side in sides:
                side.train(True)
            yield
            for side in sides:
                side.train(False)

    def critic_loss(self, view: View, batch: Experience) -> tuple[Tensor, dict[str, float]]:
        """L_i, L_tot, L_SD, consistency and L_e at the actions that were played."""
        weights, team = self.params.train.losses, self.team
        played = batch.actions.flatten(0, 1)
        q = team.executors.values(view.beliefs, played)
        q_tot, features = team.total(q, played, view.context)
        target, target_tot = self.targets(batch)
        local = losses.local_td(q, target, view.weight)
        total = losses.total_td(q_tot, target_tot, view.weight)
        commitment = batch.commitments.flatten(0, 1) @ team.commitment_map
        semantic = losses.semantic_distance(features, commitment, view.weight)
        consistency = losses.consistency(q, q_tot, view.weight)
        # L_e = L_tot + lambda_e sum_i L_i: a second helping of both TD errors, which reaches the encoder.
        encoder = total + weights.encoder * local
        loss = (
            weights.local_td * local
            + weights.total_td * total
            + weights.semantic * semantic
            + weights.consistency * consistency
            + weights.encoder * encoder
        )
        parts = {"local": local, "total": total, "semantic": semantic, "consistency": consistency}
        report = {f"loss_{name}": part.item() for name, part in parts.items()}
        return loss, {**report, "q": torch.dot(q_tot.detach(), view.weight).item()}

    @torch.no_grad()
    def targets(self, batch: Experience) -> tuple[Tensor, Tensor]:
        """r + gamma Q'(next decision, target actor's action): local [M, N] and total [M].

        Every round of a decision was answered and rewarded, so each is one sample of the value at its own
        action; what follows it is the first round of the next decision, or nothing.
        """
        r = rewards.compose(batch.parts, self.alpha)  # [B, R, N]
        r_tot = rewards.team_reward(r, batch.outcome, self.params.reward)  # [B, R]
        gamma, following = self.params.train.gamma, _next_decision(batch)
        if gamma > 0 and bool((following >= 0).any()):
            target = self.target
            view = observe(target, batch)
            u = target.executors.act(view.beliefs)
            q = target.executors.values(view.beliefs, u)
            q_tot = target.total(q, u, view.context)[0].view(r_tot.shape)
            exists, index = (following >= 0).to(r.dtype), following.clamp_min(0)
            next_q = q.view(r.shape).gather(1, index.unsqueeze(-1).expand_as(r))
            r = r + gamma * exists.unsqueeze(-1) * next_q
            r_tot = r_tot + gamma * exists * q_tot.gather(1, index)
        return r.flatten(0, 1), r_tot.flatten()

    def actor_loss(self, view: View, batch: Experience) -> tuple[Tensor, dict[str, float]]:
        """Ascend Q_tot in the actions of the policy and of the learned refinement.

        The critic's slope at an action is taken as a constant, so only the heads that made the action move.
        """
        weights, executors = self.params.train.losses, self.team.executors
        first, later = _rounds(batch)
        refines = self.params.bne.rule == "learned" and weights.bne_gain + weights.bne_step > 0
        refines = refines and bool(later.any())
        logits = executors.logits(view.beliefs)
        if weights.actor == 0:  # frozen: no gradient at all, lest an optimiser's weight decay move it
            logits = logits.detach()
        u = torch.sigmoid(logits)
        if refines:
            start = _at_first_round(batch, u.detach())
            refined = executors.respond(view.beliefs, self._refined_with(view), logits)
            u = torch.where(later.view(-1, 1, 1) > 0, refined, u)
        point = u.detach().requires_grad_()
        values = self.team.value_of(view.beliefs, point, view.context)
        gains = {"q_policy": torch.dot(values, first)}
        loss = -weights.actor * gains["q_policy"]
        if refines:
            gains["q_refined"] = torch.dot(values, later)
            loss = loss - weights.bne_gain * gains["q_refined"]
        report = {name: gain.item() for name, gain in gains.items()}
        [slope] = torch.autograd.grad(loss, point)
        surrogate = (slope * u).sum() + weights.saturation * losses.saturation(logits, view.weight)
        if refines:
            moved = losses.refinement_step(refined, start, later)
            report["loss_bne_step"] = moved.item()
            surrogate = surrogate + weights.bne_step * moved
        return surrogate, report

    def _refined_with(self, view: View) -> Tensor:
        """E as refinement reads it; a constant, since the encoder learns from the critic alone."""
        if self.params.bne.information == "coordinator":
            return view.group
        with torch.no_grad():
            return self.team.group(view.beliefs, "own")

    def _descend(self) -> None:
        """One clipped step of every group of parameters."""
        executors, coordinator = self.optimizers["executors"], self.optimizers["coordinator"]
        self._cores.both(lambda: self._limit(executors), lambda: self._limit(coordinator))
        # All gradients are finite by now, so the step is taken whole.
        self._cores.both(executors.step, coordinator.step)
        self.gradient_steps += 1

    def _limit(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip the gradients of each of the optimiser's groups."""
        most = self.params.train.gradient_clip
        for group in optimizer.param_groups:
            gradients = [p.grad for p in group["params"] if p.grad is not None]
            norm = nn.utils.get_total_norm(gradients)
            _finite(f"gradient of the {group['name']}", norm)
            if norm.item() > most:
                nn.utils.clip_grads_with_norm_(group["params"], most, norm)


def observe(team: TeamNetworks, batch: Experience) -> View:
    """Beliefs of every round from the history before it, and E."""
    b, r, n, _ = batch.actions.shape

    # Round r sees what round r - 1 left; each text is read once, and no text reads as what zeros read as.
    common = torch.cat(
        [batch.problem.unsqueeze(1), batch.strategy.unsqueeze(1), batch.commitments[:, :-1]], dim=1
    )
    read = team.executors.read_texts(common, batch.answers[:, :-1])  # [B, 2 + 2 (R - 1), N, s]
    nothing = team.executors.read_nothing.expand(b, 1, n, -1)
    problem, strategy = (text.expand(b, r, n, -1) for text in (read[:, :1], read[:, 1:2]))
    commitment = torch.cat([nothing, read[:, 2 : r + 1]], dim=1)
    answer = torch.cat([nothing, read[:, r + 1 :]], dim=1)
    texts = [text.flatten(0, 1) for text in (problem, strategy, commitment, answer)]
    # Before the first round no action was played: the middle of the ranges stands there, as in play.
    middle = torch.full_like(batch.actions[:, :1], 0.5)
    actions = torch.cat([middle, batch.actions[:, :-1]], dim=1).flatten(0, 1)
    gates = team.executors.perceive(texts, actions).view(b, r, n, -1)
    states: list[Tensor] = []
    for round in range(r):
        states.append(team.executors.gru(gates[:, round], states[-1] if states else None))
    beliefs = torch.stack(states, dim=1).flatten(0, 1)
    group = team.encoder(beliefs)
    return View(beliefs, group, team.context(group), losses.shares(batch.mask.flatten()))


def _means(reports: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each name over the steps that report it: a batch without refined rounds has no q_refined."""
    names = dict.fromkeys(name for report in reports for name in report)
    held = {name: [report[name] for report in reports if name in report] for name in names}
    return {name: sum(values) / len(values) for name, values in held.items()}


def _rounds(batch: Experience) -> tuple[Tensor, Tensor]:
    """Shares [M] of a mean over the decisions' first rounds, and over their later ones (the refined)."""
    changed = torch.ones_like(batch.mask)
    changed[:, 1:] = (batch.decision[:, 1:] != batch.decision[:, :-1]).to(batch.mask.dtype)
    first, later = changed * batch.mask, (1 - changed) * batch.mask
    return losses.shares(first.flatten()), losses.shares(later.flatten())


def _at_first_round(batch: Experience, x: Tensor) -> Tensor:
    """x [M, N, 2] of every round as it is in the first round of the same decision: [M, N, 2]."""
    index = (batch.decision.unsqueeze(1) == batch.decision.unsqueeze(2)).int().argmax(dim=2)  # [B, R]
    by_round = x.view_as(batch.actions)
    wide = index.view(*index.shape, 1, 1).expand_as(by_round)
    return by_round.gather(1, wide).flatten(0, 1)


def _next_decision(batch: Experience) -> Tensor:
    """For every round, the index of the next decision's first round, or -1 at the episode's end: [B, R]."""
    later = (batch.decision.unsqueeze(1) == batch.decision.unsqueeze(2) + 1) & (batch.mask.unsqueeze(1) > 0)
    return torch.where(later.any(dim=2), later.int().argmax(dim=2), -1)


def _optimizers(team: TeamNetworks, params: Params) -> dict[str, torch.optim.Optimizer]:
    """Belief networks at the base rate; the heads on top of them and the coordinator's side at theirs."""
    train, heads = params.train, team.executors.head_parameters()
    beliefs = [p for p in team.executors.parameters() if all(p is not other for other in heads)]
    kind = torch.optim.AdamW if train.optimizer == "adamw" else torch.optim.Adam

    def made(*parts: tuple[str, list[nn.Parameter], float]) -> torch.optim.Optimizer:
        groups = [{"name": name, "params": p, "lr": rate, "initial_lr": rate} for name, p, rate in parts]
        return kind(groups, fused=True)

    rate = train.learning_rate_coordinator
    return {
        "executors": made(
            ("beliefs", beliefs, train.learning_rate), ("heads", heads, train.learning_rate_heads)
        ),
        "coordinator": made(
            ("encoder", [*team.encoder.parameters()], rate), ("mixer", [*team.mixer.parameters()], rate)
        ),
    }


def _finite(name: str, value: Tensor) -> None:
    total = value.sum().item()
    if not math.isfinite(total):
        shown = next((x for x in value.flatten().tolist() if not math.isfinite(x)), total)
        raise EconError(
            f"training met a {name} that is {shown}; the step was not taken",
            "lower train.learning_rate or train.gradient_clip, and go on with --resume",
        )
