"""econ figures: from the tables to the paper's figures."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import load, params_option


@click.command("figures")
@params_option
def command(params_file: Path) -> None:
    """Draw every figure from the tables and the training curves (PDF, SVG, PNG).

    \b
    Example: econ figures --params params.yaml
    """
    params = load(params_file)
    from econ import paths
    from econ.reporting.figures.build import draw_all

    names = draw_all(params)
    click.echo(f"{len(names)} figures in {paths.FIGURES}: {', '.join(names)}")
