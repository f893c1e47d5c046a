"""The coordinator's mixing network: local values and features to one team value (paper 3.4).

Self-attention over the actions gives w_i, F_i = f(w_i, E_i), and attention over {Q_i, F_i} gives Q_tot.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from econ.equilibrium.layers import SelfAttention, attend, drop
from econ.params import Network

UNITS = 32  # of the monotone layer, as in QMIX (Rashid et al. 2018)


class Features(nn.Module):
    """F_i = f(w_i, E_i) with w = self-attention over the actions: [B, N, a], [B, N, d] -> [B, N, d]."""

    def __init__(self, sizes: Network, action_dim: int) -> None:
        super().__init__()
        self.dropout, self.concatenate = sizes.dropout, sizes.concatenate
        d = sizes.entity_dim
        self.actions = SelfAttention(action_dim, sizes.heads, sizes.key_query_dim)
        width = sizes.heads * sizes.key_query_dim
        self.combine = nn.Linear(width + d if sizes.concatenate else width, d)

    def forward(self, actions: Tensor, group: Tensor) -> Tensor:
        w = self.actions(actions)
        x = torch.cat([w, group], dim=-1) if self.concatenate else w
        return drop(torch.relu(self.combine(x)), self.dropout, self.training)


class MonotoneMixer(nn.Module):
    """Q_tot with dQ_tot/dQ_i >= 0 for every input.

    The Q_i enter through sums with softmax weights (>= 0, from F and E), then through two layers with
    non-negative weights (softplus, from E) and monotone activations; nothing else depends on them.
    """

    def __init__(self, sizes: Network, action_dim: int) -> None:
        super().__init__()
        self.heads = sizes.heads
        d, keys = sizes.entity_dim, sizes.heads * sizes.key_query_dim
        self.features = Features(sizes, action_dim)
        self.query, self.key = nn.Linear(d, keys), nn.Linear(d, keys)
        self.first = nn.Linear(d, sizes.heads * UNITS)
        self.first_bias = nn.Linear(d, UNITS)
        self.second = nn.Linear(d, UNITS)
        self.offset = nn.Sequential(
            nn.Linear(2 * d, sizes.key_query_dim), nn.ReLU(), nn.Linear(sizes.key_query_dim, 1)
        )
        self.scale = d**-0.5  # of the contexts that make weights: a step of Adam then moves them little

    def forward(self, q: Tensor, actions: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
        """q [B, N], actions [B, N, a], group [B, N, d] -> Q_tot [B], F [B, N, d]."""
        features = self.features(actions, group)
        pooled = group.mean(dim=1) * self.scale
        query = self.query(pooled).view(len(q), 1, self.heads, -1)  # [B, 1, h, k]
        key = self.key(features).view(*q.shape, self.heads, -1)  # [B, N, h, k]
        weights = torch.softmax((query * key).sum(dim=-1), dim=1)  # [B, N, h]
        heads = (weights * q.unsqueeze(-1)).sum(dim=1)  # [B, h]
        first = positive(self.first(pooled)).view(len(q), self.heads, -1)  # [B, h, units]
        hidden = F.elu((heads.unsqueeze(-1) * first).mean(dim=1) + self.first_bias(pooled))
        mixed = (hidden * positive(self.second(pooled))).mean(dim=-1)
        context = torch.cat([pooled, features.mean(dim=1) * self.scale], dim=-1)
        return mixed + self.offset(context).squeeze(-1), features


def positive(x: Tensor) -> Tensor:
    """A non-negative weight that is 1 at x = 0, so that an untrained Q_tot is about the mean of the Q_i."""
    return F.softplus(x + math.log(math.e - 1))


class AttentionMixer(nn.Module):
    """The paper's form as written: attention over the pairs (Q_i, F_i). Not monotone (inconsistency 5.5)."""

    def __init__(self, sizes: Network, action_dim: int) -> None:
        super().__init__()
        self.heads = sizes.heads
        d, keys = sizes.entity_dim, sizes.heads * sizes.key_query_dim
        self.features = Features(sizes, action_dim)
        self.query = nn.Linear(d, keys)
        self.key_value = nn.Linear(d + 1, 2 * keys)
        self.out = nn.Linear(keys, 1)

    def forward(self, q: Tensor, actions: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(actions, group)
        key, value = self.key_value(torch.cat([q.unsqueeze(-1), features], dim=-1)).chunk(2, dim=-1)
        query = self.query(group.mean(dim=1, keepdim=True))
        return self.out(attend(query, key, value, self.heads)).flatten(), features
