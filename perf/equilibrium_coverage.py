"""Does the band [L, U] cover the true epsilon? Synthetic banks with payoffs in closed form. SIMULATED.

    PYTHONPATH=. python perf/equilibrium_coverage.py --banks 200

Prints, for games from steep to level and for profiles at, near and off their optimum, the share of banks
whose band holds the true epsilon, the mean upper end, and what the cross-fitted and the naive estimate say.
"""

from __future__ import annotations

import argparse

import numpy as np

from econ.equilibrium.empirical.certificate import certificates
from econ.equilibrium.empirical.payoffs import TEAM
from econ.equilibrium.empirical.profiles import pure
from econ.equilibrium.empirical.values import values
from tests.equilibrium.synthetic_bank import BEST, GRID, SKILL, World, expected, payoffs

TEAM_OF_3 = (0, 0, 0)
WORLDS = {
    "steep": World(SKILL[None]),
    "flat": World(SKILL[None] / 10),
    "flat, by problem": World(SKILL[None] / 10, taste=1.0),
    "level, by problem": World(0 * SKILL[None], taste=0.5),
}
PROFILES = {"optimum": (BEST,) * 3, "one moved off": (BEST, BEST, 12), "middle": (9, 9, 9)}


def true_epsilon(world: World, cells: tuple[int, ...], parts: int = 20) -> float:
    """Over 20,000 problems, some at a time."""
    rng, gains = np.random.default_rng(99), np.zeros((parts, 3, len(GRID)))
    for part in range(parts):
        truth = world.probabilities(1000, rng)
        for agent in range(3):
            paid = expected(truth, TEAM_OF_3, cells, agent)[:, :, 1].mean(axis=0)
            gains[part, agent] = paid - paid[cells[agent]]
    return float(max(0.0, gains.mean(axis=0).max()))


def study(world: World, cells: tuple[int, ...], problems: int, samples: int, banks: int) -> str:
    truth, found = true_epsilon(world, cells), []
    for seed in range(banks):
        table = world.draw(problems, samples, seed)
        held = values(table, TEAM_OF_3, pure(len(GRID), np.array(cells)), payoffs(table), most=64)
        found.append(certificates(held, table.clusters)[TEAM])
    covered = np.mean([one.lower <= truth <= one.upper for one in found])
    upper, crossed, naive = (
        np.mean([getattr(one, n) for one in found]) for n in ("upper", "epsilon", "naive")
    )
    return f"{truth:8.4f} {covered:8.3f} {upper:8.3f} {crossed:8.4f} {naive:8.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--banks", type=int, default=200)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--problems", type=int, nargs="+", default=[50, 100, 200])
    args = parser.parse_args()
    print(f"SIMULATED: {args.banks} banks each, {args.samples} samples, {len(GRID)} cells, 3 agents; r_tot")
    print(
        f"{'game':18} {'profile':14} problems {'epsilon':>8} {'covered':>8} {'upper':>8} {'crossed':>8} naive"
    )
    for name, world in WORLDS.items():
        for profile, cells in PROFILES.items():
            for problems in args.problems:
                told = study(world, cells, problems, args.samples, args.banks)
                print(f"{name:18} {profile:14} {problems:8} {told}", flush=True)


if __name__ == "__main__":
    main()
