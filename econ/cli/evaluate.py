"""econ evaluate: any method on a benchmark's test problems."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from pydantic import ValidationError

from econ import interrupts
from econ.cli.options import F, job_options, load_for
from econ.errors import EconError
from econ.params import Params, learns
from econ.records import Job

checkpoint_option = click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="What a trained method plays from; default: the job's own.",
)


def method_option(default: str) -> Callable[[F], F]:
    return click.option(
        "--method",
        default=default,
        show_default=True,
        help="Any method, one of yours as module:Class, or either with a variant: NAME+VARIANT.",
    )


@click.command("evaluate")
@method_option("econ-bne")
@checkpoint_option
@job_options
def command(
    benchmark: str,
    n_agents: int,
    seed: int,
    method: str,
    params_file: Path,
    checkpoint: Path | None,
    offline: bool,
) -> None:
    """Play a method on the test problems; write traces and metrics.

    \b
    Example: econ evaluate --benchmark svamp --method econ-bne --n-agents 3 --seed 0
             econ evaluate --benchmark svamp --method cot --n-agents 3
             econ evaluate --benchmark svamp --method my_method:Mine --n-agents 3
    """
    evaluate(Job(benchmark, method, n_agents, seed), params_file, checkpoint, offline=offline)


def evaluate(job: Job, params_file: Path, checkpoint: Path | None, *, offline: bool) -> None:
    """Play one job; its traces and metrics are written where the pipeline looks for them."""
    params = load_for(params_file, job.benchmark)
    own, trained = params.of(job.method), learns(job.method)
    from econ import paths
    from econ.methods.base import Player
    from econ.methods.registry import player
    from econ.params import parse_method
    from econ.playing import run_job
    from econ.reporting.outcome import table

    variant = params.learned_as(parse_method(job.method)[1]) if trained else None
    folder = checkpoint or paths.checkpoint(job.benchmark, job.n_agents, job.seed, variant)

    if trained and checkpoint is None:
        same_training(folder, params.varied(variant), params_file)

    def make() -> Player:
        return player(job.method, own, job.benchmark, job.n_agents, folder)

    made = None if trained else make()  # an untrained one is quick to make, or to refuse
    metrics = interrupts.run(run_job(lambda: made or make(), params, job, offline=offline))
    click.echo(table([metrics]))


def same_training(folder: Path, params: Params, params_file: Path) -> None:
    """Raises :class:`EconError` where the job's checkpoint was trained with other params than the file's."""
    from econ.equilibrium import checkpoint
    from econ.methods.econ.method import CHECKPOINT
    from econ.params import training
    from econ.reporting.gather import differing

    path = folder / CHECKPOINT
    header, _ = checkpoint.read(path)
    try:
        trained = Params.model_validate(header.params)
    except ValidationError:
        raise EconError(f"checkpoint {path} has params of another version", checkpoint.REMAKE) from None
    other = sorted(key for key, *_ in differing(training(trained), training(params)))
    if other:
        raise EconError(
            f"checkpoint {path} was trained with other params ({', '.join(other[:3])}) than {params_file}",
            "train again with econ train, or name it with --checkpoint to play from it as it is",
        )
