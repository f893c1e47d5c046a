"""Does training improve the policy? The SIMULATED team, whose best joint action is known in closed form.

    python perf/simulated_learning.py --episodes 600 --seeds 5

Prints the expected reward of the joint action, as a share of the optimum's, for the trained policy and three
controls (untrained, frozen actor, shuffled rewards); then econ-bne against econ-baseline, paired on problems
that training did not see. Everything here is SIMULATED: it says that the learner learns, nothing of LLMs.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import numpy as np

from econ import training
from econ.equilibrium.game import SimulatedGame, difficulty
from econ.grading import grade
from econ.llm.simulated import SimulatedClient, problems
from econ.methods.base import Session, Solution
from econ.methods.econ import EconMethod
from econ.params import Params

CONDITIONS: dict[str, dict[str, Any]] = {
    "trained": {},
    "untrained": {"episodes": 0},
    "frozen actor": {"train": {"losses": {"actor": 0, "bne_gain": 0, "bne_step": 0}}},
    "shuffled rewards": {"reward": {"source": "shuffled"}},
}
SEEN, UNSEEN = problems(116)[:16], problems(116)[16:]


async def learn(condition: dict[str, Any], n: int, episodes: int, seed: int, rule: str) -> training.Trainer:
    wanted = condition.get("episodes", episodes)
    train = {"episodes": max(wanted, 1), "early_stopping": {"enabled": False}, **condition.get("train", {})}
    params = Params.model_validate(
        {
            "llm": {"backend": "simulated"},
            "bne": {"rule": rule},
            "train": train,
            "reward": condition.get("reward", {}),
        }
    )
    client = SimulatedClient(params, [*SEEN, *UNSEEN])
    trainer = await training.start(training.Run("svamp", n, seed, params, SEEN), client, None)
    if wanted:
        await trainer.train()
    return trainer


async def solve(trainer: training.Trainer, method: str, seed: int) -> list[tuple[Solution, int, bool]]:
    """Solution, tokens and correctness for every unseen problem."""
    player = EconMethod(method, trainer.learner.team, trainer.params)

    async def one(problem: Any) -> tuple[Solution, int, bool]:
        session = Session(problem, trainer.client, trainer.params, trainer.run.n_agents, seed)
        solution = await player.solve(session)
        tokens = sum(call.prompt_tokens + call.completion_tokens for call in session.calls)
        return solution, tokens, grade(problem, solution.text, trainer.params).correct

    return list(await asyncio.gather(*(one(problem) for problem in UNSEEN)))


def shares(trainer: training.Trainer, solutions: list[Solution], step: int) -> float:
    """Mean over problems of the expected reward at the played joint action, as a share of the best."""
    params, n = trainer.params, trainer.run.n_agents
    t, p = params.action.temperature, params.action.repetition_penalty
    low, width = np.array([t.low, p.low]), np.array([t.high - t.low, p.high - p.low])
    reached = []
    for problem, solution in zip(UNSEEN, solutions, strict=True):
        game = SimulatedGame(n, params.simulated, params.reward, (difficulty(problem.id),))
        u = (np.array(solution.steps[step]["actions"]) - low) / width
        reached.append(game.value(u) / game.optimum[1])
    return float(np.mean(reached))


async def study(n: int, episodes: int, seeds: int, rule: str) -> None:
    print(f"SIMULATED team, N = {n}, {episodes} episodes, {rule} refinement, {len(UNSEEN)} unseen problems")
    print(
        "| SIMULATED: share of the optimum | " + " | ".join(f"seed {s}" for s in range(seeds)) + " | mean |"
    )
    print("|---" * (seeds + 2) + "|")
    pairs = []
    for name, condition in CONDITIONS.items():
        row = []
        for seed in range(seeds):
            trainer = await learn(condition, n, episodes, seed, rule)
            baseline = await solve(trainer, "econ-baseline", seed)
            row.append(shares(trainer, [s for s, _, _ in baseline], 0))
            if name == "trained":
                bne = await solve(trainer, "econ-bne", seed)
                last = shares(trainer, [s for s, _, _ in bne], -1)
                pairs.append((baseline, bne, row[-1], last))
        cells = " | ".join(f"{x:.1%}" for x in [*row, float(np.mean(row))])
        print(f"| {name} | {cells} |", flush=True)
    compare(pairs)


def compare(pairs: list[tuple[list[Any], list[Any], float, float]]) -> None:
    """econ-bne minus econ-baseline: paired differences, bootstrap 95 % over problems within seeds."""
    generator = np.random.default_rng(0)
    correct = np.array([[[ok for _, _, ok in method] for method in pair[:2]] for pair in pairs], dtype=float)
    difference = correct[:, 1] - correct[:, 0]  # [seeds, problems]
    draws = generator.integers(0, difference.shape[1], (4000, *difference.shape))
    means = np.take_along_axis(np.broadcast_to(difference, draws.shape), draws, axis=2).mean(axis=(1, 2))
    low, high = np.quantile(means, [0.025, 0.975])
    tokens = [[np.mean([t for _, t, _ in method]) for method in pair[:2]] for pair in pairs]
    before, after = np.mean(tokens, axis=0)
    accuracy = correct.mean(axis=(0, 2))
    print(f"SIMULATED econ-baseline {accuracy[0]:.1%}, econ-bne {accuracy[1]:.1%}: difference "
          f"{difference.mean() * 100:+.1f} points, 95 % [{low * 100:+.1f}, {high * 100:+.1f}], "
          f"{difference.size} paired problems; tokens {before:.0f} and {after:.0f} per problem")  # fmt: skip
    print("SIMULATED share of the optimum at the last round's action: "
          + ", ".join(f"{first:.1%} -> {last:.1%}" for _, _, first, last in pairs))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-agents", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rule", choices=["learned", "best_response"], default="learned")
    asked = parser.parse_args()
    asyncio.run(study(asked.n_agents, asked.episodes, asked.seeds, asked.rule))


if __name__ == "__main__":
    main()
