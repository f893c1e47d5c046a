"""The trained networks: a belief network per executor and, above them, the coordinator's encoder and mixer.

Shapes: B episodes, N executors, D embedding size, d_b belief size, d entity size. Actions are ``u`` in
[0, 1]^2, shares of the ranges of (temperature, second parameter); see :mod:`econ.equilibrium.actions`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from econ.equilibrium.layers import (
    SelfAttention,
    StackedGRUCell,
    StackedLinear,
    StackedTransformerBlock,
    drop,
)
from econ.equilibrium.mixer import AttentionMixer, Context, MonotoneMixer
from econ.params import Information, Network
from econ.records import stable_seed

ACTION_FEATURES = 5


def action_features(u: Tensor) -> Tensor:
    """[..., 2] in [0, 1] -> [..., 5]: centred, with squares and product, since optima may lie inside."""
    v = 2 * u - 1
    return torch.cat([v, v * v, v[..., :1] * v[..., 1:]], dim=-1)


class Executors(nn.Module):
    """N executors with independent parameters: belief, action, value, refinement (paper 3.2, figure 2)."""

    free: Tensor

    def __init__(self, n: int, embedding_dim: int, sizes: Network, free: tuple[bool, ...]) -> None:
        super().__init__()
        self.register_buffer("free", torch.tensor(free, dtype=torch.float32), persistent=False)
        self.n, self.embedding_dim = n, embedding_dim
        hidden, belief, slot = sizes.mlp_hidden, sizes.belief_dim, sizes.text_dim
        self.read = StackedLinear(n, embedding_dim, slot)
        self.widen = StackedLinear(n, 4 * slot + ACTION_FEATURES, hidden)
        self.narrow = StackedLinear(n, hidden, belief)
        self.blocks = nn.ModuleList(
            StackedTransformerBlock(n, slot, sizes.heads, slot, sizes.feed_forward, sizes.layer_norm_epsilon)
            for _ in range(sizes.blocks if sizes.body == "transformer" else 0)
        )
        self.gru = StackedGRUCell(n, belief, belief)
        self.action_head = StackedLinear(n, belief, 2, zero=True)  # starts at the middle of the ranges
        self.value_of_belief = StackedLinear(n, belief, hidden)
        self.value_of_action = StackedLinear(n, ACTION_FEATURES, hidden)  # apart: its scale is its own
        self.value_head = StackedLinear(n, hidden, 1)
        self.refine_hidden = StackedLinear(n, belief + sizes.entity_dim, slot)
        self.refine_head = StackedLinear(n, slot, 2, zero=True)  # starts at the policy itself

    def initialise(self, seed: int) -> None:
        """Executor i starts the same in a team of any size: its draws depend on (seed, i) alone."""
        layers = [module for module in self.modules() if isinstance(module, StackedLinear)]
        for agent in range(self.n):
            generator = torch.Generator().manual_seed(stable_seed(seed, "executor", agent))
            for layer in layers:
                layer.initialise(agent, generator)

    def head_parameters(self) -> list[nn.Parameter]:
        """The linear maps that make actions and values at last."""
        heads = (self.action_head, self.value_head, self.refine_head)
        return [parameter for head in heads for parameter in head.parameters()]

    def read_texts(self, common: Tensor, own: Tensor | None = None) -> Tensor:
        """Unit-norm embeddings of S texts that all may see [B, S, D], and of A own answers of each executor
        [B, A, N, D], as each executor reads them: [B, S + A, N, s]."""
        texts = common.unsqueeze(2).expand(-1, -1, self.n, -1)
        if own is not None:
            texts = torch.cat([texts, own], dim=1)
        # Unit-norm embeddings have entries of size 1/sqrt(D): brought to size 1, so that problems differ.
        read: Tensor = self.read(texts.flatten(0, 1) * self.embedding_dim**0.5)
        return read.view(*texts.shape[:2], self.n, -1)

    @property
    def read_nothing(self) -> Tensor:
        """What an absent text (zeros) is read as: [N, s]."""
        return self.read.bias.squeeze(1)

    def believe(self, texts: Sequence[Tensor], action: Tensor, previous: Tensor | None) -> Tensor:
        """b_i = GRU(body(o_i, own last action and answer, last commitment), b_i before): [B, N, d_b].

        Args:
            texts: problem, strategy, last commitment and own last answer, as read: [B, N, s] each.
            action: own last action u: [B, N, 2].
            previous: b_i before [B, N, d_b]; None before the first round (zeros).
        """
        state: Tensor = self.gru(self.perceive(texts, action), previous)
        return state

    def perceive(self, texts: Sequence[Tensor], action: Tensor) -> Tensor:
        """What the GRU's gates get of its input: [B, N, 3 d_b]. Nothing of another executor is in it."""
        if self.blocks:
            slots = torch.stack([*texts], dim=1)  # [B, 4, N, s]
            for block in self.blocks:
                slots = block(slots)
            texts = slots.unbind(1)
        x = F.relu(self.widen(torch.cat([*texts, action_features(action)], dim=-1)))
        gates: Tensor = self.gru.from_input(F.relu(self.narrow(x)))
        return gates

    def act(self, beliefs: Tensor) -> Tensor:
        """u_i = sigmoid(w_i . b_i + c_i): [B, N, 2] in [0, 1]."""
        return torch.sigmoid(self.logits(beliefs))

    def logits(self, beliefs: Tensor) -> Tensor:
        out: Tensor = self.action_head(beliefs)
        return out * self.free

    def values(self, beliefs: Tensor, u: Tensor) -> Tensor:
        """Q_i(b_i, e_i), a function of belief and action: [B, N]."""
        hidden = F.relu(self.value_of_belief(beliefs) + self.value_of_action(action_features(u)))
        out: Tensor = self.value_head(hidden)
        return out.squeeze(-1)

    def respond(self, beliefs: Tensor, group: Tensor, logits: Tensor | None = None) -> Tensor:
        """Each executor's learned response to its belief and E: [B, N, 2] in [0, 1].

        The policy at the belief as it stands now, after the last commitment, corrected by what E_i adds.
        ``logits``: the policy's at these beliefs, where they are known.
        """
        hidden = F.relu(self.refine_hidden(torch.cat([beliefs, group], dim=-1)))
        correction = self.refine_head(hidden) * self.free
        return torch.sigmoid((self.logits(beliefs) if logits is None else logits) + correction)


class BeliefEncoder(nn.Module):
    """E = MHA(b_1 ... b_N), any N, equivariant per agent (paper 3.3): [B, N, d_b] -> [B, N, d].

    With ``belief_encoder: false`` (table 6) there is no attention: E_i is made of b_i alone.
    """

    def __init__(self, sizes: Network) -> None:
        super().__init__()
        self.dropout, self.epsilon = sizes.dropout, sizes.layer_norm_epsilon
        belief, width = sizes.belief_dim, sizes.heads * sizes.key_query_dim
        self.attention = (
            SelfAttention(belief, sizes.heads, sizes.key_query_dim) if sizes.belief_encoder else None
        )
        self.out = nn.Linear(belief if self.attention is None else width, sizes.entity_dim)

    def forward(self, beliefs: Tensor) -> Tensor:
        x = beliefs if self.attention is None else self.attention(beliefs)
        x = drop(self.out(x), self.dropout, self.training)
        return F.layer_norm(x, x.shape[-1:], eps=self.epsilon)


class TeamNetworks(nn.Module):
    """Everything that is trained, for a team of ``n`` executors.

    ``free`` says of each dimension of the action whether it is learned; one that is not stays at the middle
    of its range, where its features vanish.

    ``commitment_map`` is the one frozen part: a fixed random map of commitments into the space of F_i for
    L_SD. A trained one could make the loss small by forgetting the commitment.
    """

    commitment_map: Tensor

    def __init__(
        self, n: int, embedding_dim: int, sizes: Network, seed: int, free: tuple[bool, ...] = (True, True)
    ) -> None:
        super().__init__()
        self.executors = Executors(n, embedding_dim, sizes, free)
        self.executors.initialise(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stable_seed(seed, "coordinator"))  # the same for every N
            self.encoder = BeliefEncoder(sizes)
            mixer = MonotoneMixer if sizes.mixer == "monotone" else AttentionMixer
            self.mixer = mixer(sizes, ACTION_FEATURES)
            random_map = torch.randn(embedding_dim, sizes.entity_dim) / sizes.entity_dim**0.5
        self.register_buffer("commitment_map", random_map)

    @property
    def n(self) -> int:
        return self.executors.n

    @property
    def embedding_dim(self) -> int:
        return self.executors.embedding_dim

    def group(self, beliefs: Tensor, information: Information) -> Tensor:
        """E as the executors refine with it: [B, N, d_b] -> [B, N, d].

        ``coordinator``: of all beliefs, a message of the coordinator's. ``own``: E_i of executor i's belief
        alone, so that nothing of another reaches it but the commitment.
        """
        if information == "coordinator":
            out: Tensor = self.encoder(beliefs)
            return out
        batch, n, _ = beliefs.shape
        alone: Tensor = self.encoder(beliefs.reshape(batch * n, 1, -1))
        return alone.view(batch, n, -1)

    def context(self, group: Tensor) -> Context:
        """What the mixer makes of E [B, N, d] alone: once, however many joint actions are valued."""
        made: Context = self.mixer.context(group)
        return made

    def total(self, q: Tensor, u: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """Q_tot [B] and the features F_i [B, N, d] from Q_i [B, N], actions u [B, N, 2] and E's context."""
        mixed: tuple[Tensor, Tensor] = self.mixer(q, action_features(u), context)
        return mixed

    def value_of(self, beliefs: Tensor, u: Tensor, context: Context) -> Tensor:
        """Q_tot of joint actions: [B]."""
        return self.total(self.executors.values(beliefs, u), u, context)[0]

    @property
    def trainable(self) -> int:
        """Number of trainable parameters."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)
