"""Training from a bank: episodes per second, and what the learner's updates cost. SIMULATED answers.

    python perf/bank_speed.py

A bank is recorded from the simulated team first (64 problems, 6 cells, 8 samples), in a folder of its own.
Then, one after the other: episodes with their rewards, an interval at once; the same call by call; training
with updates; and the simulated team through the ordinary loop. Each is run several times, and the best says
what the code needs; where a machine is busy, processor time (cpu) says more than the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import product

from econ.bank.build import Builder
from econ.bank.client import BankClient
from econ.llm.base import Client, Vector
from econ.methods.econ.asking import ByCall
from econ.methods.econ.scoring import experiences
from econ.params import Params
from econ.progress import Progress
from econ.simulation.client import SimulatedClient, problems
from econ.training import trainer as training

PROBLEMS = problems(64)
GRID = {"temperature": [0.1, 0.7, 1.3], "second": [1.0, 1.2], "samples": 8}
RANGES = {"temperature": {"low": 0.1, "high": 1.3}, "repetition_penalty": {"low": 1.0, "high": 1.2}}


def params_of(backend: str, episodes: int, interval: int, iterations: int) -> Params:
    return Params.model_validate(
        {
            "benchmarks": ["svamp"], "llm": {"backend": backend}, "bank": GRID, "action": RANGES,
            "team": {"commitment": "vote"}, "bne": {"max_iterations_train": iterations},
            "train": {
                "episodes": episodes, "update_interval": interval, "early_stopping": {"enabled": False}
            },
        }
    )  # fmt: skip


class Shelves(BankClient):
    """A bank whose problems' vectors are the simulated team's: no embedding server is part of this."""

    async def embed(self, texts: list[str]) -> Sequence[Vector]:
        return await SimulatedClient(self._params, PROBLEMS).embed(texts)


async def record() -> None:
    params = params_of("simulated", 8, 8, 0)
    builder = Builder("svamp", "train", params.llm.executors[0], PROBLEMS, params)
    client = SimulatedClient(params, PROBLEMS)
    with Progress(len(builder.wanted), "answers", client, "bank") as progress:
        await builder.build(client, progress)


async def started(client: Client, params: Params, n: int) -> training.Trainer:
    trainer = await training.start(training.Run("svamp", n, 0, params, PROBLEMS), client, None)
    await trainer.interval()  # warm
    return trainer


@dataclass(frozen=True)
class Rate:
    """Episodes per second, by the clock and by processor time."""

    clock: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.clock:,.0f} (cpu {self.cpu:,.0f})"


async def rate(work: Callable[[], Awaitable[None]], episodes: int) -> Rate:
    clock, cpu = time.perf_counter(), time.process_time()
    await work()
    return Rate(episodes / (time.perf_counter() - clock), episodes / (time.process_time() - cpu))


async def played(client: Client, params: Params, n: int, *, at_once: bool) -> Rate:
    """Episodes with rewards; nothing is learned."""
    trainer = await started(client, params, n)
    if not at_once:
        trainer.answering = ByCall(trainer.learner.team.embedding_dim)
    total, interval = params.train.episodes, params.train.update_interval

    async def all_of_them() -> None:
        for start in range(0, total, interval):
            found = await trainer._played(range(start, start + interval))
            experiences([episode for episode, _ in found], [tasks for _, tasks in found], params)

    await all_of_them()  # every answer is graded once, as in a long training
    return await rate(all_of_them, total)


async def learned(client: Client, params: Params, n: int) -> Rate:
    """Whole training."""
    trainer = await started(client, params, n)
    return await rate(trainer.train, params.train.episodes - params.train.update_interval)


def best(rates: Sequence[Rate]) -> Rate:
    return Rate(max(rate.clock for rate in rates), max(rate.cpu for rate in rates))


async def measure(asked: argparse.Namespace) -> None:
    await record()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; N = {asked.n}; best of {asked.repeats}")
    print("| SIMULATED: interval | refined rounds | at once | call by call | with updates | an update, ms | "
          "simulated team, ordinary loop |\n" + "|---" * 7 + "|")  # fmt: skip
    repeats = range(asked.repeats)
    for interval, iterations in product(asked.interval, (0, 1)):
        params = params_of("bank", asked.episodes, interval, iterations)
        async with Shelves(params) as client:
            at_once = best([await played(client, params, asked.n, at_once=True) for _ in repeats])
            called = best([await played(client, params, asked.n, at_once=False) for _ in repeats])
            whole = best([await learned(client, params, asked.n) for _ in repeats])
        simulated = params_of("simulated", asked.episodes, interval, iterations)
        team = best(
            [await learned(SimulatedClient(simulated, PROBLEMS), simulated, asked.n) for _ in repeats]
        )
        update = [1000 * interval * (1 / a - 1 / b) for a, b in ((whole.clock, at_once.clock),
                                                                 (whole.cpu, at_once.cpu))]  # fmt: skip
        print(f"| {interval} | {iterations} | {at_once} | {called} | {whole} | {update[0]:.1f} "
              f"(cpu {update[1]:.1f}) | {team} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=640)
    parser.add_argument("--interval", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        asyncio.run(measure(asked))


if __name__ == "__main__":
    main()
