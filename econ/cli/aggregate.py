"""econ aggregate: from metrics and traces to the paper's tables."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import load, params_option


@click.command("aggregate")
@params_option
def command(params_file: Path) -> None:
    """Gather the metrics of exactly the params' jobs into tables (CSV, LaTeX, Markdown).

    \b
    Example: econ aggregate --params params.yaml
    """
    params = load(params_file)
    from econ import paths
    from econ.reporting import catalogue, manifest, show
    from econ.reporting.gather import gather
    from econ.reporting.tables import summary
    from econ.reporting.tables.build import build

    results = gather(params, params_file)
    frames = build(results, params)
    for name, table in catalogue.tables(params).items():
        show.write(name, table, frames[name])
    manifest.write(results, params)
    summary.write(results, params)
    told = show.joined(result.metrics.get("recorded") for result in results)
    mark = f", {show.RECORDED} ({told})" if told else ""
    mark = f", {show.SIMULATED}" if any(result.metrics["simulated"] for result in results) else mark
    click.echo(
        f"{len(frames)} tables of {len(results)} jobs in {paths.TABLES}{mark}; accuracy.md is the main one"
    )
