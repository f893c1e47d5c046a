"""econ compare: any two methods on the same problems, as run and at equal tokens."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.options import load, params_option
from econ.errors import EconError
from econ.params import Params


@click.command("compare")
@click.argument("method")
@click.argument("rivals", metavar="RIVAL...", nargs=-1, required=True)
@params_option
def command(method: str, rivals: tuple[str, ...], params_file: Path) -> None:
    """Test METHOD against each RIVAL on the same problems, paired: as run and at equal tokens.

    The params' methods are to choose from; the jobs of those that are named must have been played. Markdown
    on standard output; no file is changed.

    \b
    Example: econ compare debate cot self-consistency
    """
    params = _only(load(params_file), (method, *rivals))
    from econ.reporting import show
    from econ.reporting.gather import gather
    from econ.reporting.pool import cells
    from econ.reporting.tables.budgets import equal_token_rows, equal_tokens
    from econ.reporting.tables.build import framed
    from econ.reporting.tables.comparisons import paired, paired_rows, pairs

    found = pairs(cells(gather(params, params_file)), method)
    for table, rows in ((paired, paired_rows(found)), (equal_tokens, equal_token_rows(found))):
        click.echo(show.markdown(table, framed(table, rows)))


def _only(params: Params, methods: tuple[str, ...]) -> Params:
    for method in methods:
        if method not in params.methods:
            raise EconError(
                f"'{method}' is not among the params' methods", f"they are: {', '.join(params.methods)}"
            )
    if len(set(methods)) < len(methods):
        raise EconError("a method is named twice", "name METHOD and each RIVAL once")
    return params.model_copy(update={"methods": methods})
