"""``econ download``: fetch, normalise, and grade every gold through its grader."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import known_benchmark, load, params_option
from econ.params import Params

LISTED = 20  # ids of failing golds that are shown; the manifest has them all


@click.command()
@click.option("--benchmark", help="Only this benchmark; otherwise all that the params name.")
@params_option
def command(benchmark: str | None, params_file: Path) -> None:
    """Fetch the benchmarks and normalise them to problems.

    Sources: the model hub at pinned revisions, the folder named by data.mirror or ECON_DATA_MIRROR, or the
    problems that come with this project. Every gold is graded through its own grader.

    \b
    Example: econ download --benchmark gsm8k
    """
    params = load(params_file)
    chosen = (benchmark,) if benchmark else params.benchmarks
    for name in chosen:
        known_benchmark(params, name)
    for name in chosen:
        _fetch(name, params)


def _fetch(name: str, params: Params) -> None:
    from econ.benchmarks import download
    from econ.progress import waiting

    with waiting(f"{name}: its rows, and each gold through its grader"):
        record = download(name, params, lambda line: click.echo(line, err=True))
    rows = ", ".join(f"{split} {part['rows']}" for split, part in record["splits"].items())
    click.echo(f"{name}: {rows} problems from {record['source']} ({record['licence']})")
    for split, part in record["splits"].items():
        for reason, count in part["dropped"].items():
            click.echo(f"  {split}: {count} left out: {reason}")
        failing = part["golds_failing"]
        if failing:
            click.echo(f"  {split}: {len(failing)} golds of {part['golds']} are graded wrong:")
            for name, why in list(failing.items())[:LISTED]:
                click.echo(f"    {name}: {why}")
            if len(failing) > LISTED:
                click.echo("    …")
