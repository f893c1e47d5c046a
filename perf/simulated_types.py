"""Do beliefs condition on the problem? The SIMULATED team with two types of problems.

    python perf/simulated_types.py --episodes 1200 --first-seed 0 --seeds 5

Prints the expected reward of the trained policy on problems that training did not see, beside the best joint
action that is blind to the type and the best for each problem. Everything here is SIMULATED.
"""

from __future__ import annotations

import argparse
import asyncio

from econ.params import Params
from econ.simulation.client import SimulatedClient, problems
from econ.training import trainer as training
from econ.training.conditioning import Conditioning, conditioning

SEEN, UNSEEN = problems(112)[:64], problems(112)[64:]


async def study(n: int, episodes: int, seed: int) -> Conditioning:
    train = {"episodes": episodes, "early_stopping": {"enabled": False}}
    params = Params.model_validate(
        {"llm": {"backend": "simulated"}, "simulated": {"types": 2}, "train": train}
    )
    client = SimulatedClient(params, [*SEEN, *UNSEEN])
    trainer = await training.start(training.Run("svamp", n, seed, params, SEEN), client, None)
    await trainer.train()
    return await conditioning(trainer, UNSEEN)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-agents", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=1200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    print(
        "| SIMULATED: seed | policy | best type-blind action | best for each problem |\n" + "|---" * 4 + "|"
    )
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        found = asyncio.run(study(asked.n_agents, asked.episodes, seed))
        print(f"| {seed} | {found.policy:.3f} | {found.blind:.3f} | {found.best:.3f} |", flush=True)


if __name__ == "__main__":
    main()
