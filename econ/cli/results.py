"""econ results: what came out so far, in a short table."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import load, params_option
from econ.errors import EconError


@click.command("results")
@params_option
def command(params_file: Path) -> None:
    """Show what came out of the params' jobs so far: accuracy with its interval, INVALID, cut, tokens.

    \b
    Example: econ results --params params.yaml
    """
    params = load(params_file)
    from econ.reporting.outcome import found, table

    made, missing = found(params, params_file)
    if not made:
        raise EconError(
            f"none of the {len(missing)} jobs of {params_file} has been played", "run: snakemake --cores all"
        )
    click.echo(table(made))
    if missing:
        more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
        click.echo(f"{len(made):,} of {len(made) + len(missing):,} jobs; {missing[0]}{more}", err=True)
