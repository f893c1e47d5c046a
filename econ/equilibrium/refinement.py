"""BNE refinement: how executors move their actions between rounds, and when rounds end (paper 3.2, 3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from econ.equilibrium.networks import TeamNetworks
from econ.params import BNE


def refine(team: TeamNetworks, beliefs: Tensor, group: Tensor, u: Tensor, params: BNE) -> Tensor:
    """Proposed next actions of every executor by the rule of ``params``: [B, N, 2] in [0, 1].

    An executor's inputs are its own belief (its history with the last commitment), its E_i and own action.
    No component moves by more than ``max_step``.
    """
    if params.rule == "learned":
        return learned_step(team, beliefs, group, u, params.max_step)
    return best_response(team, beliefs, group, u, params.max_step, params.ascent_steps)


def learned_step(team: TeamNetworks, beliefs: Tensor, group: Tensor, u: Tensor, max_step: float) -> Tensor:
    """e^{k+1} = e^k + max_step * tanh(g_i(b_i, E_i, e_i^k)), g trained by the BNE losses."""
    return (u + max_step * team.executors.step(beliefs, group, u)).clamp(0, 1)


def best_response(
    team: TeamNetworks, beliefs: Tensor, group: Tensor, u: Tensor, max_step: float, steps: int
) -> Tensor:
    """Each executor ascends Q_tot in its own action, the others' held at their last: a better response.

    Normalised gradient ascent inside the box of ``max_step``; a move is kept only if the mixer's value rises.
    One variant of the joint action per executor, evaluated as one batch of B*N.
    """
    batch, n = u.shape[:2]
    own = torch.eye(n).view(1, n, n, 1)  # variant, executor

    def value(candidate: Tensor) -> Tensor:
        joint = torch.where(own > 0, candidate.unsqueeze(2), u.unsqueeze(1)).flatten(0, 1)
        return team.value_of(wide_beliefs, joint, wide_group).view(batch, n)

    wide_beliefs = beliefs.detach().repeat_interleave(n, dim=0)
    wide_group = group.detach().repeat_interleave(n, dim=0)
    low, high = (u - max_step).clamp(0, 1), (u + max_step).clamp(0, 1)
    best, candidate = u.clone(), u.clone()
    best_value: Tensor | None = None
    for _ in range(steps + 1):
        with torch.enable_grad():
            moving = candidate.detach().requires_grad_()
            values = value(moving)
            [gradient] = torch.autograd.grad(values.sum(), moving)
        gradient = gradient * team.executors.free
        if best_value is None:
            best_value = values.detach()
        better = (values.detach() > best_value).unsqueeze(-1)
        best, best_value = torch.where(better, candidate, best), torch.maximum(values.detach(), best_value)
        size = gradient.abs().amax(dim=-1, keepdim=True).clamp_min(1e-12)
        candidate = torch.minimum(torch.maximum(candidate + max_step / steps * gradient / size, low), high)
    return best


@dataclass
class Guards:
    """Says when refinement ends. One per decision; commitments are given in order.

    A commitment is its text and unit-norm embedding; None: the coordinator gave none.
    """

    params: BNE
    seen: list[tuple[str, Tensor] | None] = field(default_factory=list)

    def after_commitment(self, text: str | None, embedding: Tensor) -> str | None:
        """The reason to stop once this commitment is known, or None."""
        self.seen.append(None if text is None else (text, embedding))
        if len(self.seen) >= 2 and self._same(-1, -2):
            return "same commitment"
        if len(self.seen) >= 4 and self._same(-1, -3) and self._same(-2, -4):
            return "oscillation"
        return None

    def after_step(self, before: Tensor, after: Tensor) -> str | None:
        """The reason to stop once the proposed move [N, 2] is known: it is too small to answer again for."""
        moved = (after - before).norm(dim=-1).max().item()
        return "small step" if moved < self.params.convergence_threshold else None

    def _same(self, one: int, other: int) -> bool:
        a, b = self.seen[one], self.seen[other]
        if a is None or b is None:
            return False
        same_text = " ".join(a[0].split()) == " ".join(b[0].split())
        cosine = F.cosine_similarity(a[1], b[1], dim=0).item()
        return same_text or cosine >= self.params.same_commitment
