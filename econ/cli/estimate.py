"""econ estimate: calls, tokens and money, before spending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from econ.cli.options import load, params_option
from econ.costs.usage import merged, total, usd
from econ.params import Params

if TYPE_CHECKING:
    from econ.costs.estimate import Stage


MEANING = """\
calls, tokens, USD: at most. Answers count their caps, every refinement is made, and prompts count by a rule
  that gives more than tokenizers do; attempts that fail come on top
held: a job's requests whose answers are kept, a request of several jobs once in all; of train what it has
  paid for; left: calls still to be paid for, at most"""


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
    from econ.costs.estimate import estimate, group_of

    stages = estimate(params)
    groups: dict[str, list[Stage]] = {}
    for stage in stages:
        groups.setdefault(stage.name if jobs else group_of(stage), []).append(stage)
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
    click.echo(MEANING)


def _row(name: str, stages: list[Stage], params: Params) -> dict[str, Any]:
    needs, left = (merged(getattr(stage, what) for stage in stages) for what in ("needs", "left"))
    everything, remaining = total(needs), total(left)
    return {
        "stage": name,
        "problems": sum(stage.problems for stage in stages),
        "calls": round(everything.calls),
        "prompt_tokens": round(everything.tokens.prompt),
        "completion_tokens": round(everything.tokens.completion),
        "usd": usd(needs, params),
        "held_calls": _held(stages),
        "left_calls": round(remaining.calls),
        "left_tokens": round(remaining.tokens.total),
        "left_usd": usd(left, params),
    }


def _held(stages: list[Stage]) -> int:
    """Distinct requests; of training, which has none to name, calls."""
    named = frozenset[bytes]().union(*(stage.requests for stage in stages))
    return len(named) + round(sum(total(stage.held).calls for stage in stages if not stage.requests))


def _table(rows: list[dict[str, Any]]) -> None:
    click.echo(
        f"{'stage':34}{'problems':>9}{'calls':>10}{'prompt':>15}{'completion':>15}{'USD':>10}{'held':>9}"
        f"{'left':>10}{'USD left':>10}"
    )
    for row in rows:
        money, rest = ("-" if row[name] is None else f"{row[name]:.2f}" for name in ("usd", "left_usd"))
        click.echo(
            f"{row['stage']:34}{row['problems']:>9,}{row['calls']:>10,}{row['prompt_tokens']:>15,}"
            f"{row['completion_tokens']:>15,}{money:>10}{row['held_calls']:>9,}"
            f"{row['left_calls']:>10,}{rest:>10}"
        )
