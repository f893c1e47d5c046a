"""Episodes as tensors, and the buffer they are learned from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from econ.records import stable_seed


@dataclass(frozen=True)
class Experience:
    """One episode of R rounds (all rounds of all decisions, in order); D = embedding size, N executors.

    Embeddings of texts that do not exist are zeros. ``mask`` is 1 for a round that was played, 0 for padding.
    """

    problem: Tensor  # [D]
    strategy: Tensor  # [D]
    actions: Tensor  # [R, N, 2] u, as played
    answers: Tensor  # [R, N, D]
    commitments: Tensor  # [R, D]
    parts: Tensor  # [R, N, 3] AL, TS, CC in [0, r_max]
    outcome: Tensor  # [R] TS of the commitment in [0, 1]
    decision: Tensor  # [R] int64, index of the decision that the round belongs to
    mask: Tensor  # [R]

    @property
    def rounds(self) -> int:
        return len(self.mask)

    def padded(self, rounds: int) -> Experience:
        """The same episode, padded with empty rounds at its end."""
        extra = rounds - self.rounds
        if extra == 0:
            return self

        def pad(x: Tensor) -> Tensor:
            return torch.cat([x, x.new_zeros(extra, *x.shape[1:])])

        per_round = {name: pad(getattr(self, name)) for name in ROUND_FIELDS}
        per_round["decision"][self.rounds :] = self.decision[-1]
        return Experience(problem=self.problem, strategy=self.strategy, **per_round)


_FINITE = {
    "parts": "reward",
    "outcome": "reward of the commitment",
    "actions": "action",
    "problem": "embedding of the problem",
    "strategy": "embedding of the strategy",
    "answers": "embedding of an answer",
    "commitments": "embedding of a commitment",
}
FIELDS = tuple(f.name for f in fields(Experience))
ROUND_FIELDS = FIELDS[2:]


def collate(episodes: Sequence[Experience]) -> Experience:
    """One Experience whose every field has a leading batch dimension B; rounds padded to the longest."""
    longest = max(episode.rounds for episode in episodes)
    padded = [episode.padded(longest) for episode in episodes]
    return Experience(**{name: torch.stack([getattr(e, name) for e in padded]) for name in FIELDS})


def not_finite(episodes: Sequence[Experience]) -> tuple[int, str] | None:
    """Place of the first episode with something that is not finite, and what that is; None: all is."""
    for name, told in _FINITE.items():
        values = [getattr(episode, name) for episode in episodes]
        if not torch.isfinite(torch.cat([value.flatten() for value in values])).all():
            return next((i, told) for i, value in enumerate(values) if not torch.isfinite(value).all())
    return None


class Replay:
    """The last ``size`` episodes; samples are a function of (seed, draw number)."""

    def __init__(self, size: int) -> None:
        self.episodes: deque[Experience] = deque(maxlen=size)

    def extend(self, episodes: Iterable[Experience]) -> None:
        self.episodes.extend(episodes)

    def sample(self, batch_size: int, seed: int, draw: int) -> Experience:
        """A batch of distinct episodes: ``batch_size`` of them, or all when there are fewer."""
        generator = np.random.default_rng(stable_seed(seed, "replay", draw))
        size = min(batch_size, len(self.episodes))
        chosen = generator.choice(len(self.episodes), size=size, replace=False)
        return collate([self.episodes[int(i)] for i in chosen])

    def state(self) -> dict[str, Tensor]:
        """The buffer as tensors, oldest first."""
        if not self.episodes:
            return {}
        whole = collate(list(self.episodes))
        return {name: getattr(whole, name).contiguous() for name in FIELDS}

    def load(self, state: dict[str, Tensor]) -> None:
        self.episodes.clear()
        for i in range(len(state["mask"]) if state else 0):
            played = int(state["mask"][i].sum())
            cut = {name: state[name][i, :played].clone() for name in ROUND_FIELDS}
            self.extend([Experience(state["problem"][i].clone(), state["strategy"][i].clone(), **cut)])
