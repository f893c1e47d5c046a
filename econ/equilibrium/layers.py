"""Building blocks: layers that hold one independent copy per executor, and attention over the team."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class StackedLinear(nn.Module):
    """N independent linear maps, applied together: [B, N, in] -> [B, N, out]. One ``bmm``, whatever N is."""

    def __init__(self, n: int, inputs: int, outputs: int, *, zero: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(n, 1, outputs))
        self.zero = zero  # starts as the zero map: heads whose first output must be neutral

    def initialise(self, agent: int, generator: torch.Generator) -> None:
        """Draw executor ``agent``'s copy, uniform in +-1/sqrt(inputs), from its own generator alone."""
        if not self.zero:
            bound = 1 / math.sqrt(self.weight.shape[1])
            with torch.no_grad():
                self.weight[agent].uniform_(-bound, bound, generator=generator)
                self.bias[agent].uniform_(-bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x.transpose(0, 1), self.weight).transpose(0, 1)


class StackedGRUCell(nn.Module):
    """N independent GRU cells (Cho et al. 2014): inputs [B, N, in], state [B, N, h] -> state [B, N, h]."""

    def __init__(self, n: int, inputs: int, hidden: int) -> None:
        super().__init__()
        self.from_input = StackedLinear(n, inputs, 3 * hidden)
        self.from_state = StackedLinear(n, hidden, 3 * hidden)

    def forward(self, gates: Tensor, state: Tensor | None) -> Tensor:
        """``gates``: :attr:`from_input` of the inputs [B, N, 3 h], which all steps can share one product for.
        State None: zeros."""
        of_state = self.from_state.bias.transpose(0, 1) if state is None else self.from_state(state)
        width = gates.shape[-1] // 3
        both_x, new_x = torch.split(gates, [2 * width, width], dim=-1)
        both_h, new_h = torch.split(of_state, [2 * width, width], dim=-1)
        reset, update = torch.sigmoid(both_x + both_h).chunk(2, dim=-1)
        new = torch.tanh(new_x + reset * new_h)
        return new + update * ((0.0 if state is None else state) - new)


class StackedTransformerBlock(nn.Module):
    """N independent pre-norm transformer blocks over S tokens each: [B, S, N, d] -> the same."""

    def __init__(self, n: int, width: int, heads: int, key_query_dim: int, feed_forward: int, epsilon: float):
        super().__init__()
        self.heads, self.epsilon = heads, epsilon
        self.qkv = StackedLinear(n, width, 3 * heads * key_query_dim)
        self.out = StackedLinear(n, heads * key_query_dim, width)
        self.widen, self.narrow = StackedLinear(n, width, feed_forward), StackedLinear(n, feed_forward, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, slots, agents, width = x.shape

        def each(layer: StackedLinear, tokens: Tensor) -> Tensor:
            flat: Tensor = layer(tokens.reshape(batch * slots, agents, -1))
            return flat.view(batch, slots, agents, -1)

        qkv = each(self.qkv, F.layer_norm(x, (width,), eps=self.epsilon))
        q, k, v = (part.permute(0, 2, 1, 3).flatten(0, 1) for part in qkv.chunk(3, dim=-1))
        attended = attend(q, k, v, self.heads).view(batch, agents, slots, -1).permute(0, 2, 1, 3)
        x = x + each(self.out, attended)
        out: Tensor = x + each(
            self.narrow, F.gelu(each(self.widen, F.layer_norm(x, (width,), eps=self.epsilon)))
        )
        return out


class SelfAttention(nn.Module):
    """Multi-head attention among the team's members: [B, N, in] -> [B, N, heads * key_query_dim].

    Equivariant, any N; the heads stand side by side, for the layer that follows to combine.
    """

    def __init__(self, inputs: int, heads: int, key_query_dim: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(inputs, 3 * heads * key_query_dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return attend(q, k, v, self.heads)


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Scaled dot-product attention of ``heads`` heads over dimension 1: [B, N, h*k] -> [B, N, h*k]."""
    q, k, v = (part.view(*part.shape[:2], heads, -1).transpose(1, 2) for part in (q, k, v))
    out: Tensor = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    return out


def drop(x: Tensor, share: float, training: bool) -> Tensor:
    """Dropout while training; in play nothing at all, since even an idle one takes time."""
    return F.dropout(x, share) if training and share > 0 else x
