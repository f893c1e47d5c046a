"""econ estimate: calls, tokens and money, before spending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from econ.cli.options import params_option
from econ.params import Params, load

if TYPE_CHECKING:
    from econ.llm.estimate import Stage


@click.command("estimate")
@click.option("--jobs", is_flag=True, help="One line per job instead of one per method.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@params_option
def command(params_file: Path, jobs: bool, as_json: bool) -> None:
    """Show what a run would take at most, and what of it is paid for already.

    \b
    Example: econ estimate --params params/paper.yaml
    """
    params = load(params_file)
    from econ.llm.estimate import estimate

    stages = estimate(params)
    groups: dict[str, list[Stage]] = {}
    for stage in stages:
        name = stage.name if jobs else stage.name.split("/")[1].rsplit("-n", 1)[0]
        groups.setdefault(name, []).append(stage)
    rows = [_row(name, group, params) for name, group in groups.items()]
    rows.append(_row("in all", stages, params))
    if as_json:
        import orjson

        for row in rows:
            click.echo(orjson.dumps(row).decode())
        return
    _table(rows)
    models = {model for stage in stages for model in stage.needs}
    unpriced = sorted(models - set(params.llm.prices))
    if unpriced and params.llm.backend in ("together", "openai"):
        click.echo(f"no price in llm.prices for {', '.join(unpriced)}: money is not estimated")
    click.echo("upper estimate: answers at their caps, every refinement made; held: answers kept already")


def _row(name: str, stages: list[Stage], params: Params) -> dict[str, Any]:
    from econ.llm.estimate import Tally

    total = sum((stage.total for stage in stages), Tally())
    held = sum((stage.held for stage in stages), Tally())
    money = [stage.usd(params) for stage in stages]
    return {
        "stage": name,
        "problems": sum(stage.problems for stage in stages),
        "calls": round(total.calls),
        "prompt_tokens": round(total.prompt),
        "completion_tokens": round(total.completion),
        "usd": None if None in money else sum(m for m in money if m is not None),
        "held_calls": round(held.calls),
        "held_tokens": round(held.prompt + held.completion),
    }


def _table(rows: list[dict[str, Any]]) -> None:
    click.echo(
        f"{'stage':34}{'problems':>9}{'calls':>10}{'prompt':>14}{'completion':>12}{'USD':>10}{'held':>9}"
    )
    for row in rows:
        usd = "-" if row["usd"] is None else f"{row['usd']:.2f}"
        click.echo(
            f"{row['stage']:34}{row['problems']:>9,}{row['calls']:>10,}{row['prompt_tokens']:>14,}"
            f"{row['completion_tokens']:>12,}{usd:>10}{row['held_calls']:>9,}"
        )
