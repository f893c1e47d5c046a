"""econ evaluate: econ-baseline or econ-bne from a checkpoint."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from econ.cli.options import job_options, load_for
from econ.methods.registry import unknown
from econ.params import ECON_METHODS, parse_method
from econ.records import Job


@click.command("evaluate")
@click.option(
    "--method",
    default="econ-bne",
    show_default=True,
    help="econ-baseline or econ-bne, or one with a variant: econ-bne+NAME.",
)
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Folder; default: the job's own.")
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
    """Play ECON on the test problems from a trained checkpoint; write traces and metrics.

    \b
    Example: econ evaluate --benchmark svamp --method econ-bne --n-agents 3 --seed 0
    """
    params = load_for(params_file, benchmark)
    base, variant = parse_method(method)
    if base not in ECON_METHODS:
        raise unknown(base)
    own = params.varied(variant)
    from econ import paths
    from econ.methods.econ.method import EconMethod, from_checkpoint
    from econ.play import run_job

    folder = checkpoint or paths.checkpoint(benchmark, n_agents, seed, params.learned_as(variant))

    def make() -> EconMethod:
        return from_checkpoint(folder, own, n_agents, base)

    asyncio.run(run_job(make, params, Job(benchmark, method, n_agents, seed), offline=offline))
