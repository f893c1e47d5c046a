"""econ audit: every prompt of every trace, searched for its problem's gold."""

from __future__ import annotations

from pathlib import Path

import click

from econ import paths
from econ.errors import EconError


@click.command("audit")
@click.argument("folder", type=click.Path(path_type=Path), default=paths.RESULTS / "traces")
@click.option("--data", type=click.Path(path_type=Path), help="Problems; default: those beside results.")
def command(folder: Path, data: Path | None) -> None:
    """Look through all prompts below FOLDER: does one tell its problem's gold before a model has said it?

    \b
    Example: econ audit results/traces
    """
    from econ.studies.audit import COLUMNS, audited

    found = audited(folder, data or folder.parent.parent / paths.BENCHMARKS)
    click.echo(f"{'benchmark':15}{'method':18}" + "".join(f"{name:>11}" for name in COLUMNS))
    for (benchmark, method), row in sorted(found.table.items()):
        click.echo(f"{benchmark:15}{method:18}" + "".join(f"{count:11}" for count in row))
    for leak in found.leaks:
        click.echo(leak)
    said = f"{len(found.leaks)} leaks in {found.prompts} prompts"
    click.echo(said)
    if found.leaks:
        raise EconError(said, "the lines above name each call that was told the gold")
