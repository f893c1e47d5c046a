"""econ train: ECON's networks for one benchmark, agent count and seed."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

import click

from econ import interrupts
from econ.cli.options import job_options, load_for
from econ.errors import EconError
from econ.params import Params


@click.command("train")
@click.option("--resume", is_flag=True, help="Go on from the job's newest checkpoint.")
@click.option(
    "--from", "start_from", type=click.Path(path_type=Path), help="Go on from this .safetensors file."
)
@click.option("--variant", help="Train this variant of the params, for METHOD+VARIANT.")
@job_options
def command(
    benchmark: str,
    n_agents: int,
    seed: int,
    variant: str | None,
    params_file: Path,
    resume: bool,
    start_from: Path | None,
    offline: bool,
) -> None:
    """Train ECON's networks; write checkpoints and the training curve.

    \b
    Example: econ train --benchmark svamp --n-agents 3 --seed 0
             econ train --benchmark svamp --n-agents 3 --seed 0 --resume
    """
    params = load_for(params_file, benchmark)
    own = params.varied(variant)
    if resume and start_from is not None:
        raise EconError("--resume and --from name two checkpoints to go on from", "give one of them")
    if variant is not None and params.learned_as(variant) is None:
        raise EconError(
            f"variant '{variant}' changes nothing that is learned", "it plays from the checkpoint without it"
        )
    interrupts.run(
        _train(own, benchmark, n_agents, seed, variant, start_from, resume=resume, offline=offline)
    )


async def _train(
    params: Params,
    benchmark: str,
    n_agents: int,
    seed: int,
    variant: str | None,
    start_from: Path | None,
    *,
    resume: bool,
    offline: bool,
) -> None:
    from econ import benchmarks, paths, prompts
    from econ.costs.context import check_room
    from econ.llm import open_client, payer
    from econ.progress import Progress

    problems = benchmarks.load(benchmark, "train", params)
    folder = paths.checkpoint(benchmark, n_agents, seed, variant)
    source = _newest(folder) if resume else start_from
    label = f"{benchmark}/{'+'.join(filter(None, ('train', variant)))}-n{n_agents}-s{seed}"
    payer.set(label)
    async with open_client(params, offline=offline) as client:
        if not offline:
            await check_room(problems, client, params, "econ-bne", n_agents)
        # The server is tried while the numerics load: both take seconds.
        _, training = await asyncio.gather(
            client.probe(prompts.for_probe(problems, params)),
            asyncio.to_thread(importlib.import_module, "econ.training.trainer"),
        )
        run = training.Run(benchmark, n_agents, seed, params, problems)
        trainer = await training.start(run, client, folder, source)
        with Progress(params.train.episodes, "episodes", client, label) as progress:
            progress.advance(trainer.episodes)
            await trainer.train(progress)
    mark = "SIMULATED " if client.simulated else "RECORDED " if client.recorded else ""
    click.echo(
        f"{mark}{label}: {trainer.episodes} episodes, {trainer.stop}; "
        f"{trainer.learner.team.trainable:,} parameters; {folder}"
    )


def _newest(folder: Path) -> Path:
    """The checkpoint that was written last: a training that was stopped, or killed, left no ``last``."""
    found = list(folder.glob("*.safetensors"))
    if not found:
        raise EconError(f"no checkpoint in {folder} to go on from", "train from the start, without --resume")
    return max(found, key=lambda path: path.stat().st_mtime_ns)
