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
@click.option("--resume", is_flag=True, help="Go on where the job's training was stopped.")
@click.option(
    "--from", "start_from", type=click.Path(path_type=Path), help="Go on from this state.safetensors."
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
        raise EconError("--resume and --from name two places to go on from", "give one of them")
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
    from econ.costs.context import check_context
    from econ.llm import current_job, open_client
    from econ.progress import Progress, waiting
    from econ.reporting.outcome import learned

    problems = benchmarks.load(benchmark, "train", params)
    folder = paths.checkpoint(benchmark, n_agents, seed, variant)
    source = _state(folder) if resume else start_from
    label = f"{benchmark}/{'+'.join(filter(None, ('train', variant)))}-n{n_agents}-s{seed}"
    current_job.set(label)
    async with open_client(params, offline=offline) as client:
        with waiting("the model to be there, and to obey what it is steered with"):
            if not offline:
                await check_context(problems, client, params, "econ-bne", n_agents)
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
    click.echo(learned(trainer.history, params.action.second))


def _state(folder: Path) -> Path:
    """What a training that was stopped, or killed, left to go on from."""
    from econ.paths import TRAINING

    state = folder / TRAINING
    if state.is_file():
        return state
    if (folder / "last.safetensors").is_file():
        raise EconError(
            f"the training in {folder} has ended, and what it could go on from was not kept",
            "train from the start, without --resume; train.keep_state: true keeps it",
        )
    raise EconError(f"nothing in {folder} to go on from", "train from the start, without --resume")
