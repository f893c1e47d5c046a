"""The simulated team: a game whose values, best responses and optimum are known in closed form. SIMULATED.

Each executor's answer falls in one of three classes: right, the common mistake, a mistake of its own. Its
chance of a right answer is a smooth bump in its action, with a peak of its own; of its wrong answers more are
the common mistake at low temperature, where models agree more. The coordinator commits to the most frequent
answer, ties to the earliest. Answers are equal (cosine 1) or unrelated (cosine 0), so every reward follows
from the classes alone, and expectations are sums over the 3^N profiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from econ.equilibrium.rewards import Array, total
from econ.params import Reward, Simulated
from econ.records import stable_seed

RIGHT, COMMON, OWN = 0, 1, 2


@lru_cache(maxsize=1024)
def difficulty_of(problem_id: str) -> float:
    """Of a problem, in [0, 1): a function of its id alone."""
    return stable_seed("difficulty", problem_id) / 2**31


@lru_cache(maxsize=1024)
def type_of(problem_id: str, types: int) -> int:
    """Of a problem, among ``types``: a function of its id alone."""
    return stable_seed("type", problem_id) % types


@cache
def peak(agent: int, kind: int = 0) -> Array:
    """The best action u* of executor ``agent`` on problems of type ``kind``, inside [0, 1]^2: each its own.

    The second type's are half a turn away from the first's.
    """
    golden, turn = 0.6180339887498949, kind / 2
    turns = np.array([agent * golden + turn, 0.9 + agent * golden**2 + turn])
    best = np.array([0.15, 0.2]) + 0.6 * (turns % 1)
    best.flags.writeable = False  # everyone is given the same one
    return best


def probabilities(
    u: Array, agent: int, difficulty: float, guided: bool, params: Simulated, kind: int = 0
) -> Array:
    """Probabilities of (right, common mistake, own mistake) at actions u [..., 2]: [..., 3]."""
    distance = ((u - peak(agent, kind)) ** 2).sum(axis=-1)
    bump = params.floor + (1 - params.floor) * np.exp(-distance / (2 * params.width**2))
    right = params.ease * bump * (1 - params.difficulty * difficulty)
    right = right * (1.0 if guided else 1 - params.strategy_gain)
    common = (1 - right) * params.common_mistake * np.exp(-2 * u[..., 0])
    out = np.empty((*distance.shape, 3))
    out[..., RIGHT], out[..., COMMON], out[..., OWN] = right, common, 1 - right - common
    return out


@dataclass(frozen=True)
class SimulatedGame:
    """The game of N executors on problems of given difficulties and types, with rewards of fixed weights.

    ``kinds``: each problem's type; none given: all of the first.
    """

    n: int
    params: Simulated
    reward: Reward
    difficulty: tuple[float, ...]
    guided: bool = True
    kinds: tuple[int, ...] = ()

    @classmethod
    def of(cls, n: int, params: Simulated, reward: Reward, problem_ids: Sequence[str]) -> SimulatedGame:
        """The game on these problems."""
        kinds = tuple(type_of(name, params.types) for name in problem_ids)
        return cls(n, params, reward, tuple(map(difficulty_of, problem_ids)), kinds=kinds)

    @cached_property
    def _problems(self) -> list[tuple[float, int]]:
        kinds = self.kinds or (0,) * len(self.difficulty)
        return list(zip(self.difficulty, kinds, strict=True))

    def value(self, u: Array) -> float:
        """Expected r_tot of the joint action u [N, 2], mean over the problems."""
        return self._mean(u, self._tables[0])

    def accuracy(self, u: Array) -> float:
        """Chance that the commitment is right at u [N, 2], mean over the problems."""
        return self._mean(u, self._tables[1])

    def _mean(self, u: Array, table: Array) -> float:
        """Of a table by classes: its expectation at u, averaged over the problems."""
        return float(np.mean([self._contract(self._probabilities(u, *one), table) for one in self._problems]))

    def best_response(self, u: Array, agent: int, points: int = 41) -> tuple[Array, float]:
        """The action of ``agent`` that is best against the others' in u, on a grid; and its value."""
        axis = np.linspace(0, 1, points)
        grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        values = np.zeros(len(grid))
        for difficulty, kind in self._problems:
            own = probabilities(grid, agent, difficulty, self.guided, self.params, kind)
            others = self._against(self._probabilities(u, difficulty, kind), agent)
            values += own @ others / len(self._problems)
        best = int(values.argmax())
        return grid[best], float(values[best])

    def regret(self, u: Array) -> Array:
        """What each executor could gain by deviating alone (common payoff r_tot): [N]; 0: an equilibrium."""
        now = self.value(u)
        return np.array([max(0.0, self.best_response(u, i)[1] - now) for i in range(self.n)])

    @cached_property
    def optimum(self) -> tuple[Array, float]:
        """The best joint action and its value: best responses in turn, from the peaks and from the middle."""
        kinds = sorted({kind for _, kind in self._problems})
        peaks = [np.stack([peak(i, kind) for i in range(self.n)]) for kind in kinds]
        starts = [*peaks, np.full((self.n, 2), 0.5)]
        return max((self._climb(start) for start in starts), key=lambda found: found[1])

    def _climb(self, u: Array) -> tuple[Array, float]:
        value, u = self.value(u), u.copy()
        while True:
            before = value
            for agent in range(self.n):
                action, reached = self.best_response(u, agent)
                if reached > value + 1e-12:
                    u[agent], value = action, reached
            if value <= before:
                return u, value

    def _probabilities(self, u: Array, difficulty: float, kind: int) -> list[Array]:
        return [probabilities(u[i], i, difficulty, self.guided, self.params, kind) for i in range(self.n)]

    def _contract(self, by_agent: list[Array], out: Array) -> float:
        for chance in reversed(by_agent):
            out = out @ chance
        return float(out)

    def _against(self, by_agent: list[Array], agent: int) -> Array:
        """Value of each class of ``agent``'s answer, the others averaged out: [3]."""
        out = np.moveaxis(self._tables[0], agent, 0)
        for i in reversed([i for i in range(self.n) if i != agent]):
            out = out @ by_agent[i]
        return out

    @cached_property
    def _tables(self) -> tuple[Array, Array]:
        """r_tot, and whether the commitment is right, for every profile of classes: both [3] * N."""
        payoff, right = np.zeros((3,) * self.n), np.zeros((3,) * self.n)
        for profile in product(range(3), repeat=self.n):
            committed = plurality(profile)
            right[profile] = profile[committed] == RIGHT
            payoff[profile] = self._team_reward(profile, committed)
        return payoff, right

    def _team_reward(self, profile: tuple[int, ...], committed: int) -> float:
        same = _equal(profile)
        close = np.where(same, 1.0, 0.5)  # cosine 1 or 0, mapped to [0, 1]
        fidelity = close[:, committed]
        peers = np.where(np.eye(self.n, dtype=bool), 0.0, close)
        novelty = 1 - peers.max(axis=1)
        weight = self.reward.novelty_weight
        parts = np.stack(
            [fidelity, np.array(profile) == RIGHT, fidelity * (1 - weight + weight * novelty)], axis=-1
        )
        mean = self.reward.r_max * float((parts @ self._alpha).mean())
        return total(mean, float(profile[committed] == RIGHT), self.reward)

    @property
    def _alpha(self) -> Array:
        names = ("AL", "TS", "CC")
        weights = zip(self.reward.alpha, names, strict=True)
        alpha = np.array([a * (name in self.reward.components) for a, name in weights])
        out: Array = alpha / alpha.sum()
        return out


def plurality(profile: tuple[int, ...]) -> int:
    """Index of the answer that is committed to: the most frequent, ties to the earliest."""
    counts = _equal(profile).sum(axis=1)
    return int(counts.argmax())


def _equal(profile: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which answers are the same: [N, N]. Mistakes of one's own equal nobody else's."""
    classes = np.array(profile)
    same = (classes[:, None] == classes[None, :]) & (classes[:, None] != OWN)
    out: NDArray[np.bool_] = same | np.eye(len(classes), dtype=bool)
    return out
