"""econ doctor: is everything here that a run needs?"""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import load_or_demo, params_option

MARKS = {True: "ok  ", False: "FAIL", None: "-   "}


@click.command("doctor")
@params_option
def command(params_file: Path) -> None:
    """Check engines, packages, keys, data, disk, backend and probe; say how to mend what is missing.

    \b
    Example: econ doctor --params params/paper.yaml
    """
    params = load_or_demo(params_file)
    from econ.errors import EconError
    from econ.llm.doctor import examine
    from econ.reporting.doubts import FEWEST, of_results

    asked = params.data.test_problems
    if asked is not None and asked * len(params.seeds) < FEWEST:
        click.echo(f"{MARKS[None]}  problems: data.test_problems is {asked}: too few to tell methods apart")
    failed = 0
    for finding in examine(params):
        failed += finding.ok is False
        mend = f" -> {finding.way_out}" if finding.way_out and finding.ok is not True else ""
        click.echo(f"{MARKS[finding.ok]}  {finding.name}: {finding.detail}{mend}")
    for doubt in of_results(params):
        click.echo(f"{MARKS[None]}  results: {doubt}")
    if failed:
        raise EconError(f"{failed} of the checks failed", "the lines marked FAIL say how to mend each")
