"""Does training improve the policy? The SIMULATED team, whose best joint action is known in closed form.

Tells the expected reward of the joint action, as a share of the optimum's, for the trained policy and three
controls (untrained, frozen actor, shuffled rewards), on problems that training did not see. Everything here
is SIMULATED: it says that the learner learns, nothing of LLMs. Of refinement:
:mod:`econ.studies.refinement`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from econ.equilibrium.rewards import Array
from econ.methods.base import Session, Solution
from econ.methods.econ.method import EconMethod
from econ.params import Params
from econ.records import Problem
from econ.simulation.client import SimulatedClient, problems
from econ.simulation.team import SimulatedGame, difficulty_of
from econ.training import trainer as training

CONDITIONS: dict[str, dict[str, Any]] = {
    "trained": {},
    "untrained": {"episodes": 0},
    "frozen actor": {"train": {"losses": {"actor": 0, "bne_gain": 0, "bne_step": 0}}},
    "shuffled rewards": {"reward": {"source": "shuffled"}},
}
SEEN, UNSEEN = problems(116)[:16], problems(116)[16:]


async def learn(
    n: int,
    episodes: int,
    seed: int,
    condition: dict[str, Any] | None = None,
    bne: dict[str, str] | None = None,
) -> training.Trainer:
    """The SIMULATED team of ``n``, trained on the problems seen; without episodes, as it starts."""
    condition = condition or {}
    wanted = condition.get("episodes", episodes)
    train = {"episodes": max(wanted, 1), "early_stopping": {"enabled": False}, **condition.get("train", {})}
    params = Params.model_validate(
        {
            "llm": {"backend": "simulated"},
            "bne": bne or {},
            "train": train,
            "reward": condition.get("reward", {}),
        }
    )
    client = SimulatedClient(params, [*SEEN, *UNSEEN])
    trainer = await training.start(training.Run("svamp", n, seed, params, SEEN), client, None)
    if wanted:
        await trainer.train()
    return trainer


async def solve(trainer: training.Trainer, method: str, **bne: float) -> list[Solution]:
    """What the trained team answers to every unseen problem, in their order; ``bne`` replaces params."""
    params = trainer.params
    params = params.model_copy(update={"bne": params.bne.model_copy(update=bne)})
    player, run = EconMethod(method, trainer.learner.team, params), trainer.run

    async def one(problem: Problem) -> Solution:
        return await player.solve(Session(problem, trainer.client, params, run.n_agents, run.seed))

    return list(await asyncio.gather(*(one(problem) for problem in UNSEEN)))


def games(trainer: training.Trainer) -> list[SimulatedGame]:
    """The closed-form game of every unseen problem."""
    params, n = trainer.params, trainer.run.n_agents
    return [SimulatedGame(n, params.simulated, params.reward, (difficulty_of(p.id),)) for p in UNSEEN]


def played(trainer: training.Trainer, solution: Solution, step: int) -> Array:
    """The joint action of a solution's round, in shares of the ranges: [N, 2]."""
    action = trainer.params.action
    low = np.array([span.low for span in action.dimensions.values()])
    high = np.array([span.high for span in action.dimensions.values()])
    shares: Array = (np.array(solution.steps[step]["actions"]) - low) / (high - low)
    return shares


async def share(n: int, episodes: int, seed: int, condition: dict[str, Any]) -> float:
    """Mean over problems of the expected reward at the policy's joint action, as a share of the best."""
    trainer = await learn(n, episodes, seed, condition)
    solutions = zip(games(trainer), await solve(trainer, "econ-baseline"), strict=True)
    return float(np.mean([g.value(played(trainer, s, 0)) / g.optimum[1] for g, s in solutions]))


async def study(n: int, episodes: int, seeds: range, say: Callable[[str], object]) -> None:
    """Tell the study's table line by line."""
    say(f"SIMULATED team, N = {n}, {episodes} episodes, {len(UNSEEN)} unseen problems\n")
    say("| SIMULATED: share of the optimum | " + " | ".join(f"seed {s}" for s in seeds) + " | mean |")
    say("|---" * (len(seeds) + 2) + "|")
    for name, condition in CONDITIONS.items():
        row = [await share(n, episodes, seed, condition) for seed in seeds]
        say(f"| {name} | {' | '.join(f'{x:.1%}' for x in [*row, float(np.mean(row))])} |")
