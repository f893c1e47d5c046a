"""econ verify: is everything that was written still as it was written?"""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import cache_url, params_option


@click.command("verify")
@params_option
def command(params_file: Path) -> None:
    """Check problems, checkpoints, traces, metrics, banks, tables and kept answers by their digests.

    Says of all that is damaged which command makes it again, and exits with 1. Figures and the page, which
    are drawn from the tables, and logs have no digests.

    \b
    Example: econ verify
    """
    from econ.reporting.whole import verify

    found = verify(params_file, cache_url(params_file))
    for line in found.bad:
        click.echo(line)
    for note in found.notes:
        click.echo(f"note: {note}")
    checked = ", ".join(f"{number:,} {kind}" for kind, number in found.checked.items()) or "nothing is here"
    state = f"{len(found.bad):,} damaged" if found.bad else "all whole"
    click.echo(f"checked {checked}: {state}")
    if found.bad:
        raise SystemExit(1)
