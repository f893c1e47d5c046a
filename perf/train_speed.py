"""Training speed on the SIMULATED team, default sizes: episodes per second at N = 3 and N = 9, and memory.

    python perf/train_speed.py

Everything is in it: prompts, sessions, answers, grading, rewards, refinement, updates. Start-up is not.
Other work on the machine only ever slows a training down, so each is run several times: the best says what
the code needs, the others what the machine was doing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import time

from econ.params import Params
from econ.simulation.client import SimulatedClient, problems
from econ.training import trainer as training

GOALS = {3: 150, 9: 60}


async def speed(n: int, episodes: int, gradient_steps: int) -> float:
    train = {"episodes": episodes, "gradient_steps": gradient_steps, "early_stopping": {"enabled": False}}
    params = Params.model_validate({"llm": {"backend": "simulated"}, "train": train})
    played = problems(32)
    client = SimulatedClient(params, played)
    trainer = await training.start(training.Run("svamp", n, 0, params, played), client, None)
    await trainer.interval()  # warm
    started = time.perf_counter()
    await trainer.train()
    return (episodes - params.train.update_interval) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--gradient-steps", type=int, default=Params().train.gradient_steps)
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.gradient_steps} "
          f"gradient steps per update of {Params().train.update_interval} episodes")  # fmt: skip
    for n, goal in GOALS.items():
        rates = [asyncio.run(speed(n, asked.episodes, asked.gradient_steps)) for _ in range(asked.repeats)]
        every = ", ".join(f"{rate:.0f}" for rate in rates)
        print(f"SIMULATED N = {n}: {max(rates):.0f} episodes/s (goal {goal}), the best of {every}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (goal < 1024)")


if __name__ == "__main__":
    main()
