"""econ cache: look into, move or prune the cache of paid answers."""

from __future__ import annotations

from pathlib import Path

import click

from econ.errors import EconError


@click.group("cache")
def command() -> None:
    """Look into, move or prune the cache of paid answers.

    \b
    Example: econ cache export answers.jsonl.zst
    """


@command.command("info")
def info() -> None:
    """Show what the cache holds and what it has cost."""
    from econ.llm.cache.admin import Ledger

    ledger = Ledger()
    click.echo(f"{ledger.path}  {_size(ledger.path)}")
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
def export(file: Path) -> None:
    """Write all answers to FILE (compressed JSONL; equal contents give equal bytes)."""
    from econ.llm.cache.admin import Ledger

    number = Ledger().export(file)
    click.echo(f"{number:,} rows in {file}, {_size(file)}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(file: Path) -> None:
    """Take in the answers of an export."""
    from econ.llm.cache.admin import Ledger

    if not file.is_file():
        raise EconError(f"file {file} does not exist", "make one with `econ cache export FILE`")
    new, known = Ledger(create=True).absorb(file)
    click.echo(f"{new:,} new rows, {known:,} were here already")


@command.command("prune")
@click.option("--model", help="Only this model's answers.")
@click.option("--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Only answers this old.")
@click.option("--all", "everything", is_flag=True, help="Everything, embeddings and probe results too.")
def prune(model: str | None, older_than: float | None, everything: bool) -> None:
    """Delete answers; at least one option says which."""
    from econ.llm.cache.admin import Ledger

    if model is None and older_than is None and not everything:
        raise EconError("nothing says which answers to delete", "give --model, --older-than or --all")
    number = Ledger().prune(model=model, older_than_days=older_than, everything=everything)
    click.echo(f"{number:,} rows deleted")


@command.command("repair")
def repair() -> None:
    """Make a damaged cache anew from all rows that are whole; no job may be at work.

    What is lost is asked for again when a job needs it. The damaged file stays beside the new one.
    """
    from econ.llm.cache.repair import repair as mend

    health, aside = mend()
    for what, number in sorted(health.ill.items()):
        click.echo(f"  damaged: {what} ({number:,})")
    click.echo(f"{health.answers:,} answers and {health.facts:,} facts are whole; the file before is {aside}")


def _size(path: Path) -> str:
    """Of a file, and of the database's log beside it."""
    files = (file for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
    return f"{sum(file.stat().st_size for file in files) / 1e6:.2f} MB"
