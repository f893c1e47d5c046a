"""econ report: tables, figures and their origins on one page."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import load, params_option


@click.command("report")
@params_option
def command(params_file: Path) -> None:
    """Gather tables, figures, problems, params and calls on one self-contained HTML page.

    \b
    Example: econ report --params params.yaml
    """
    params = load(params_file)
    from econ.reporting.page.build import write_page

    click.echo(f"report in {write_page(params, params_file)}")
