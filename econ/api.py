"""For notebooks and scripts: train and play in memory, with what the commands are made of.

Both functions can be called where an event loop is running already, as in a notebook's cell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from econ import benchmarks, paths, playing
from econ.errors import EconError
from econ.llm import current_job, open_client
from econ.llm.base import Client
from econ.methods.base import Player
from econ.methods.econ.method import EconBNE
from econ.methods.registry import player
from econ.params import Params, about
from econ.records import Job, Problem, Split, Trace
from econ.simulation.client import SimulatedClient

T = TypeVar("T")


def play(
    method: str | Player,
    problems: str | Sequence[Problem],
    params: Params | None = None,
    *,
    n_agents: int | None = None,
    seed: int = 0,
) -> list[Trace]:
    """Let a method answer problems; the complete record of each, graded, in their order.

    Args:
        method: its name (``cot``, ``mine:Mine``; ``econ-bne`` from the job's checkpoint), or one that
            is ready to play: a :class:`~econ.Method`, or what :func:`train` gave.
        problems: a benchmark's name, for its test problems (fetched if they are not here), or problems of
            your own, all of one benchmark.
        params: models, limits and settings; None: the defaults.
        n_agents: executors, or debaters; None: the first number of the params.
        seed: of the run.

    Raises:
        EconError: no such method or benchmark, no checkpoint, or the models cannot be asked.
    """
    params = params or Params()
    asked = _problems(problems, "test", params)
    name = method if isinstance(method, str) else getattr(method, "name", "") or type(method).__name__
    job = Job(asked[0].benchmark, name, n_agents or params.n_agents[0], seed)
    own = params.of(name) if isinstance(method, str) else params
    return _wait(_play(method, asked, own, job))


def train(
    problems: str | Sequence[Problem],
    params: Params | None = None,
    *,
    n_agents: int | None = None,
    seed: int = 0,
    folder: Path | None = None,
) -> EconBNE:
    """Train ECON's networks; the trained method, ready for :func:`play`.

    Args:
        problems: a benchmark's name, for its training problems, or problems of your own, with their golds.
        params: as of :func:`play`; ``params.train`` and ``params.reward`` say how it learns.
        n_agents: executors; None: the first number of the params.
        seed: of the run.
        folder: for checkpoints and the training curve; None: nothing is written.

    Raises:
        EconError: no such benchmark, or the models cannot be asked.
    """
    params = params or Params()
    asked = _problems(problems, "train", params)
    return _wait(_train(asked, params, n_agents or params.n_agents[0], seed, folder))


async def _play(method: str | Player, problems: list[Problem], params: Params, job: Job) -> list[Trace]:
    made = _made(method, params, job) if isinstance(method, str) else method
    current_job.set(f"{job.benchmark}/{job.name}")
    async with _client(params, problems) as client:
        return await playing.play(made, problems, client, params, job)


async def _train(
    problems: list[Problem], params: Params, n_agents: int, seed: int, folder: Path | None
) -> EconBNE:
    from econ.training import trainer as training

    benchmark = problems[0].benchmark
    current_job.set(f"{benchmark}/train-n{n_agents}-s{seed}")
    async with _client(params, problems) as client:
        run = training.Run(benchmark, n_agents, seed, params, problems)
        trainer = await training.start(run, client, folder)
        await trainer.train()
    learner = trainer.learner
    team = learner.team.eval().requires_grad_(False)
    alpha = tuple(learner.alpha.tolist())
    return EconBNE(EconBNE.name, team, params, alpha=alpha, benchmark=benchmark, seed=seed)


def _made(method: str, params: Params, job: Job) -> Player:
    trained = about(method).trained
    checkpoint = paths.checkpoint(job.benchmark, job.n_agents, job.seed) if trained else None
    return player(method, params, job.benchmark, job.n_agents, checkpoint)


def _problems(given: str | Sequence[Problem], split: Split, params: Params) -> list[Problem]:
    if not isinstance(given, str):
        if not given:
            raise EconError("there are no problems to play on", "give at least one")
        return list(given)
    if not paths.manifest(given).exists():
        benchmarks.download(given, params)
    return benchmarks.load(given, split, params)


def _client(params: Params, problems: Sequence[Problem]) -> Client:
    if params.llm.backend == "simulated":  # its players know only problems that they are given
        return SimulatedClient(params, problems)
    return open_client(params)


def _wait(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, in a thread of its own: a notebook's cell has a running loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
