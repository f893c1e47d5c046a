"""econ doctor: is everything here that a run needs?"""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import params_option
from econ.params import load

MARKS = {True: "ok  ", False: "FAIL", None: "-   "}


@click.command("doctor")
@params_option
def command(params_file: Path) -> None:
    """Check engines, packages, keys, data, disk, backend and probe; say how to mend what is missing.

    \b
    Example: econ doctor --params params/paper.yaml
    """
    params = load(params_file)
    from econ.errors import EconError
    from econ.llm.doctor import examine

    failed = 0
    for finding in examine(params):
        failed += finding.ok is False
        mend = f" -> {finding.way_out}" if finding.way_out and finding.ok is not True else ""
        click.echo(f"{MARKS[finding.ok]}  {finding.name}: {finding.detail}{mend}")
    if failed:
        raise EconError(f"{failed} of the checks failed", "the lines marked FAIL say how to mend each")
