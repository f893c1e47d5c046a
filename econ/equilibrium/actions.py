"""Actions e_i = [T_i, p_i]: their ranges, and how training explores them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from econ.errors import EconError
from econ.params import Action, Exploration
from econ.records import stable_seed


def scale(u: Tensor, action: Action) -> list[tuple[float, float]]:
    """Shares [N, 2] in [0, 1] to (temperature, second parameter) per executor: e = low + (high - low) u.

    A fixed dimension has its value, whatever its share.

    Raises:
        EconError: a share is not finite: nothing is sent then.
    """
    shares = u.tolist()
    if not all(math.isfinite(share) for row in shares for share in row):
        raise EconError(
            "the networks gave an action that is not finite",
            "go on from an earlier checkpoint with a lower train.learning_rate",
        )

    def value(share: float, low: float, high: float, fixed: float | None) -> float:
        return low + (high - low) * min(max(share, 0.0), 1.0) if fixed is None else fixed

    t, p = ((span.low, span.high, action.fixed.get(name)) for name, span in action.dimensions.items())
    return [(value(u_t, *t), value(u_p, *p)) for u_t, u_p in shares]


class Deviates(Protocol):
    """What plays other actions than the policy's: an explorer, or a study that displaces them."""

    def first(self, logits: Tensor, round: int) -> Tensor:
        """The actions of a decision's first round: the policy's logits [N, 2] -> u [N, 2]."""
        ...

    def refined(self, u: Tensor, proposal: Tensor, max_step: float, round: int) -> Tensor:
        """The actions of a later round, within ``max_step`` of u: all [N, 2]."""
        ...


@dataclass(frozen=True)
class Explorer:
    """One training episode's noise: a function of (seed, episode, agent, round) alone.

    So executor i explores alike in teams of any size, and episodes may be played in any order. ``free`` says
    of each dimension whether it is learned; one that is not stays at the middle.
    """

    params: Exploration
    seed: int
    episode: int
    episodes: int  # planned in all
    free: tuple[bool, ...] = (True, True)

    @property
    def uniform_episodes(self) -> float:
        """How many episodes are played at random before the policy is."""
        if self.params.schedule == "power":
            return math.ceil(math.pow(self.episodes, 1 - self.params.power))
        return self.params.uniform_share * self.episodes

    @property
    def uniform(self) -> bool:
        return self.episode < self.uniform_episodes

    @property
    def noise(self) -> float:
        """Standard deviation on the logits.

        It falls linearly from the uniform phase's end to decay_share, or as a power of the episode's number.
        """
        start = self.uniform_episodes
        if self.params.schedule == "power":
            return self.params.noise_start * math.pow(start / max(self.episode + 1, start), self.params.power)
        end = max(self.params.decay_share * self.episodes, start + 1)
        share = min(max((self.episode - start) / (end - start), 0.0), 1.0)
        return self.params.noise_start + share * (self.params.noise_end - self.params.noise_start)

    def first(self, logits: Tensor, round: int) -> Tensor:
        """Explored actions of a decision's first round: logits [N, 2] -> u [N, 2]."""
        if self.uniform:
            return self._hold(self._draw(len(logits), round, torch.rand))
        return self._hold(torch.sigmoid(logits + self.noise * self._draw(len(logits), round, torch.randn)))

    def refined(self, u: Tensor, proposal: Tensor, max_step: float, round: int) -> Tensor:
        """Explored refinement: the proposal, with noise, still within ``max_step`` of ``u``; all [N, 2]."""
        scale = 1.0 if self.uniform else self.noise / max(self.params.noise_start, self.noise, 1e-9)
        noise = max_step * scale * (2 * self._draw(len(u), round, torch.rand) - 1)
        return self._hold((u + (proposal + noise - u).clamp(-max_step, max_step)).clamp(0, 1))

    def _hold(self, u: Tensor) -> Tensor:
        return u if all(self.free) else torch.where(torch.tensor(self.free), u, 0.5)

    def _draw(self, n: int, round: int, draw: Callable[..., Tensor]) -> Tensor:
        rows, generator = torch.empty(n, 2), torch.Generator()
        for agent in range(n):
            generator.manual_seed(stable_seed(self.seed, "explore", self.episode, agent, round))
            draw(2, generator=generator, out=rows[agent])
        return rows
