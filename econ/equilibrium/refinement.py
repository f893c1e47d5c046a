"""BNE refinement: how executors move their actions between rounds, and when rounds end (paper 3.2, 3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional as F

from econ.equilibrium.networks import TeamNetworks
from econ.params import BNE, Params


class Stop(StrEnum):
    """Why the refinement of a decision ended."""

    SAME_COMMITMENT = "same commitment"
    SMALL_STEP = "small step"
    OSCILLATION = "oscillation"
    MAX_ITERATIONS = "max iterations"
    NO_REFINEMENT = "no refinement"  # none was asked for: econ-baseline


def refine(
    team: TeamNetworks, beliefs: Tensor, group: Tensor, u: Tensor, start: Tensor, params: Params
) -> Tensor:
    """Proposed next actions of every executor by the rule of ``bne.rule``: [B, N, 2] in [0, 1].

    Both rules lower L_BNE = bne_step |e_i - e_i^0|^2 - bne_gain Q_tot with the weights of train.losses.
    ``learned`` goes to what training has learned to answer to the belief as it stands after the commitment;
    ``best_response`` looks for it in the mixer. Both rest at the policy where nothing is to be gained, and
    lead back to it from anywhere else: e^0 is the policy's, not what exploration made of it. No component
    moves by more than ``bne.max_step``.

    Args:
        beliefs: each executor's own history with the last commitment [B, N, d_b].
        group: E [B, N, d], of all beliefs or of each one's own (``bne.information``).
        u: the actions of the last round [B, N, 2].
        start: e^0, the policy's action at the decision's first belief [B, N, 2].
    """
    if params.bne.rule == "best_response":
        return best_response(team, beliefs, group, u, start, params)
    goal = team.executors.respond(beliefs, group)
    return u + (goal - u).clamp(-params.bne.max_step, params.bne.max_step)


@torch.inference_mode(False)  # slopes are needed, also in play
def best_response(
    team: TeamNetworks, beliefs: Tensor, group: Tensor, u: Tensor, start: Tensor, params: Params
) -> Tensor:
    """Each executor lowers L_BNE in its own action, the others' held at their last: a better response.

    The pull to e^0 is what makes it one: the mixer alone leads to where nothing was tried and it is wrong.
    Gradient steps whose size falls to nothing, inside the box of ``max_step``; the best point met is kept, so
    none is worse than standing still. One variant of the joint action per executor, as one batch of B*N.
    """
    bne, losses = params.bne, params.train.losses
    batch, n = u.shape[:2]
    own = torch.eye(n).view(1, n, n, 1)  # variant, executor
    wide_beliefs = beliefs.detach().repeat_interleave(n, dim=0)
    with torch.no_grad():
        context = team.context(group.repeat_interleave(n, dim=0))

    def gain(candidate: Tensor) -> Tensor:
        joint = torch.where(own > 0, candidate.unsqueeze(2), u.unsqueeze(1)).flatten(0, 1)
        value = team.value_of(wide_beliefs, joint, context).view(batch, n)
        return losses.bne_gain * value - losses.bne_step * (candidate - start).square().sum(dim=-1)

    low, high = (u - bne.max_step).clamp(0, 1), (u + bne.max_step).clamp(0, 1)
    best, candidate, best_gain = u.clone(), u.clone(), torch.full((batch, n), -torch.inf)
    for left in torch.linspace(1, 0, bne.ascent_steps + 1).tolist():
        moving = candidate.detach().requires_grad_()
        gains = gain(moving)
        [slope] = torch.autograd.grad(gains.sum(), moving)
        slope, gains = slope * team.executors.free, gains.detach()
        best = torch.where((gains > best_gain).unsqueeze(-1), candidate, best)
        best_gain = torch.maximum(gains, best_gain)
        size = slope.abs().amax(dim=-1, keepdim=True).clamp_min(1e-12)
        candidate = (candidate + 0.5 * bne.max_step * left * slope / size).clamp(low, high)
    return best


@dataclass
class Guards:
    """Says when refinement ends. One per decision; commitments are given in order.

    A commitment is its text and unit-norm embedding; None: the coordinator gave none.
    """

    params: BNE
    seen: list[tuple[str, Tensor] | None] = field(default_factory=list)

    def after_commitment(self, text: str | None, embedding: Tensor) -> Stop | None:
        """The reason to stop once this commitment is known, or None."""
        self.seen.append(None if text is None else (text, embedding))
        if len(self.seen) >= 2 and self._same(-1, -2):
            return Stop.SAME_COMMITMENT
        if len(self.seen) >= 4 and self._same(-1, -3) and self._same(-2, -4):
            return Stop.OSCILLATION
        return None

    def after_step(self, before: Tensor, after: Tensor) -> Stop | None:
        """The reason to stop once the proposed move [N, 2] is known: it is too small to answer again for."""
        moved = (after - before).norm(dim=-1).max().item()
        return Stop.SMALL_STEP if moved < self.params.convergence_threshold else None

    def _same(self, one: int, other: int) -> bool:
        a, b = self.seen[one], self.seen[other]
        if a is None or b is None:
            return False
        if " ".join(a[0].split()) == " ".join(b[0].split()):
            return True
        return F.cosine_similarity(a[1], b[1], dim=0).item() >= self.params.same_commitment
