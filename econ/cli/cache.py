"""econ cache: look into, move or prune the cache of paid answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from econ.cli.options import cache_url, params_option
from econ.errors import EconError

if TYPE_CHECKING:
    from econ.llm.cache.admin import Ledger
    from econ.llm.cache.repair import Health


@click.group("cache")
def command() -> None:
    """Look into, move or prune the cache of paid answers.

    \b
    Example: econ cache export answers.jsonl.zst
    """


@command.command("info")
@params_option
def info(params_file: Path) -> None:
    """Show where the cache is, what it holds and what it has cost."""
    ledger = _ledger(params_file)
    click.echo(f"{ledger.where}  {_megabytes(ledger.store.size())}")
    for row in ledger.holdings():
        tokens = f"{row.prompt_tokens:,} + {row.completion_tokens:,} tokens"
        usd = "" if row.usd is None else f", {row.usd:.4f} USD"
        click.echo(f"  {row.provider}  {row.model}: {row.answers:,} answers, {tokens}{usd}")
    for kind, number in ledger.facts().items():
        click.echo(f"  {kind}: {number:,} kept")
    for run in ledger.spending():
        usd = f", {run.usd:.4f} USD" if run.usd else ""
        click.echo(f"  run '{run.run}' has paid {run.calls:,} calls, {run.tokens:,} tokens{usd}")


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@params_option
def export(file: Path, params_file: Path) -> None:
    """Write all answers to FILE (compressed JSONL; equal contents give equal bytes)."""
    number = _ledger(params_file).export(file)
    click.echo(f"{number:,} rows in {file}, {_megabytes(file.stat().st_size)}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@params_option
def import_(file: Path, params_file: Path) -> None:
    """Take in the answers of an export, from whichever store it came.

    \b
    Example, from .econ to a database: econ cache export all.zst
                                       ECON_CACHE_URL=postgresql://econ@db/econ econ cache import all.zst
    """
    if not file.is_file():
        raise EconError(f"file {file} does not exist", "make one with `econ cache export FILE`")
    new, known = _ledger(params_file, create=True).absorb(file)
    click.echo(f"{new:,} new rows, {known:,} were here already")


@command.command("prune")
@click.option("--model", help="Only this model's answers.")
@click.option("--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Only answers this old.")
@click.option("--all", "everything", is_flag=True, help="Everything, embeddings and probe results too.")
@params_option
def prune(model: str | None, older_than: float | None, everything: bool, params_file: Path) -> None:
    """Delete answers; at least one option says which."""
    if model is None and older_than is None and not everything:
        raise EconError("nothing says which answers to delete", "give --model, --older-than or --all")
    number = _ledger(params_file).prune(model=model, older_than_days=older_than, everything=everything)
    click.echo(f"{number:,} rows deleted")


@command.command("repair")
@params_option
def repair(params_file: Path) -> None:
    """Mend a damaged cache: all rows that are whole stay. Of an SQLite file no job may be at work.

    What is lost is asked for again when a job needs it. What is damaged is kept aside.
    """
    from econ.llm.cache import repair as mending

    health, aside = mending.repair(url=cache_url(params_file))
    _tell(health)
    click.echo(
        f"{health.whole['answers']:,} answers and {health.whole['facts']:,} facts are whole; "
        f"what was damaged is in {aside}"
    )


@command.command("verify")
@params_option
def verify(params_file: Path) -> None:
    """Check every answer and fact by its checksum; exits with 1 if one is damaged."""
    from econ.llm.cache import repair as mending

    health = mending.look(url=cache_url(params_file))
    _tell(health)
    state = "run: econ cache repair" if health.ill else "all whole"
    click.echo(f"checked {health.whole.total() + health.ill.total():,} rows: {state}")
    if health.ill:
        raise SystemExit(1)


def _tell(health: Health) -> None:
    for what, number in sorted(health.ill.items()):
        click.echo(f"  damaged: {what} ({number:,})")


def _ledger(params_file: Path, *, create: bool = False) -> Ledger:
    from econ.llm.cache.admin import Ledger

    return Ledger(url=cache_url(params_file), create=create)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"
