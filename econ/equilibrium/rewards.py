"""Rewards: action likelihood AL, task success TS, collaborative contribution CC, and their learned weights.

Paper 2.2, 3.5 and appendix C.4. Weights stand in the order (AL, TS, CC).
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from econ.params import Reward

Array = NDArray[np.float64]
NAMES = ("AL", "TS", "CC")
Value = TypeVar("Value", float, Tensor)


def components(
    answers: Tensor, commitments: Tensor, task: Tensor, valid: Tensor, committed: Tensor, params: Reward
) -> Tensor:
    """AL, TS and CC of R rounds, each in [0, r_max]: [R, N, 3].

    Args:
        answers: embeddings [R, N, D].
        commitments: embeddings [R, D].
        task: TS of each answer in [0, 1]: [R, N].
        valid: whether there is a readable answer: [R, N] bool. An INVALID one gets 0 in every component.
        committed: whether there is a commitment: [R] bool; without one there is nothing to agree with
            (AL = CC = 0).
    """
    texts = F.normalize(torch.cat([answers, commitments.unsqueeze(1)], dim=1), dim=-1)
    similar = (texts @ texts.transpose(1, 2) + 1) / 2  # cosines mapped to [0, 1], of every pair
    fidelity = similar[:, :-1, -1] * committed.unsqueeze(1)
    oneself = torch.eye(answers.shape[1], dtype=torch.bool)
    peers = similar[:, :-1, :-1].masked_fill(oneself | ~valid.unsqueeze(1), 0.0)
    novelty = 1 - peers.amax(dim=-1)
    contribution = fidelity * (1 - params.novelty_weight + params.novelty_weight * novelty)
    stacked = torch.stack([fidelity, task, contribution], dim=-1).clamp(0, 1)
    return params.r_max * stacked * valid.unsqueeze(-1)


def initial_weights(params: Reward) -> Tensor:
    """alpha at the start: params' weights of the components that are on, renormalised: [3] float64."""
    on = active(params)
    alpha = np.array(params.alpha) * on
    return torch.from_numpy(project(alpha / alpha.sum(), on, _floor(params, on)))


def active(params: Reward) -> Array:
    """1 for components that are on: [3] float64."""
    return np.array([float(name in params.components) for name in NAMES])


def compose(parts: Tensor, alpha: Tensor) -> Tensor:
    """r_i = alpha . (AL, TS, CC): [..., 3] -> [...]."""
    return parts @ alpha.to(parts.dtype)


def team_reward(rewards: Tensor, outcome: Tensor, params: Reward) -> Tensor:
    """r_tot from r_i [..., N] and the commitment's TS in [0, 1] [...], in [0, r_max]."""
    return total(rewards.mean(dim=-1), outcome, params)


def total(mean: Value, outcome: Value, params: Reward) -> Value:
    """r_tot: the mean of the r_i, and r_max times the commitment's TS, by ``reward.commitment_weight``."""
    share = params.commitment_weight
    return (1 - share) * mean + share * params.r_max * outcome


def learn_weights(alpha: Tensor, parts: Tensor, outcome: Tensor, params: Reward) -> tuple[Tensor, float]:
    """One projected gradient step on L_dr; returns the new alpha and the loss before it.

    L_dr = mean over rounds of sum_i (r_actual - r_expected_i)^2 (paper 3.5). The paper defines neither term
    (inconsistency 5.7). Here r_actual is what the team achieved, R_max times the commitment's TS, and
    r_expected_i = alpha . (AL_i, TS_i, CC_i): the weights learn to make each executor's reward foretell the
    team's success. parts [M, N, 3], outcome [M]. In numpy: with three numbers to learn, torch's time would
    all be overhead.
    """
    weights, x = alpha.numpy(), parts.double().numpy()
    surprise = params.r_max * outcome.double().numpy()[:, None] - x @ weights  # [M, N]
    loss = float(np.square(surprise).sum(axis=-1).mean())
    if not params.learn_alpha:
        return alpha, loss
    gradient = -2 * np.tensordot(surprise, x, axes=2) / len(x)
    on = active(params)
    stepped = (weights - params.alpha_learning_rate * gradient) * on
    return torch.from_numpy(project(stepped, on, _floor(params, on))), loss


def project(alpha: Array, on: Array, floor: float) -> Array:
    """Nearest point (Euclidean) of the simplex over the components that are on, none below ``floor``.

    Duchi et al. (2008), on the mass that the floor leaves free. All [3] float64.
    """
    chosen = on > 0
    mass = 1 - floor * int(chosen.sum())
    x = alpha[chosen] - floor
    ordered = np.sort(x)[::-1]
    excess = ordered.cumsum() - mass
    rank = np.arange(1, len(x) + 1)
    last = int((ordered - excess / rank > 0).sum()) - 1
    out = np.zeros_like(alpha)
    out[chosen] = (x - excess[last] / (last + 1)).clip(min=0) + floor
    return out


def _floor(params: Reward, on: Array) -> float:
    """A lone component has all the weight whatever the floor."""
    count = int(on.sum())
    return 0.0 if count == 1 else min(params.alpha_floor, math.nextafter(1 / count, 0))
