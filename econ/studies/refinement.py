"""Does refinement help? The SIMULATED team, whose equilibria are known in closed form.

For both rules, and for a policy trained in full and one half-trained: the expected reward of the joint
action at e^0 and at e^K as a share of the optimum's, and its exploitability (the sum of what each executor
could gain by deviating alone, exact, in units of reward). Then accuracies. Refinement ends when a commitment
repeats, which is a vote of several rounds, so econ-bne can gain on econ-baseline with no action improved.
To tell these apart the team plays twice more with no step too small to answer again for: once moving its
actions as econ-bne does, once holding them at e^0. Everything here is SIMULATED and says nothing of LLMs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from econ.equilibrium.rewards import Array
from econ.grading import grade
from econ.methods.base import Solution
from econ.studies.learning import UNSEEN, games, learn, played, solve
from econ.training import trainer as training
from econ.training.displacement import displacement

PLAYS = ("econ-baseline", "econ-bne", "all rounds, held", "all rounds, moving")
PAIRS = {
    "econ-bne - econ-baseline": (1, 0),
    "rounds alone: held - baseline": (2, 0),
    "moves alone: moving - held": (3, 2),
}
DISTANCES = (0.0, 0.35)  # off the policy, in shares of the ranges
HEADS = (
    "| SIMULATED: rule | episodes | share of the optimum, e^0 -> e^K | mean | exploitability | rounds |",
    "| SIMULATED: rule | episodes | " + " | ".join([*PLAYS, *PAIRS]) + " |",
)


def positions(trainer: training.Trainer, solutions: list[Solution]) -> Array:
    """Share of the optimum and exploitability at e^0 and at e^K, means over the problems: [2, 2]."""
    rows = []
    for game, solution in zip(games(trainer), solutions, strict=True):
        ends = [played(trainer, solution, step) for step in (0, -1)]
        rows.append([[game.value(u) / game.optimum[1], game.regret(u).sum()] for u in ends])
    means: Array = np.mean(rows, axis=0)
    return means


async def measure(n: int, episodes: int, seed: int, rule: str) -> tuple[Array, Array, float]:
    """Positions [2, 2]; 1 where an answer is right [plays, problems]; mean rounds of econ-bne."""
    trainer = await learn(n, episodes, seed, bne={"rule": rule})
    bne = await solve(trainer, "econ-bne")
    plays = [
        await solve(trainer, "econ-baseline"),
        bne,
        await solve(trainer, "econ-bne", convergence_threshold=0.0, max_step=1e-9),
        await solve(trainer, "econ-bne", convergence_threshold=0.0),
    ]
    right = [
        [grade(p, s.text, trainer.params).correct for p, s in zip(UNSEEN, play, strict=True)]
        for play in plays
    ]
    return positions(trainer, bne), np.array(right, dtype=float), float(np.mean([len(s.steps) for s in bne]))


async def displaced(n: int, episodes: int, seeds: range, say: Callable[[str], object]) -> None:
    """What one refinement gains at the policy and off it, beside a random step and the best within a step."""
    say("| SIMULATED: rule | information | off the policy | gain | random step | best within a step "
        "| share of the best | step |")  # fmt: skip
    say("|---" * 8 + "|")
    for rule, information in (
        ("learned", "coordinator"),
        ("learned", "own"),
        ("best_response", "coordinator"),
    ):
        bne = {"rule": rule, "information": information}
        trainers = [await learn(n, episodes, seed, bne=bne) for seed in seeds]
        for distance in DISTANCES:
            found = [await displacement(trainer, UNSEEN, distance) for trainer in trainers]
            gain, random, best, step = (
                np.mean([getattr(each, name) for each in found])
                for name in ("gain", "random", "best", "step")
            )
            say(f"| {rule} | {information} | {distance:.2f} | {gain:+.4f} | {random:+.4f} | {best:+.4f} "
                f"| {f'{gain / best:.0%}' if distance else '-'} | {step:.3f} |")  # fmt: skip


async def study(n: int, policies: Sequence[int], seeds: range, say: Callable[[str], object]) -> None:
    """Tell the study's three tables line by line; ``policies``: episodes of training, in full first."""
    say(f"SIMULATED team, N = {n}, seeds {seeds.start} to {seeds.stop - 1}, {len(UNSEEN)} unseen problems\n")
    await displaced(n, policies[0], seeds, say)
    say("\n" + HEADS[0] + "\n" + "|---" * 6 + "|")
    accuracies = []
    for rule in ("learned", "best_response"):
        for episodes in policies:
            measured = [await measure(n, episodes, seed, rule) for seed in seeds]
            at, right = (np.stack([found[part] for found in measured]) for part in (0, 1))
            by_seed = ", ".join(f"{a:.1%} -> {b:.1%}" for a, b in at[:, :, 0])
            (a, x), (b, y) = at.mean(axis=0)
            rounds = np.mean([found[2] for found in measured])
            say(f"| {rule} | {episodes} | {by_seed} | {a:.1%} -> {b:.1%} | {x:.4f} -> {y:.4f} "
                f"| {rounds:.2f} |")  # fmt: skip
            cells = [f"{x:.1%}" for x in right.mean(axis=(0, 2))]
            cells += [difference(right[:, one] - right[:, other]) for one, other in PAIRS.values()]
            accuracies.append(f"| {rule} | {episodes} | {' | '.join(cells)} |")
    say("\n" + HEADS[1] + "\n" + "|---" * (2 + len(PLAYS) + len(PAIRS)) + "|")
    for line in accuracies:
        say(line)


def difference(paired: Array) -> str:
    """Mean of paired differences [seeds, problems] in points; bootstrap 95 % over problems within seeds."""
    generator = np.random.default_rng(0)
    draws = generator.integers(0, paired.shape[1], (4000, *paired.shape))
    means = np.take_along_axis(np.broadcast_to(paired, draws.shape), draws, axis=2).mean(axis=(1, 2))
    low, high = np.quantile(means, [0.025, 0.975]) * 100
    return f"{paired.mean() * 100:+.1f} [{low:+.1f}, {high:+.1f}]"
