"""econ timing: the share of a run's wall time with an LLM call in flight."""

from __future__ import annotations

from datetime import datetime

import click

from econ.errors import EconError


@click.command("timing")
@click.option("--since", help="Count from this moment on: ISO date and time, or Unix seconds.")
def command(since: str | None) -> None:
    """Show how much of the wall time an LLM call was in flight.

    \b
    Example: econ timing --since 2026-01-31T12:00
    """
    from econ.llm.activity import read

    timing = read(_moment(since))
    if timing.jobs == 0:
        raise EconError("no activity is on record here", "it comes with the first LLM call")
    tokens = timing.tokens.total
    click.echo(f"wall time        {timing.wall:10.1f} s   ({timing.jobs} jobs)")
    click.echo(f"call in flight   {timing.busy:10.1f} s   share {timing.share:.3f}")
    click.echo(f"calls made       {timing.calls:10,}")
    rate = timing.tokens.completion / timing.busy if timing.busy else 0.0
    click.echo(f"tokens           {tokens:10,}     {rate:.1f} generated tokens/s while in flight")


def _moment(text: str | None) -> float:
    if text is None:
        return 0.0
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise EconError(f"--since '{text}' is no moment", "like 2026-01-31T12:00, or Unix seconds") from None
