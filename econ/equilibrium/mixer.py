"""The coordinator's mixing network: local values and features to one team value (paper 3.4).

Self-attention over the actions gives w_i, F_i = f(w_i, E_i), and attention over {Q_i, F_i} gives Q_tot.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from econ.equilibrium.layers import attend, drop
from econ.params import Network

UNITS = 32  # of the monotone layer, as in QMIX (Rashid et al. 2018)


class Maps(NamedTuple):
    """What F_i is made with, whatever the actions; a features of an action, h heads."""

    score: Tensor  # [a + 1, h (a + 1)], queries times keys
    value: Tensor  # [h (a + 1), d], values times the map that combines the heads
    base: Tensor  # [B, N, d], E's part


class Features(nn.Module):
    """F_i = f(w_i, E_i) with w = self-attention over the actions: [B, N, a], [B, N, d] -> [B, N, d].

    An action has few features, and its queries, keys and values many entries. So their maps are multiplied
    with each other first (:meth:`maps`): the same function for a part of the work, and done once for all the
    joint actions that are valued in a situation.
    """

    def __init__(self, sizes: Network, action_dim: int) -> None:
        super().__init__()
        self.dropout, self.heads = sizes.dropout, sizes.heads
        width, d = sizes.heads * sizes.key_query_dim, sizes.entity_dim
        self.parts = [width, d] if sizes.concatenate else [width]
        self.qkv = nn.Linear(action_dim, 3 * width)
        self.combine = nn.Linear(sum(self.parts), d)

    def maps(self, group: Tensor) -> Maps:
        # With a last feature that is 1 the biases are columns.
        whole = torch.cat([self.qkv.weight, self.qkv.bias.unsqueeze(1)], dim=1)
        query, key, value = whole.view(3, self.heads, -1, whole.shape[1])  # [h, k, a + 1] each
        score = query.transpose(1, 2) @ key / math.sqrt(key.shape[1])  # [h, a + 1, a + 1]
        of_w, *of_group = torch.split(self.combine.weight, self.parts, dim=1)
        combine = of_w.view(len(of_w), self.heads, -1).permute(1, 2, 0)  # [h, k, d]
        bias = self.combine.bias
        base = F.linear(group, of_group[0], bias) if of_group else bias.expand_as(group)
        value = (value.transpose(1, 2) @ combine).flatten(0, 1)
        return Maps(score.transpose(0, 1).flatten(1), value, base)

    def forward(self, actions: Tensor, maps: Maps) -> Tensor:
        batch, n, _ = actions.shape
        x = F.pad(actions, (0, 1), value=1.0)
        query = (x @ maps.score).view(batch, n * self.heads, -1)
        attention = torch.softmax(query @ x.transpose(1, 2), dim=-1)  # [B, N h, N]
        attended = (attention @ x).view(batch, n, -1)
        return drop(torch.relu(attended @ maps.value + maps.base), self.dropout, self.training)


class MonotoneContext(NamedTuple):
    """What :class:`MonotoneMixer` makes of E, h heads and m units."""

    maps: Maps
    keys: Tensor  # [B, h, d]: F_i times these are the scores of attention
    first: Tensor  # [B, h, m]
    first_bias: Tensor  # [B, m]
    second: Tensor  # [B, m]
    offset: Tensor  # [B, k], E's part of the offset's hidden layer


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
        self.key = nn.Linear(d, keys, bias=False)  # a bias would add the same to every executor's score
        # Of E: the query, both layers' weights, the first one's bias, the offset's hidden layer.
        self.parts = [keys, sizes.heads * UNITS, UNITS, UNITS, sizes.key_query_dim]
        self.of_group = nn.Linear(d, sum(self.parts))
        self.of_features = nn.Linear(d, sizes.key_query_dim, bias=False)
        self.offset = nn.Linear(sizes.key_query_dim, 1)
        self.scale = d**-0.5  # of the contexts that make weights: a step of Adam then moves them little

    def context(self, group: Tensor) -> MonotoneContext:
        """Everything that does not depend on values and actions, from E [B, N, d]."""
        batch, _, d = group.shape
        pooled = group.mean(dim=1) * self.scale
        query, first, second, first_bias, offset = self.of_group(pooled).split(self.parts, dim=-1)
        query = query.view(batch, self.heads, -1).transpose(0, 1)  # [h, B, k]
        keys = query @ self.key.weight.view(self.heads, -1, d)  # queries and keys meet in F's own space
        return MonotoneContext(
            maps=self.features.maps(group),
            keys=keys.transpose(0, 1),
            first=positive(first).view(batch, self.heads, -1) / self.heads,
            first_bias=first_bias,
            second=positive(second),
            offset=offset,
        )

    def forward(self, q: Tensor, actions: Tensor, context: MonotoneContext) -> tuple[Tensor, Tensor]:
        """q [B, N], actions [B, N, a] -> Q_tot [B], F [B, N, d]."""
        features = self.features(actions, context.maps)
        weights = torch.softmax(features @ context.keys.transpose(1, 2), dim=1)  # [B, N, h]
        heads = q.unsqueeze(1) @ weights  # [B, 1, h]
        hidden = F.elu((heads @ context.first).squeeze(1) + context.first_bias)
        mixed = (hidden * context.second).mean(dim=-1)
        about = self.of_features(features.mean(dim=1) * self.scale)
        offset = self.offset(torch.relu(context.offset + about))
        return mixed + offset.squeeze(-1), features


def positive(x: Tensor) -> Tensor:
    """A non-negative weight that is 1 at x = 0, so that an untrained Q_tot is about the mean of the Q_i."""
    return F.softplus(x + math.log(math.e - 1))


class AttentionContext(NamedTuple):
    """What :class:`AttentionMixer` makes of E."""

    maps: Maps
    query: Tensor  # [B, 1, h k]


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

    def context(self, group: Tensor) -> AttentionContext:
        return AttentionContext(self.features.maps(group), self.query(group.mean(dim=1, keepdim=True)))

    def forward(self, q: Tensor, actions: Tensor, context: AttentionContext) -> tuple[Tensor, Tensor]:
        features = self.features(actions, context.maps)
        key, value = self.key_value(torch.cat([q.unsqueeze(-1), features], dim=-1)).chunk(2, dim=-1)
        return self.out(attend(context.query, key, value, self.heads)).flatten(), features


Context = MonotoneContext | AttentionContext


def detached(context: Context) -> Context:
    """The same numbers, as constants."""
    maps, *rest = context
    return type(context)(Maps(*(x.detach() for x in maps)), *(x.detach() for x in rest))
