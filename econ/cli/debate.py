"""econ debate: the non-equilibrium debate and single-agent baselines, by --method."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from econ.cli.options import job_options, load_for
from econ.params import parse_method
from econ.records import Job


@click.command("debate")
@click.option(
    "--method",
    default="debate",
    show_default=True,
    help="A baseline, or one with a variant: NAME+VARIANT.",
)
@job_options
def command(benchmark: str, n_agents: int, seed: int, method: str, params_file: Path, offline: bool) -> None:
    """Play a baseline on the test problems; write traces and metrics.

    \b
    Example: econ debate --benchmark svamp --method debate --n-agents 3 --seed 0
    """
    params = load_for(params_file, benchmark)
    from econ.methods.registry import baseline
    from econ.play import run_job

    player = baseline(parse_method(method)[0], params.of(method), benchmark)
    asyncio.run(run_job(lambda: player, params, Job(benchmark, method, n_agents, seed), offline=offline))
