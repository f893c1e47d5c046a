"""The losses of the paper (3.3, 3.4, appendix C), each a plain function. Shapes: M rounds, N executors.

``weight`` [M] is each round's share of the mean, from :func:`shares`: padding has none.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def shares(mask: Tensor) -> Tensor:
    """Equal weights, of sum 1, for the rounds with mask 1; 0 for the others: [M]."""
    return mask / mask.sum().clamp_min(1)


def local_td(q: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """sum_i L_i = sum_i (r_i + gamma Q_i' - Q_i)^2: q, target [M, N]."""
    return torch.dot((target - q).square().sum(dim=-1), weight)


def total_td(q_tot: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """L_tot = (r_tot + gamma Q_tot' - Q_tot)^2: q_tot, target [M]."""
    return torch.dot((target - q_tot).square(), weight)


def semantic_distance(features: Tensor, commitment: Tensor, weight: Tensor) -> Tensor:
    """L_SD = sum_i (1 - cos(F_i, C))^2: features [M, N, d], commitment [M, d] in the same space.

    A round without a commitment (zeros) has nothing to be close to and counts 0.
    """
    cosine = F.cosine_similarity(features, commitment.unsqueeze(1), dim=-1)
    exists = (commitment.abs().sum(dim=-1) > 0).to(weight.dtype)
    return torch.dot((1 - cosine).square().sum(dim=-1) * exists, weight)


def consistency(q: Tensor, q_tot: Tensor, weight: Tensor) -> Tensor:
    """sum_i (Q_i - Q_tot)^2: q [M, N], q_tot [M]."""
    return torch.dot((q - q_tot.unsqueeze(-1)).square().sum(dim=-1), weight)


def refinement_step(refined: Tensor, start: Tensor, weight: Tensor) -> Tensor:
    """|e^K - e^0|^2, summed over executors: refined, start [M, N, 2]."""
    return torch.dot((refined - start).square().sum(dim=(-2, -1)), weight)


def saturation(logits: Tensor, weight: Tensor) -> Tensor:
    """Squared logits of the actions, summed over executors: logits [M, N, 2].

    Not of the paper. An actor that follows a young critic to the end of a sigmoid would stay there.
    """
    return torch.dot(logits.square().sum(dim=(-2, -1)), weight)
