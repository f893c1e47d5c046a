"""econ debate: the other name of ``econ evaluate``, from when it played the baselines alone."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.evaluate import checkpoint_option, evaluate, method_option
from econ.cli.options import job_options
from econ.records import Job


@click.command("debate")
@method_option("debate")
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
    """Play a debate, or any other method: the same as econ evaluate.

    \b
    Example: econ debate --benchmark svamp --method debate --n-agents 3 --seed 0
    """
    evaluate(Job(benchmark, method, n_agents, seed), params_file, checkpoint, offline=offline)
