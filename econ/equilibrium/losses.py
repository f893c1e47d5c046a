"""The losses of the paper (3.3, 3.4, appendix C), each a plain function. Shapes: M rounds, N executors."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of x [M] over rounds with mask 1."""
    return (x * mask).sum() / mask.sum().clamp_min(1)


def local_td(q: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """sum_i L_i = sum_i (r_i + gamma Q_i' - Q_i)^2: q, target [M, N]."""
    return masked_mean((target - q).square().sum(dim=-1), mask)


def total_td(q_tot: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """L_tot = (r_tot + gamma Q_tot' - Q_tot)^2: q_tot, target [M]."""
    return masked_mean((target - q_tot).square(), mask)


def semantic_distance(features: Tensor, commitment: Tensor, mask: Tensor) -> Tensor:
    """L_SD = sum_i (1 - cos(F_i, C))^2: features [M, N, d], commitment [M, d] in the same space.

    A round without a commitment (zeros) has nothing to be close to and counts 0.
    """
    cosine = F.cosine_similarity(features, commitment.unsqueeze(1), dim=-1)
    exists = (commitment.abs().sum(dim=-1) > 0).to(mask.dtype)
    return masked_mean((1 - cosine).square().sum(dim=-1) * exists, mask)


def consistency(q: Tensor, q_tot: Tensor, mask: Tensor) -> Tensor:
    """sum_i (Q_i - Q_tot)^2: q [M, N], q_tot [M]."""
    return masked_mean((q - q_tot.unsqueeze(-1)).square().sum(dim=-1), mask)


def refinement_step(refined: Tensor, start: Tensor, mask: Tensor) -> Tensor:
    """|e^K - e^0|^2, summed over executors: refined, start [M, N, 2]."""
    return masked_mean((refined - start).square().sum(dim=(-2, -1)), mask)


def saturation(logits: Tensor, mask: Tensor) -> Tensor:
    """Squared logits of the actions, summed over executors: logits [M, N, 2].

    Not of the paper. An actor that follows a young critic to the end of a sigmoid would stay there.
    """
    return masked_mean(logits.square().sum(dim=(-2, -1)), mask)
